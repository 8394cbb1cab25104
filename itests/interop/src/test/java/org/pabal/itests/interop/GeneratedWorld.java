package org.pabal.itests.interop;

import org.pabal.dnssec.Denial;
import org.pabal.itests.interop.WorldZone.Oddity;
import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// A tree of zones made of a number, the same each time: signed and unsigned ones, odd ones, on
/// servers of their own or of their parent, with aliases from one to another. Everybody listens on
/// port 53 of an address of loopback, so it wants a network of its own.
final class GeneratedWorld implements AutoCloseable {

    /// @param zone for what a difference is told about
    record Asked(Name name, int type, WorldZone zone) {}

    private static final int[] TYPES = {
        Type.A,
        Type.AAAA,
        Type.MX,
        Type.TXT,
        Type.DS,
        Type.DNSKEY,
        Type.NS,
        Type.SOA,
        Type.CNAME,
        Type.DNAME,
        Type.NSEC3PARAM,
    };
    private static final long TTL = 3600;

    private final Random random;
    private final Instant now = Instant.now();
    final List<WorldZone> zones = new ArrayList<>();
    private final Map<String, WorldServer> servers = new LinkedHashMap<>();
    private final List<ScriptedNameServer> open = new ArrayList<>();
    private final Map<Name, List<Name>> names = new LinkedHashMap<>();
    private int addresses;

    GeneratedWorld(long seed) {
        random = new Random(seed * 7919 + 1);
        WorldZone root = new WorldZone(Name.root);
        root.denial = Optional.of(Denial.NSEC);
        root.servers.add(address());
        zones.add(root);
        for (int i = 0; i < 5; i++) {
            WorldZone top = zone(root, "t" + i);
            top.denial = i == 4 ? Optional.empty() : Optional.of(Denial.values()[i % 3]);
            for (int j = 0; j < 5; j++) {
                WorldZone second = zone(top, "z" + j);
                dress(second, 1);
                for (int k = random.nextInt(3); k > 0; k--) {
                    WorldZone third = zone(second, k == 2 ? "deep.sub" + k : "sub" + k);
                    dress(third, 2);
                }
            }
        }
        for (WorldZone zone : zones) {
            zone.makeKey(now);
        }
        zones.forEach(this::fill);
        zones.forEach(this::delegate);
        zones.forEach(zone -> zone.finish(now));
        for (WorldZone zone : zones) {
            for (String address : zone.servers) {
                servers.computeIfAbsent(address, WorldServer::new).serve(zone);
            }
        }
    }

    private String address() {
        addresses++;
        return "127.77." + addresses / 200 + "." + (addresses % 200 + 1);
    }

    private WorldZone zone(WorldZone parent, String label) {
        WorldZone zone = new WorldZone(name(label + "." + parent.origin));
        zones.add(zone);
        zone.servers.add(random.nextInt(6) == 0 ? parent.servers.getFirst() : address());
        if (random.nextInt(2) == 0) {
            zone.servers.add(address());
        }
        return zone;
    }

    private void dress(WorldZone zone, int odds) {
        if (random.nextInt(4) != 0) {
            zone.denial = Optional.of(Denial.values()[random.nextInt(3)]);
        }
        zone.algorithm = random.nextInt(5) == 0 ? 8 : random.nextInt(6) == 0 ? 15 : 13;
        if (random.nextInt(3) < odds + 1) {
            zone.oddities.add(Oddity.values()[random.nextInt(Oddity.values().length)]);
        }
        boolean needsTwo = zone.oddities.stream().anyMatch(o -> o.name().startsWith("FIRST"));
        if (needsTwo && zone.servers.size() < 2) {
            zone.servers.add(address());
        }
        if (zone.denial.filter(how -> how != Denial.NSEC).isPresent()) {
            // where it proves more than it says, Unbound believes NSEC and not NSEC3
            zone.oddities.remove(Oddity.EMPTY_NON_TERMINALS_DENIED);
        }
        if (zone.is(Oddity.NO_EDNS) || zone.is(Oddity.GLUELESS_CIRCLE)) {
            // a server that speaks no EDNS speaks none of any zone: not one that others need; and
            // servers that are nowhere to be found are not found by way of the parent's
            zone.servers.clear();
            zone.servers.add(address());
        }
        if (zone.is(Oddity.TWO_SIGNERS_ONE_BAD)) {
            zone.oddities.add(Oddity.WRONG_SIGNATURES);
        }
    }

    private void fill(WorldZone zone) {
        List<Name> all = new ArrayList<>();
        Name origin = zone.origin;
        String at = origin.equals(Name.root) ? "" : origin.toString();
        zone.records.add(
                new SOARecord(
                        origin,
                        DClass.IN,
                        TTL,
                        name("ns0." + at),
                        name("host." + at),
                        1,
                        7200,
                        900,
                        604800,
                        300));
        all.add(origin);
        if (origin.labels() <= 2) {
            for (int i = 0; i < zone.servers.size(); i++) {
                server(
                        zone,
                        name("ns" + i + "." + (at.isEmpty() ? "root-servers." : at)),
                        zone,
                        i,
                        true);
            }
            all.add(name("nx-" + random.nextInt(100) + "." + at));
            all.add(name("a.nx-" + random.nextInt(100) + "." + at));
            names.put(origin, all);
            return;
        }
        List<Name> targets = new ArrayList<>();
        address(zone, "www." + at, all);
        targets.add(name("www." + at));
        zone.records.add(new MXRecord(origin, DClass.IN, TTL, 10, name("www." + at)));
        zone.records.add(new TXTRecord(origin, DClass.IN, TTL, "of " + at));
        zone.records.add(
                new AAAARecord(
                        name("www." + at),
                        DClass.IN,
                        TTL,
                        InetAddress.ofLiteral("2001:db8::" + (1 + random.nextInt(999)))));
        if (random.nextBoolean()) {
            address(zone, at, all);
        }
        address(zone, "a.b.ent." + at, all);
        all.add(name("b.ent." + at));
        all.add(name("ent." + at));
        all.add(name("x.b.ent." + at));
        zone.records.add(new TXTRecord(name("*.wild." + at), DClass.IN, TTL, "wild"));
        zone.records.add(
                new ARecord(
                        name("*.wild." + at), DClass.IN, TTL, InetAddress.ofLiteral("192.0.2.99")));
        address(zone, "host.wild." + at, all);
        all.add(name("foo.wild." + at));
        all.add(name("foo.bar.wild." + at));
        all.add(name("x.host.wild." + at));
        all.add(name("*.wild." + at));
        all.add(name("wild." + at));
        all.add(name("nx" + random.nextInt(9) + "." + at));
        all.add(name("nx.www." + at));
        all.add(name("a.b.c.nx." + at));
        alias(zone, "own." + at, "www." + at, all);
        alias(zone, "away." + at, other("www."), all);
        alias(zone, "awaynx." + at, other("nothere."), all);
        alias(zone, "awaywild." + at, other("q" + random.nextInt(9) + ".wild."), all);
        alias(zone, "awaychain." + at, other("away."), all);
        alias(zone, "nowhere." + at, "nothere." + at, all);
        alias(zone, "toent." + at, "b.ent." + at, all);
        alias(zone, "loop1." + at, "loop2." + at, all);
        alias(zone, "loop2." + at, "loop1." + at, all);
        alias(zone, "notop." + at, "www.nosuchtop.", all);
        alias(zone, "*.wc." + at, random.nextBoolean() ? "www." + at : other("www."), all);
        all.add(name("foo.wc." + at));
        zone.records.add(
                new DNAMERecord(
                        name("dn." + at),
                        DClass.IN,
                        TTL,
                        name(random.nextBoolean() ? "wild." + at : other(""))));
        all.add(name("dn." + at));
        all.add(name("www.dn." + at));
        all.add(name("nx.foo.dn." + at));
        String longest = ("l".repeat(60) + ".").repeat(3);
        zone.records.add(new DNAMERecord(name("lg." + at), DClass.IN, TTL, name(longest + at)));
        all.add(name("l".repeat(60) + ".lg." + at));
        zone.records.add(new NSRecord(name("dead." + at), DClass.IN, TTL, name("ns.dead." + at)));
        zone.records.add(
                new ARecord(
                        name("ns.dead." + at),
                        DClass.IN,
                        TTL,
                        InetAddress.ofLiteral("127.78.1.1")));
        all.add(name("www.dead." + at));
        all.add(name("dead." + at));
        names.put(origin, all);
    }

    private String other(String prefix) {
        WorldZone other;
        do {
            other = zones.get(random.nextInt(zones.size()));
        } while (other.origin.labels() < 3);
        return prefix + other.origin;
    }

    private void address(WorldZone zone, String name, List<Name> all) {
        all.add(name(name));
        zone.records.add(
                new ARecord(
                        name(name),
                        DClass.IN,
                        TTL,
                        InetAddress.ofLiteral("192.0.2." + (1 + random.nextInt(90)))));
    }

    private void alias(WorldZone zone, String from, String to, List<Name> all) {
        all.add(name(from));
        zone.records.add(new CNAMERecord(name(from), DClass.IN, TTL, name(to)));
    }

    /// NS records on both sides of the cut, and the addresses of the servers.
    private void delegate(WorldZone zone) {
        if (zone.origin.equals(Name.root)) {
            return;
        }
        WorldZone parent = parent(zone);
        parent.records.addAll(zone.signers());
        for (int i = 0; i < zone.servers.size(); i++) {
            Name server = name("ns" + i + "." + zone.origin);
            boolean own = true;
            if (zone.is(Oddity.GLUELESS) || zone.is(Oddity.MANY_SERVERS_GLUELESS)) {
                server = name("ns" + i + "-" + zone.origin.toString().replace('.', '-') + ".t0.");
                own = false;
                WorldZone home =
                        zones.stream()
                                .filter(z -> z.origin.equals(name("t0.")))
                                .findFirst()
                                .orElseThrow();
                home.records.add(
                        new ARecord(
                                server,
                                DClass.IN,
                                TTL,
                                InetAddress.ofLiteral(zone.servers.get(i))));
            } else if (zone.is(Oddity.GLUELESS_CIRCLE)) {
                server = name("ns" + i + ".in." + zone.origin);
            }
            parent.records.add(new NSRecord(zone.origin, DClass.IN, TTL, server));
            if (own && !zone.is(Oddity.GLUELESS_CIRCLE)) {
                parent.records.add(
                        new ARecord(
                                server,
                                DClass.IN,
                                TTL,
                                InetAddress.ofLiteral(zone.servers.get(i))));
            }
            if (zone.origin.labels() <= 2) {
                continue;
            }
            if (zone.is(Oddity.CHILD_NAMES_OTHER_SERVERS)) {
                Name other = name("other" + i + "." + zone.origin);
                zone.records.add(new NSRecord(zone.origin, DClass.IN, TTL, other));
                zone.records.add(
                        new ARecord(other, DClass.IN, TTL, InetAddress.ofLiteral("127.78.2.2")));
            } else if (!zone.is(Oddity.NO_NS_AT_APEX)) {
                zone.records.add(new NSRecord(zone.origin, DClass.IN, TTL, server));
            } else {
                zone.records.add(
                        new NSRecord(zone.origin, DClass.IN, TTL, name("ns.nowhere.nosuchtop.")));
            }
            if (own) {
                zone.records.add(
                        new ARecord(
                                server,
                                DClass.IN,
                                TTL,
                                InetAddress.ofLiteral(zone.servers.get(i))));
            }
        }
        if (zone.is(Oddity.MANY_SERVERS_GLUELESS)) {
            for (int i = 0; i < 7; i++) {
                parent.records.add(
                        new NSRecord(zone.origin, DClass.IN, TTL, name("gone" + i + ".t1.")));
            }
        }
    }

    private void server(WorldZone zone, Name server, WorldZone home, int i, boolean address) {
        zone.records.add(new NSRecord(zone.origin, DClass.IN, TTL, server));
        if (address) {
            home.records.add(
                    new ARecord(
                            server, DClass.IN, TTL, InetAddress.ofLiteral(zone.servers.get(i))));
        }
    }

    private WorldZone parent(WorldZone zone) {
        return zones.stream()
                .filter(z -> z != zone && zone.origin.subdomain(z.origin))
                .max((a, b) -> a.origin.labels() - b.origin.labels())
                .orElseThrow();
    }

    void open() throws IOException {
        for (String nothing : List.of("127.78.1.1", "127.78.2.2")) {
            servers.computeIfAbsent(nothing, WorldServer::new);
        }
        for (Map.Entry<String, WorldServer> each : servers.entrySet()) {
            open.add(new ScriptedNameServer(each.getKey(), 53, each.getValue()::answer));
        }
    }

    String hints() {
        return ". 3600 IN NS ns0.root-servers.\nns0.root-servers. 3600 IN A "
                + zones.getFirst().servers.getFirst()
                + "\n";
    }

    String anchors() {
        return zones.getFirst().signers().getFirst() + "\n";
    }

    List<Asked> questions(int count) {
        List<Asked> all = new ArrayList<>();
        Set<String> seen = new LinkedHashSet<>();
        for (int tries = 0; all.size() < count && tries < count * 20; tries++) {
            WorldZone zone = zones.get(random.nextInt(zones.size()));
            List<Name> here = names.get(zone.origin);
            Name name = here.get(random.nextInt(here.size()));
            int type =
                    random.nextInt(3) == 0
                            ? TYPES[random.nextInt(TYPES.length)]
                            : random.nextInt(4) == 0 ? Type.TXT : Type.A;
            // Unbound takes what is below a DNAME for bogus when asked for a CNAME or DNAME
            boolean below = name.toString().matches(".*\\.(dn|lg)\\..*");
            if ((type != Type.CNAME && type != Type.DNAME || !below)
                    && seen.add(name + " " + type)) {
                all.add(new Asked(name, type, zone));
            }
        }
        return all;
    }

    /// The zones on the way to a name, with what is odd about them.
    String describe(Name name) {
        StringBuilder text = new StringBuilder();
        for (WorldZone zone : zones) {
            if (name.subdomain(zone.origin)) {
                text.append(' ')
                        .append(zone.origin)
                        .append(
                                zone.denial
                                        .map(d -> "[" + d + zone.oddities + "]")
                                        .orElse("[unsigned" + zone.oddities + "]"));
            }
        }
        return text.toString();
    }

    static Name name(String text) {
        String tidy = text.replace("..", ".");
        return Name.fromConstantString(tidy.endsWith(".") ? tidy : tidy + ".");
    }

    @Override
    public void close() throws IOException {
        for (ScriptedNameServer server : open) {
            server.close();
        }
    }
}
