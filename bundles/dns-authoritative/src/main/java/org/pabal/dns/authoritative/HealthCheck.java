package org.pabal.dns.authoritative;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// How one finds out whether somebody is at an address: `tcp PORT` accepts a connection,
/// `http PORT PATH` answers GET with 200; after that perhaps `every 30 s`.
///
/// @param path for HTTP
record HealthCheck(int port, Optional<String> path, Duration every) {

    static final String EXAMPLE = "www.example.org 192.0.2.1 192.0.2.2 http 80 /health every 10 s";

    private static final Duration EVERY = Duration.ofSeconds(10);
    private static final int MAX_PATH = 1_000;

    /// @param words what follows the addresses
    /// @throws IllegalArgumentException with what was expected
    static HealthCheck parse(List<String> words) {
        boolean http = !words.isEmpty() && words.getFirst().equals("http");
        int own = http ? 3 : 2;
        if (words.size() < own || !http && !words.getFirst().equals("tcp")) {
            throw new IllegalArgumentException(
                    "after the addresses tcp PORT or http PORT PATH, then perhaps every TIME");
        }
        if (!words.get(1).matches("[1-9]\\d{0,4}") || Integer.parseInt(words.get(1)) > 0xFFFF) {
            throw new IllegalArgumentException("a port from 1 to 65535");
        }
        Optional<String> path = http ? Optional.of(words.get(2)) : Optional.empty();
        // RFC 9112 §3.2.1; the words have no blanks, so nothing can be smuggled into the request.
        if (path.isPresent() && !path.get().matches("/[!-~]{0," + MAX_PATH + "}")) {
            throw new IllegalArgumentException("a path that begins with / and is ASCII");
        }
        return new HealthCheck(
                Integer.parseInt(words.get(1)), path, every(words.subList(own, words.size())));
    }

    private static Duration every(List<String> words) {
        if (words.isEmpty()) {
            return EVERY;
        }
        String time = String.join("", words);
        if (time.matches("every\\d{1,4}(s|m)")) {
            long amount = Long.parseLong(time.replaceAll("\\D", ""));
            long seconds = time.endsWith("m") ? 60 * amount : amount;
            if (seconds >= 1 && seconds <= 3600) {
                return Duration.ofSeconds(seconds);
            }
        }
        throw new IllegalArgumentException("every and a time from 1 s to 60 m");
    }

    /// Addresses at which nobody can be.
    static boolean isNowhere(InetAddress address) {
        byte[] octets = address.getAddress();
        return address.isAnyLocalAddress()
                || address.isMulticastAddress()
                || address instanceof Inet4Address
                        && ((octets[0] & 0xFF) == 0 || (octets[0] & 0xFF) >= 240);
    }

    /// Addresses of this machine and of private networks (RFC 1918, RFC 4193, RFC 6598), which a
    /// stranger has no business to reach through us.
    static boolean isPrivate(InetAddress address) {
        byte[] octets = address.getAddress();
        if (address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()) {
            return true;
        }
        if (octets.length == 4) {
            return (octets[0] & 0xFF) == 100 && (octets[1] & 0xC0) == 64;
        }
        return (octets[0] & 0xFE) == 0xFC
                || embedded(octets).map(HealthCheck::isPrivate).orElse(false);
    }

    /// The IPv4 address that a translator would make of an IPv6 address: 64:ff9b::/96 (RFC 6052),
    /// 2002::/16 (RFC 3056).
    private static Optional<InetAddress> embedded(byte[] octets) {
        boolean translated =
                Arrays.equals(
                        octets,
                        0,
                        12,
                        new byte[] {0, 0x64, (byte) 0xFF, (byte) 0x9B, 0, 0, 0, 0, 0, 0, 0, 0},
                        0,
                        12);
        boolean sixToFour = octets[0] == 0x20 && octets[1] == 0x02;
        if (!translated && !sixToFour) {
            return Optional.empty();
        }
        int at = translated ? 12 : 2;
        try {
            return Optional.of(InetAddress.getByAddress(Arrays.copyOfRange(octets, at, at + 4)));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four octets are an address", e);
        }
    }

    @Override
    public String toString() {
        return (path.isPresent() ? "http " : "tcp ")
                + port
                + path.map(p -> " " + p).orElse("")
                + " every "
                + every.toSeconds()
                + " s";
    }
}
