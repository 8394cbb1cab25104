package org.pabal.dns.recursive;

import java.time.Duration;

/// What one client's request may cost, with everything that is looked up for it: sub-queries,
/// aliases, DNSSEC restarts (security rows D6, D7, D8). Not for several threads at once.
final class Quota {

    /// Queries to other servers.
    static final int FETCHES = 100;

    /// Signatures that are verified.
    static final int SIGNATURES = 64;

    /// Rounds of NSEC3 hashing, all names together.
    static final int HASHES = 5_000;

    /// Questions inside questions: an address for a name server for an address…
    static final int DEPTH = 12;

    /// RFC 1035 §7.2 has clients wait 5 s; most ask again after that.
    static final Duration TIME = Duration.ofSeconds(10);

    private final long end = System.nanoTime() + TIME.toNanos();
    private int fetches = FETCHES;
    private int signatures = SIGNATURES;
    private int hashes = HASHES;
    private int depth = DEPTH;

    /// Whether one more query may be sent.
    boolean fetch() {
        return !over() && fetches-- > 0;
    }

    /// Whether one more signature may be verified.
    boolean signature() {
        return signatures-- > 0;
    }

    /// Whether so many more rounds of hashing may be done.
    boolean hash(int rounds) {
        hashes -= rounds;
        return hashes >= 0;
    }

    /// Goes one question deeper; each success has to be followed by [#rise()].
    boolean descend() {
        if (depth == 0) {
            return false;
        }
        depth--;
        return true;
    }

    void rise() {
        depth++;
    }

    /// Whether no query can be sent any more: what fails now fails for that reason.
    boolean spent() {
        return fetches <= 0 || over();
    }

    /// Whether there was something that it did not allow: what failed may have failed for that
    /// reason, and says nothing of who was asked.
    boolean exceeded() {
        return spent() || signatures < 0 || hashes < 0;
    }

    /// Whether the time is over.
    boolean over() {
        return left().isZero();
    }

    /// The time that is left; zero when it is over.
    Duration left() {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }
}
