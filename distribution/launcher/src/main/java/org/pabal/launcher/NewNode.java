package org.pabal.launcher;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.Optional;

/// Writes the directory of a new node: settings, a certificate, a zone, and the commands of the
/// first start.
final class NewNode {

    private static final List<Door> DOORS =
            List.of(
                    new Door("smtp", "Mail from other servers", 25, "smtp", "starttls"),
                    new Door(
                            "submission",
                            "Mail from our own people",
                            587,
                            "submission",
                            "starttls"),
                    new Door(
                            "submissions",
                            "The same, with TLS from the first octet (RFC 8314)",
                            465,
                            "submission",
                            "implicit"),
                    new Door("pop3", "Reading mail", 110, "pop3", "starttls"),
                    new Door(
                            "pop3s",
                            "The same, with TLS from the first octet (RFC 8314)",
                            995,
                            "pop3",
                            "implicit"),
                    new Door("dns", "Answers from our zones", 53, "dns", "none"),
                    new Door(
                            "dns-tls",
                            "The same, with TLS from the first octet (RFC 7858)",
                            853,
                            "dns",
                            "implicit"));

    /// The local name server is for the programs of this machine, so it is on loopback whatever the
    /// node's address is: see [#resolver].
    private static final Door RESOLVER =
            new Door(
                    "resolver",
                    "The local name server, for the programs of this machine",
                    53,
                    "resolver",
                    "none");

    private static final List<Concern> CONCERNS =
            List.of(
                    new Concern("org.pabal.smtp", "Receiving mail.", "max-size = 50 MB"),
                    new Concern(
                            "org.pabal.delivery",
                            "Working the queue.",
                            "smart-host = relay.example.net:587"),
                    new Concern("org.pabal.pop3", "Reading mail by POP3.", ""),
                    new Concern(
                            "org.pabal.dns.authoritative",
                            "Answering DNS queries from our zones.",
                            ""),
                    new Concern(
                            "org.pabal.dns.recursive",
                            "The local name server.",
                            "forward = . 192.0.2.53"),
                    new Concern(
                            "org.pabal.storage.file",
                            "Queue, mailboxes, zones and accounts in plain files.",
                            ""),
                    new Concern(
                            "org.pabal.shell", "The door for `pabal shell`.", "max-sessions = 8"));

    private final NodeDirectory directory;
    private final NodeSettings settings;

    private NewNode(NodeDirectory directory, NodeSettings settings) {
        this.directory = directory;
        this.settings = settings;
    }

    /// Makes a node.
    ///
    /// @param firstStart shell commands for the first start
    static void make(NodeDirectory directory, NodeSettings settings, List<String> firstStart)
            throws Trouble {
        if (directory.exists()) {
            throw new Trouble(
                    directory.home()
                            + ": there is a node here already; start it with pabal run "
                            + directory.home()
                            + ", or choose another directory");
        }
        try {
            directory.create();
            new NewNode(directory, settings).write(firstStart);
        } catch (IOException e) {
            throw new Trouble(directory.home() + ": no node could be made: " + Lines.reason(e));
        }
    }

    private void write(List<String> firstStart) throws IOException, Trouble {
        for (Door door : DOORS) {
            write(
                    "org.pabal.listener~" + door.name + ".cfg",
                    listener(door, settings.address().orElseGet(NewNode::allAddresses), 0));
        }
        write("org.pabal.listener~" + RESOLVER.name + ".cfg", resolver());
        for (Concern concern : CONCERNS) {
            write(
                    concern.pid + ".cfg",
                    "# "
                            + concern.about
                            + " The bundle's README tells what can be set here, and the defaults.\n"
                            + (concern.example.isEmpty() ? "" : "# " + concern.example + "\n"));
        }
        NodeDirectory.writePrivate(
                directory.zones().resolve(java.net.IDN.toASCII(settings.domain()) + ".zone"),
                zone(zoneAddress()));
        SelfSigned.write(directory.tls(), settings);
        if (!firstStart.isEmpty()) {
            NodeDirectory.writePrivate(
                    directory.firstStart(), String.join("\n", firstStart) + "\n");
        }
        // The last one, because a node is there when this file is.
        NodeDirectory.writePrivate(directory.settings(), settings.text());
    }

    private void write(String name, String text) throws IOException {
        NodeDirectory.writePrivate(directory.etc().resolve(name), text);
    }

    /// Where a program looks for a name server: 127.0.0.1 port 53. A node that is on loopback
    /// itself has its own zones at that port, and its resolver at the next one.
    private String resolver() {
        Optional<String> loopback =
                settings.address().filter(a -> InetAddress.ofLiteral(a).isLoopbackAddress());
        return listener(RESOLVER, loopback.orElse("127.0.0.1"), loopback.isPresent() ? 1 : 0);
    }

    private String listener(Door door, String address, int further) {
        StringBuilder text = new StringBuilder("# " + door.about + ".\n");
        text.append("address = ").append(address).append('\n');
        text.append("port = ").append(door.port + further + settings.offset()).append('\n');
        text.append("protocol = ").append(door.protocol).append('\n');
        text.append("tls = ").append(door.tls).append('\n');
        if (door.tls.equals("none")) {
            text.append("transport = both\n");
        } else {
            text.append("certificate = etc/tls/node.crt\n");
            text.append("key = etc/tls/node.key\n");
        }
        if (door.protocol.equals("dns") || door.protocol.equals("resolver")) {
            // RFC 7766 §6.2.3: those who wait for nothing make room for those who ask
            text.append("crowded-patience = 2 s\n");
        }
        return text.toString();
    }

    /// A master file, RFC 1035 §5, with the names that mail needs.
    private String zone(InetAddress address) {
        String host = java.net.IDN.toASCII(settings.host());
        String domain = java.net.IDN.toASCII(settings.domain());
        String record =
                "%s %s".formatted(address instanceof Inet6Address ? "AAAA" : "A", plain(address));
        StringBuilder text = new StringBuilder();
        text.append(
                "; Read when the node starts; zone:set and zone:load change it while it runs.\n");
        text.append("$ORIGIN ").append(domain).append(".\n$TTL 3600\n");
        text.append("@ SOA ")
                .append(host)
                .append(". postmaster.")
                .append(domain)
                .append(". 1 7200 3600 1209600 3600\n");
        text.append("@ NS ").append(host).append(".\n");
        text.append("@ MX 10 ").append(host).append(".\n");
        text.append("@ ").append(record).append('\n');
        if (host.endsWith("." + domain)) {
            text.append(host).append(". ").append(record).append('\n');
        }
        return text.toString();
    }

    /// The address that the zone names: the one that was given, or else the first one of this
    /// machine that others may reach.
    private InetAddress zoneAddress() throws IOException {
        Optional<String> given =
                settings.address().filter(a -> !a.equals("0.0.0.0") && !a.equals("::"));
        if (given.isPresent()) {
            return InetAddress.getByName(given.get());
        }
        try {
            return NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(a -> !a.isLoopbackAddress() && !a.isLinkLocalAddress())
                    .sorted((a, b) -> a.getAddress().length - b.getAddress().length)
                    .findFirst()
                    .orElse(InetAddress.getLoopbackAddress());
        } catch (SocketException e) {
            return InetAddress.getLoopbackAddress();
        }
    }

    /// Where there is IPv6, its unspecified address takes IPv4 as well.
    private static String allAddresses() {
        try {
            return NetworkInterface.networkInterfaces()
                            .flatMap(NetworkInterface::inetAddresses)
                            .anyMatch(Inet6Address.class::isInstance)
                    ? "::"
                    : "0.0.0.0";
        } catch (SocketException e) {
            return "0.0.0.0";
        }
    }

    private static String plain(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return scope < 0 ? text : text.substring(0, scope);
    }

    /// One listener to begin with.
    private record Door(String name, String about, int port, String protocol, String tls) {}

    /// One bundle's file, empty but for a comment: every setting has a default.
    private record Concern(String pid, String about, String example) {}
}
