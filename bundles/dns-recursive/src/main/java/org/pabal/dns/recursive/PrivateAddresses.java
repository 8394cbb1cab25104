package org.pabal.dns.recursive;

import org.pabal.dns.server.Networks;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Addresses that mean something else, or nothing, to whoever is not here.
final class PrivateAddresses {

    private static final Networks NETWORKS =
            Networks.of(
                    List.of(
                            "0.0.0.0/8", // RFC 1122 §3.2.1.3
                            "10.0.0.0/8", // RFC 1918
                            "100.64.0.0/10", // RFC 6598
                            "127.0.0.0/8", // RFC 1122 §3.2.1.3
                            "169.254.0.0/16", // RFC 3927
                            "172.16.0.0/12",
                            "192.168.0.0/16",
                            "255.255.255.255",
                            "::", // RFC 4291 §2.5
                            "::1",
                            "fc00::/7", // RFC 4193
                            "fe80::/10", // RFC 4291 §2.5.6
                            "fec0::/10", // RFC 3879: once site-local
                            "64:ff9b:1::/48" // RFC 8215
                            ));

    private PrivateAddresses() {}

    /// Whether it is one, or an IPv6 address that leads to one.
    ///
    /// @param address 4 or 16 octets
    static boolean contain(byte[] address) {
        return NETWORKS.contain(ByteBuffer.wrap(address))
                || address.length == 16
                        && embedded(address)
                                .anyMatch(four -> NETWORKS.contain(ByteBuffer.wrap(four)));
    }

    /// The same where translators have a prefix of their own.
    static boolean contain(byte[] address, Optional<Nat64Prefix> prefix) {
        return contain(address)
                || prefix.flatMap(each -> each.extract(address))
                        .filter(PrivateAddresses::contain)
                        .isPresent();
    }

    /// The IPv4 addresses that an IPv6 address may lead to.
    private static Stream<byte[]> embedded(byte[] six) {
        if (allZero(six, 10) && (six[10] == 0 && six[11] == 0 || six[10] == -1 && six[11] == -1)) {
            return Stream.of(Arrays.copyOfRange(six, 12, 16)); // RFC 4291 §2.5.5
        }
        if (six[0] == 0x20 && six[1] == 0x02) {
            return Stream.of(Arrays.copyOfRange(six, 2, 6)); // RFC 3056 §2
        }
        return Nat64Prefix.WELL_KNOWN.extract(six).stream();
    }

    private static boolean allZero(byte[] octets, int count) {
        for (int i = 0; i < count; i++) {
            if (octets[i] != 0) {
                return false;
            }
        }
        return true;
    }
}
