package org.pabal.dns.authoritative;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.Name;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/// The shell commands of scope `zone` that join zones to those of others.
@Component(
        service = RegistrarShell.class,
        property = {
            "osgi.command.scope=zone",
            "osgi.command.function=delegate",
            "osgi.command.function=key"
        })
public final class RegistrarShell {

    private final ZoneStore store;
    private final ZoneEditor editor;
    private final Supplier<Administration> administration;
    private final InstantSource clock;
    private final RandomGenerator random;

    @Activate
    public RegistrarShell(@Reference ZoneStore store, @Reference AuthoritativeServer server) {
        this(store, server.editor(), server::administration, server.clock(), new SecureRandom());
    }

    RegistrarShell(
            ZoneStore store,
            ZoneEditor editor,
            Supplier<Administration> administration,
            InstantSource clock,
            RandomGenerator random) {
        this.store = store;
        this.editor = editor;
        this.administration = administration;
        this.clock = clock;
        this.random = random;
    }

    @Descriptor(
            "Enters a name server of a domain at its parent, with the addresses that others need to"
                + " find it; once more for each further server. The parent is a zone of ours, or"
                + " another server's that takes updates: via ADDRESS[@PORT] [key NAME]. Example:"
                + " zone:delegate sub.example.org ns1.sub.example.org 192.0.2.1 2001:db8::1")
    public String delegate(
            @Descriptor("the domain, e.g. sub.example.org") String child,
            @Descriptor("its name server, e.g. ns1.sub.example.org") String server,
            @Descriptor("the server's addresses, then perhaps via ADDRESS[@PORT] [key NAME]")
                    String... addressesAndVia)
            throws IOException {
        List<String> words = Arrays.asList(addressesAndVia);
        int via = words.contains("via") ? words.indexOf("via") : words.size();
        Delegation delegation =
                new Delegation(
                        name(child),
                        name(server),
                        words.subList(0, via).stream().map(RegistrarShell::address).toList());
        if (via < words.size()) {
            return delegate(delegation, String.join(" ", words.subList(via + 1, words.size())));
        }
        Name parent = parent(delegation.child());
        Zone next = delegation.enter(editor, parent);
        return "zone " + parent + " serial " + next.serial() + ": " + delegation.told(parent);
    }

    private String delegate(Delegation delegation, String via) throws IOException {
        RemoteServer remote = RemoteServer.parse(via);
        if (remote.tls().isPresent()) {
            throw new IllegalArgumentException(
                    via + ": updates are not sent by TLS, expected ADDRESS[@PORT] [key NAME]");
        }
        Optional<TSIG> key = remote.key().map(this::key);
        RemoteParent server = new RemoteParent(remote, key);
        Name parent = server.zoneAbove(delegation.child());
        server.update(delegation.update(parent));
        return "zone "
                + parent
                + " at "
                + remote.address().getAddress().getHostAddress()
                + ": "
                + delegation.told(parent);
    }

    private TSIG key(Name name) {
        return administration
                .get()
                .key(name)
                .map(key -> key.tsig(clock))
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "key "
                                                + name.toString(true)
                                                + ": not known; expected a file"
                                                + " etc/org.pabal.tsig~"
                                                + name.toString(true)
                                                + ".cfg, which zone:key makes"));
    }

    @Descriptor(
            "Makes a key that two servers share to know each other (TSIG): what it prints is for"
                    + " etc/org.pabal.tsig~NAME.cfg here, and for the other. Example: zone:key"
                    + " transfer.example.org")
    public List<String> key(@Descriptor("its name, e.g. transfer.example.org") String key) {
        String name = name(key).toString(true);
        byte[] secret = new byte[32]; // as long as the MAC, RFC 8945 §8
        random.nextBytes(secret);
        return List.of(
                "# etc/org.pabal.tsig~" + name + ".cfg",
                "name = " + name,
                "algorithm = hmac-sha256",
                "secret = " + Base64.getEncoder().encodeToString(secret));
    }

    /// The zone of ours in which a child is delegated: the nearest above it, if it has no cut
    /// between.
    private Name parent(Name child) {
        Optional<Zone> zone =
                Stream.iterate(1, label -> label < child.labels(), label -> label + 1)
                        .map(label -> store.find(new Name(child, label)))
                        .flatMap(Optional::stream)
                        .findFirst();
        if (zone.isEmpty()) {
            throw new IllegalArgumentException(
                    child
                            + ": its parent is no zone of ours; name the server that has it, for"
                            + " example via "
                            + RemoteServer.EXAMPLE);
        }
        Name origin = zone.get().origin();
        for (Name above = new Name(child, 1); !above.equals(origin); above = new Name(above, 1)) {
            if (zone.get().records(above, Type.NS).isPresent()) {
                throw new IllegalArgumentException(
                        child
                                + ": zone "
                                + origin
                                + " has delegated "
                                + above
                                + "; name the server that has it, for example via "
                                + RemoteServer.EXAMPLE);
            }
        }
        return origin;
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.ofLiteral(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    text + ": expected an address, for example 192.0.2.1 or 2001:db8::1", e);
        }
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    text + ": expected a name, for example sub.example.org", e);
        }
    }
}
