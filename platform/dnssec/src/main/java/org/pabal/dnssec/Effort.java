package org.pabal.dnssec;

/// What checking may cost (CVE-2023-50387, CVE-2023-50868): who checks asks before each piece of
/// work, and gives up when the answer is no.
public interface Effort {

    /// Whatever it costs: for zones that are our own.
    Effort UNBOUNDED =
            new Effort() {
                @Override
                public boolean signature() {
                    return true;
                }

                @Override
                public boolean hash(int rounds) {
                    return true;
                }
            };

    /// Whether one more signature may be verified.
    boolean signature();

    /// Whether so many more rounds of NSEC3 hashing may be done.
    boolean hash(int rounds);
}
