package org.pabal.transport;

import org.pabal.settings.Settings;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What `etc/org.pabal.listener~NAME.cfg` says; the README has a sentence for each key.
///
/// @param crowdedPatience the patience between two commands while three quarters of the places are
///     taken
/// @param protocolWait how long an accepted connection waits for an absent protocol
/// @param workers how many threads, each with a socket of its own, receive datagrams
/// @param receiveBuffer octets of datagrams that may wait while the protocol is being replaced
record ListenerSettings(
        String name,
        String protocol,
        InetSocketAddress address,
        Transport transport,
        Tls tls,
        Optional<KeyFiles> keyFiles,
        int maxConnections,
        int maxConnectionsPerAddress,
        Duration patience,
        Duration crowdedPatience,
        Duration protocolWait,
        Duration grace,
        Duration handshakePatience,
        Optional<String> goodbye,
        List<Network> proxyFrom,
        int workers,
        int receiveBuffer) {

    enum Transport {
        TCP,
        UDP,
        BOTH;

        boolean streams() {
            return this != UDP;
        }

        boolean datagrams() {
            return this != TCP;
        }
    }

    enum Tls {
        NONE,
        STARTTLS,
        IMPLICIT
    }

    /// PEM files: the certificate with its chain, and its private key in PKCS#8.
    record KeyFiles(Path certificate, Path key) {}

    /// @param name the listener's
    /// @param home the node's directory, which relative file names belong to
    /// @throws org.pabal.settings.BadSetting when a value cannot be used
    static ListenerSettings from(String name, Map<String, ?> properties, Path home) {
        Settings settings = Settings.of(properties);
        String protocol = settings.required("protocol", "smtp");
        if (!protocol.matches("[A-Za-z0-9_.-]+")) {
            throw settings.bad("protocol", protocol, "a protocol's name", "smtp");
        }
        int port = (int) settings.number("port", 0, 0, 65_535);
        Transport transport =
                switch (settings.choice("transport", "tcp", "tcp", "udp", "both")) {
                    case "udp" -> Transport.UDP;
                    case "both" -> Transport.BOTH;
                    default -> Transport.TCP;
                };
        Tls tls =
                switch (settings.choice("tls", "none", "none", "starttls", "implicit")) {
                    case "starttls" -> Tls.STARTTLS;
                    case "implicit" -> Tls.IMPLICIT;
                    default -> Tls.NONE;
                };
        if (tls != Tls.NONE && !transport.streams()) {
            throw settings.bad(
                    "tls",
                    "" + settings.text("tls", ""),
                    "none, as there is no TLS on datagrams",
                    "none");
        }
        ListenerSettings read =
                new ListenerSettings(
                        name,
                        protocol,
                        new InetSocketAddress(address(settings), port),
                        transport,
                        tls,
                        keyFiles(settings, tls, home),
                        (int) settings.number("max-connections", 2_000, 1, 1_000_000),
                        (int) settings.number("max-connections-per-address", 100, 1, 1_000_000),
                        settings.duration("patience", Duration.ofMinutes(5)),
                        settings.duration("crowded-patience", Duration.ofMinutes(5)),
                        settings.duration("wait", Duration.ofSeconds(30)),
                        settings.duration("grace", Duration.ofSeconds(5)),
                        settings.duration("handshake-patience", Duration.ofSeconds(10)),
                        settings.text("goodbye"),
                        settings.list("proxy-from").stream()
                                .map(text -> network(settings, text))
                                .toList(),
                        (int)
                                settings.number(
                                        "workers",
                                        Runtime.getRuntime().availableProcessors(),
                                        1,
                                        256),
                        (int)
                                Math.min(
                                        settings.octets("receive-buffer", 4_000_000),
                                        Integer.MAX_VALUE));
        settings.noOthers();
        return read;
    }

    /// Whether a listener with these settings can take over the sockets of one with the other
    /// settings.
    boolean sameSockets(ListenerSettings other) {
        return address.equals(other.address)
                && transport == other.transport
                && (!transport.datagrams()
                        || workers == other.workers && receiveBuffer == other.receiveBuffer);
    }

    private static InetAddress address(Settings settings) {
        String text = settings.text("address", "127.0.0.1");
        try {
            return InetAddress.ofLiteral(text);
        } catch (IllegalArgumentException e) {
            throw settings.bad(
                    "address", text, "an IPv4 or IPv6 address of this machine", "127.0.0.1");
        }
    }

    private static Optional<KeyFiles> keyFiles(Settings settings, Tls tls, Path home) {
        Optional<Path> certificate = settings.text("certificate").map(home::resolve);
        Optional<Path> key = settings.text("key").map(home::resolve);
        if (tls != Tls.NONE) {
            settings.required("certificate", "etc/tls/certificate.pem");
            settings.required("key", "etc/tls/key.pem");
        }
        return tls == Tls.NONE
                ? Optional.empty()
                : certificate.map(c -> new KeyFiles(c, key.orElseThrow()));
    }

    private static Network network(Settings settings, String text) {
        try {
            return Network.parse(text);
        } catch (IllegalArgumentException e) {
            throw settings.bad(
                    "proxy-from", text, "networks parted by commas", "192.0.2.0/24, 2001:db8::/32");
        }
    }
}
