package org.pabal.delivery;

import java.time.Duration;

/// Times and sizes as an administrator says them.
final class Words {

    private Words() {}

    /// `5 d`, `3 h`, `12 m`, `7 s`: the largest unit that is not a fraction.
    static String duration(Duration length) {
        if (length.toDays() >= 2) {
            return length.toDays() + " d";
        }
        if (length.toHours() >= 2) {
            return length.toHours() + " h";
        }
        return length.toMinutes() >= 2
                ? length.toMinutes() + " m"
                : Math.max(0, length.toSeconds()) + " s";
    }

    /// In powers of ten, as RFC 1870 counts.
    static String octets(long octets) {
        if (octets >= 10_000_000) {
            return octets / 1_000_000 + " MB";
        }
        return octets >= 10_000 ? octets / 1_000 + " KB" : octets + " B";
    }
}
