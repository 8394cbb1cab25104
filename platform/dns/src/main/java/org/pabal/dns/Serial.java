package org.pabal.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.SOARecord;

/// Serials of zones, which go round: RFC 1982.
public final class Serial {

    private Serial() {}

    /// Whether a serial is newer than another, RFC 1982 §3.2. Of two that are half the circle apart
    /// neither is.
    public static boolean follows(long next, long before) {
        return (int) (next - before) > 0;
    }

    /// The serial after one, RFC 1982 §3.1: after 4294967295 comes 0, and that is an increase.
    public static long after(long serial) {
        return serial + 1 & 0xFFFFFFFFL;
    }

    /// An SOA with another serial.
    public static SOARecord in(SOARecord soa, long serial) {
        return new SOARecord(
                soa.getName(),
                DClass.IN,
                soa.getTTL(),
                soa.getHost(),
                soa.getAdmin(),
                serial,
                soa.getRefresh(),
                soa.getRetry(),
                soa.getExpire(),
                soa.getMinimum());
    }
}
