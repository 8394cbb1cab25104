package org.pabal.dnssec;

import org.pabal.dns.ZoneKey;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;

import java.time.Instant;
import java.util.List;

/// Makes many signatures. Whoever has threads may use them.
public interface SignatureMaker {

    /// One after the other, on the thread that asks.
    SignatureMaker HERE = wanted -> wanted.stream().map(Wanted::make).toList();

    /// A signature that is to be made.
    ///
    /// @param set the records, without signatures
    record Wanted(RRset set, ZoneKey key, Instant inception, Instant expiration) {

        public RRSIGRecord make() {
            try {
                return DNSSEC.sign(set, key.dnskey(), key.secret(), inception, expiration);
            } catch (DNSSEC.DNSSECException e) {
                throw new IllegalStateException(key + ": cannot sign: " + e.getMessage(), e);
            }
        }
    }

    /// The signatures, in the order of what is wanted.
    List<RRSIGRecord> make(List<Wanted> wanted);
}
