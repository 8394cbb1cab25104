package org.pabal.dns.recursive;

import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;

import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Names that the root and its children know nothing of, and that nobody outside should be asked
/// for: who asks gives away what his house looks like.
///
/// The same that Unbound answers itself, but for `test` (RFC 6761 §6.2 lets a test have its own
/// name servers, and that is what the name is for) and Unbound's own configuration names.
final class SpecialNames {

    private static final long TTL = 10_800;
    private static final Name LOCALHOST = Name.fromConstantString("localhost.");

    private static final List<String> NAMES =
            List.of(
                    "localhost", // RFC 6761 §6.3
                    "invalid", // RFC 6761 §6.4
                    "onion", // RFC 7686 §2
                    "home.arpa", // RFC 8375 §4
                    // RFC 9462 §6.4: what a forwarder says of itself would be taken for ours
                    "resolver.arpa");

    /// RFC 6303 §4: networks that are local everywhere.
    private static final List<String> NETWORKS =
            List.of(
                    "10.in-addr.arpa",
                    "168.192.in-addr.arpa",
                    "0.in-addr.arpa",
                    "127.in-addr.arpa",
                    "254.169.in-addr.arpa",
                    "2.0.192.in-addr.arpa",
                    "100.51.198.in-addr.arpa",
                    "113.0.203.in-addr.arpa",
                    "255.255.255.255.in-addr.arpa",
                    "0.".repeat(32) + "ip6.arpa",
                    "1." + "0.".repeat(31) + "ip6.arpa",
                    "d.f.ip6.arpa",
                    "8.e.f.ip6.arpa",
                    "9.e.f.ip6.arpa",
                    "a.e.f.ip6.arpa",
                    "b.e.f.ip6.arpa",
                    "8.b.d.0.1.0.0.2.ip6.arpa");

    private SpecialNames() {}

    /// @param except names at and below which nothing is special; the root for none at all
    static LocalNames but(Set<Name> except) {
        Set<Name> zones = new HashSet<>();
        zones().map(SpecialNames::name)
                .filter(zone -> except.stream().noneMatch(zone::subdomain))
                .forEach(zones::add);
        List<Record> records =
                loopback().filter(record -> within(zones, record.getName())).toList();
        return new LocalNames(records, zones);
    }

    private static Stream<String> zones() {
        return Stream.of(
                        NAMES.stream(),
                        NETWORKS.stream(),
                        IntStream.rangeClosed(16, 31).mapToObj(i -> i + ".172.in-addr.arpa"),
                        // RFC 7793 §2.1: shared address space
                        IntStream.rangeClosed(64, 127).mapToObj(i -> i + ".100.in-addr.arpa"))
                .flatMap(each -> each);
    }

    private static boolean within(Set<Name> zones, Name name) {
        return zones.stream().anyMatch(name::subdomain);
    }

    private static Stream<Record> loopback() {
        InetAddress four = InetAddress.ofLiteral("127.0.0.1");
        InetAddress six = InetAddress.ofLiteral("::1");
        Name below = Name.fromConstantString("*.localhost.");
        return Stream.of(
                new ARecord(LOCALHOST, DClass.IN, TTL, four),
                new AAAARecord(LOCALHOST, DClass.IN, TTL, six),
                new ARecord(below, DClass.IN, TTL, four),
                new AAAARecord(below, DClass.IN, TTL, six),
                new PTRRecord(name("1.0.0.127.in-addr.arpa"), DClass.IN, TTL, LOCALHOST),
                new PTRRecord(
                        name("1." + "0.".repeat(31) + "ip6.arpa"), DClass.IN, TTL, LOCALHOST));
    }

    private static Name name(String text) {
        return Name.fromConstantString(text + ".");
    }
}
