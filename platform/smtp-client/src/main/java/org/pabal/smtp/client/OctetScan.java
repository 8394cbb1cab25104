package org.pabal.smtp.client;

/// What stands in a message, found in one pass over its octets. It decides whether the message can
/// go as it is, which nearly all can.
///
/// CR LF ends a line, and so does a CR or an LF alone, which is counted, because that is what
/// [CleanLines] makes of it.
final class OctetScan {

    private long size;
    private long bare;
    private long dots;
    private long longest;
    private boolean nul;
    private boolean highInHeader;
    private boolean highInBody;

    private boolean body;
    private boolean afterCr;
    private long line; // octets of the last line so far

    void add(byte[] octets, int from, int to) {
        size += to - from;
        int i = from;
        if (afterCr && i < to) {
            if (octets[i] == '\n') {
                i++;
            } else {
                bare++;
            }
            afterCr = false;
            endLine();
        }
        while (i < to) {
            if (line == 0 && octets[i] == '.') {
                dots++;
            }
            int end = lineEnd(octets, i, to);
            line += end - i;
            i = end;
            if (i == to) {
                return;
            }
            if (octets[i] == '\n') {
                bare++;
                i++;
            } else if (i + 1 == to) {
                afterCr = true;
                return;
            } else if (octets[i + 1] == '\n') {
                i += 2;
            } else {
                bare++;
                i++;
            }
            endLine();
        }
    }

    /// Says that this was all.
    void end() {
        if (afterCr) {
            afterCr = false;
            bare++;
            endLine();
        }
        longest = Math.max(longest, line);
    }

    /// Where the first CR or LF stands, or `limit`; notices NUL and octets of 128 and above before
    /// it.
    private int lineEnd(byte[] octets, int from, int limit) {
        long seen = 0;
        int i = from;
        while (i <= limit - 8) {
            long eight = (long) LineEnds.EIGHT.get(octets, i);
            long low = LineEnds.low(eight);
            if (low == 0) {
                seen |= eight;
                i += 8;
                continue;
            }
            int bits = Long.numberOfTrailingZeros(low) & ~7;
            seen |= eight & ((1L << bits) - 1);
            i += bits >>> 3;
            if (ends(octets[i])) {
                noticed(seen);
                return i;
            }
            i++;
        }
        while (i < limit && !ends(octets[i])) {
            seen |= octets[i] & 0x80;
            i++;
        }
        noticed(seen);
        return i;
    }

    private boolean ends(byte octet) {
        nul |= octet == 0;
        return octet == '\r' || octet == '\n';
    }

    private void noticed(long seen) {
        if ((seen & LineEnds.HIGH_BITS) != 0) {
            highInBody |= body;
            highInHeader |= !body;
        }
    }

    private void endLine() {
        longest = Math.max(longest, line);
        body |= line == 0;
        line = 0;
    }

    /// Octets as they came.
    long size() {
        return size;
    }

    /// Octets when each line has its CR LF, the last included.
    long cleanSize() {
        return size + bare + (open() ? 2 : 0);
    }

    /// Whether there is a CR or an LF alone.
    boolean bare() {
        return bare > 0;
    }

    /// Whether there is an octet 0.
    boolean nul() {
        return nul;
    }

    /// Whether a line begins with a dot.
    boolean dots() {
        return dots > 0;
    }

    /// Whether the last line has no end.
    boolean open() {
        return line > 0;
    }

    /// Octets of the longest line, without its end.
    long longest() {
        return longest;
    }

    /// Whether the header, that is, what comes before the first empty line, has an octet of 128 or
    /// above.
    boolean highInHeader() {
        return highInHeader;
    }

    boolean highInBody() {
        return highInBody;
    }

    boolean high() {
        return highInHeader || highInBody;
    }
}
