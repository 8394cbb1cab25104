package org.pabal.dns.authoritative;

/// Serials of zones, which go round: RFC 1982.
final class Serial {

    private Serial() {}

    /// Whether a serial is newer than another, RFC 1982 §3.2. Of two that are half the circle apart
    /// neither is.
    static boolean follows(long next, long before) {
        int distance = (int) (next - before);
        return distance > 0;
    }
}
