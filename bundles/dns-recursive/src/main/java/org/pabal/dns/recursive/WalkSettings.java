package org.pabal.dns.recursive;

import org.pabal.settings.Settings;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// How the walk is done, as `etc/org.pabal.dns.recursive.cfg` says.
///
/// @param qnameMinimisation whether servers are asked for no more than they need to know (RFC 9156)
/// @param privateUpstreams whether servers that the walk finds may be at loopback and private
///     addresses; those that an administrator named may always
/// @param port at which the servers are that the walk finds
/// @param ipv6 whether servers are asked by IPv6 too
/// @param serveStale whether something whose TTL is over is better than nothing (RFC 8767)
/// @param staleAnswerTimer after which a client gets that while we are still looking (RFC 8767 §5)
/// @param maxWalks questions that are looked up at the same time
/// @param maxRefreshes of those, how many may be early renewals
record WalkSettings(
        boolean qnameMinimisation,
        boolean privateUpstreams,
        int port,
        boolean ipv6,
        boolean serveStale,
        Duration staleAnswerTimer,
        int maxWalks,
        int maxRefreshes) {

    /// RFC 8767 §5 recommends 1.8 s, just under what clients wait before they ask again.
    private static final Duration STALE_ANSWER_TIMER = Duration.ofMillis(1800);

    private static final int DNS = 53;

    static WalkSettings of(Settings settings) {
        return new WalkSettings(
                settings.flag("qname-minimisation", true),
                settings.flag("private-upstreams", false),
                (int) settings.number("upstream-port", DNS, 1, 65_535),
                switch (settings.choice("ipv6", "auto", "auto", "yes", "no")) {
                    case "yes" -> true;
                    case "no" -> false;
                    default -> hasIpv6();
                },
                settings.flag("serve-stale", true),
                STALE_ANSWER_TIMER,
                (int) settings.number("max-walks", 2_000, 10, 1_000_000),
                (int) settings.number("max-refreshes", 50, 0, 10_000));
    }

    /// The root name servers: of the file that `root-hints` names, or those that we know.
    ///
    /// @param home what relative files are in
    static RootHints hints(Settings settings, Path home) {
        Optional<String> file = settings.text("root-hints");
        if (file.isEmpty()) {
            return RootHints.builtIn();
        }
        try {
            return RootHints.of(home.resolve(file.get()));
        } catch (IOException | IllegalArgumentException e) {
            throw settings.bad(
                    "root-hints",
                    file.get() + " (" + Settings.why(e) + ")",
                    "a file in the form of https://www.internic.net/domain/named.root",
                    "etc/named.root");
        }
    }

    /// Whether a server that the walk found may be asked. An attacker could else have us ask the
    /// machines of our own network.
    boolean mayAsk(InetAddress address) {
        if (address instanceof Inet6Address && !ipv6 || address.isAnyLocalAddress()) {
            return false;
        }
        return !address.isMulticastAddress() && (privateUpstreams || !isPrivate(address));
    }

    /// Private, or of 240/4, which nobody has (RFC 1122 §3.2.1.3).
    static boolean isPrivate(InetAddress address) {
        byte[] octets = address.getAddress();
        return PrivateAddresses.contain(octets) || octets.length == 4 && (octets[0] & 0xff) >= 240;
    }

    private static boolean hasIpv6() {
        try {
            return NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .anyMatch(
                            address ->
                                    address instanceof Inet6Address
                                            && !address.isLoopbackAddress()
                                            && !address.isLinkLocalAddress());
        } catch (SocketException e) {
            return false; // nobody can say: IPv4 is what works everywhere
        }
    }
}
