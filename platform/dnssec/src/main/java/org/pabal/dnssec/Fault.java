package org.pabal.dnssec;

/// What is wrong with something that should be provable, by the codes of RFC 8914 §4.
public enum Fault {
    UNSUPPORTED_ALGORITHM(1),
    UNSUPPORTED_DIGEST(2),
    /// It could not be found out.
    INDETERMINATE(5),
    BOGUS(6),
    EXPIRED(7),
    NOT_YET_VALID(8),
    NO_KEY(9),
    NO_SIGNATURE(10),
    NO_ZONE_KEY(11),
    NO_DENIAL(12),
    ITERATIONS(27);

    private final int code;

    Fault(int code) {
        this.code = code;
    }

    /// The INFO-CODE of an Extended DNS Error.
    public int code() {
        return code;
    }
}
