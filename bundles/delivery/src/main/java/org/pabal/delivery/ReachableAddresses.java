package org.pabal.delivery;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// Which addresses mail may be carried to when it is a stranger's DNS that names them.
///
/// Without this rule anybody with a domain could have us speak SMTP with our own machines: an MX
/// that points to 127.0.0.1 or 10.0.0.1 costs nothing (security row S24). Hosts that the
/// administrator names are not asked about here.
///
/// @param privateDestinations whether loopback and private networks are allowed too, as
///     laboratories want; what no host can have is never allowed
record ReachableAddresses(boolean privateDestinations) implements Predicate<InetAddress> {

    private record Network(byte[] base, int bits) {

        static Network of(String text) {
            int slash = text.indexOf('/');
            return new Network(
                    InetAddress.ofLiteral(text.substring(0, slash)).getAddress(),
                    Integer.parseInt(text.substring(slash + 1)));
        }

        boolean contains(byte[] address) {
            int whole = bits / 8;
            int rest = bits % 8;
            return address.length == base.length
                    && Arrays.equals(base, 0, whole, address, 0, whole)
                    && (rest == 0 || (base[whole] ^ address[whole]) >> (8 - rest) == 0);
        }
    }

    private static final List<Network> NOBODY =
            networks(
                    "0.0.0.0/8", // RFC 1122 §3.2.1.3
                    "169.254.0.0/16", // RFC 3927; cloud hosts keep their secrets at one of these
                    "224.0.0.0/4", // multicast
                    "240.0.0.0/4", // reserved, and the broadcast address
                    "::/128", // RFC 4291 §2.5.2
                    "100::/64", // discard-only
                    "fe80::/10", // RFC 4291 §2.5.6
                    "ff00::/8"); // multicast

    private static final List<Network> PRIVATE =
            networks(
                    "10.0.0.0/8", // RFC 1918
                    "100.64.0.0/10", // RFC 6598
                    "127.0.0.0/8", // RFC 1122 §3.2.1.3
                    "172.16.0.0/12", // RFC 1918
                    "192.0.0.0/24", // protocol assignments
                    "192.0.2.0/24", // RFC 5737
                    "192.88.99.0/24", // once the relays of RFC 3056
                    "192.168.0.0/16", // RFC 1918
                    "198.18.0.0/15", // benchmarks
                    "198.51.100.0/24", // RFC 5737
                    "203.0.113.0/24", // RFC 5737
                    "::1/128", // RFC 4291 §2.5.3
                    "64:ff9b:1::/48", // RFC 8215
                    "2001:db8::/32", // documentation
                    "3fff::/20", // documentation
                    "5f00::/16", // segment routing
                    "fc00::/7", // RFC 4193
                    "fec0::/10"); // once site-local

    private static final Network COMPATIBLE = Network.of("::/96");

    /// RFC 4291 §2.5.5.2; made of octets, as Java reads the text as an IPv4 address.
    private static final Network MAPPED =
            new Network(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 0, 0}, 96);

    private static final Network NAT64 = Network.of("64:ff9b::/96");
    private static final Network SIX_TO_FOUR = Network.of("2002::/16");
    private static final Network TEREDO = Network.of("2001::/32");

    @Override
    public boolean test(InetAddress address) {
        byte[] octets = address.getAddress();
        return allowed(octets) && embedded(octets).map(this::allowed).orElse(true);
    }

    /// Whether this machine has the address, so that mail would come back to it. Not so for the
    /// many addresses of the loopback network, but for those that are set up.
    static boolean onThisMachine(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return false;
        }
    }

    private boolean allowed(byte[] address) {
        return NOBODY.stream().noneMatch(network -> network.contains(address))
                && (privateDestinations
                        || PRIVATE.stream().noneMatch(network -> network.contains(address)));
    }

    /// The IPv4 address to which packets for an IPv6 address go in the end.
    private static Optional<byte[]> embedded(byte[] six) {
        if (six.length != 16) {
            return Optional.empty();
        }
        if (NAT64.contains(six)
                || MAPPED.contains(six)
                || COMPATIBLE.contains(six) && !loopback(six)) {
            return Optional.of(Arrays.copyOfRange(six, 12, 16)); // RFC 6052 §2.2
        }
        if (SIX_TO_FOUR.contains(six)) {
            return Optional.of(Arrays.copyOfRange(six, 2, 6)); // RFC 3056 §2
        }
        if (TEREDO.contains(six)) {
            byte[] client = Arrays.copyOfRange(six, 12, 16);
            for (int i = 0; i < client.length; i++) {
                client[i] ^= (byte) 0xFF;
            }
            return Optional.of(client);
        }
        return Optional.empty();
    }

    private static boolean loopback(byte[] six) {
        return six[15] == 1 && six[14] == 0 && six[13] == 0 && six[12] == 0;
    }

    private static List<Network> networks(String... texts) {
        return Arrays.stream(texts).map(Network::of).toList();
    }
}
