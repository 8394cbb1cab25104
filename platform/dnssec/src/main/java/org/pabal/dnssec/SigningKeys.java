package org.pabal.dnssec;

import org.pabal.dns.ZoneKey;
import org.xbill.DNS.CDNSKEYRecord;
import org.xbill.DNS.CDSRecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.List;

/// Which keys do what in a zone, at one moment.
///
/// @param published those that are in the DNSKEY set
/// @param signKeys those that sign the DNSKEY, CDS and CDNSKEY sets
/// @param signZone those that sign everything else
/// @param atParent those that the parent is asked to have a DS record of (RFC 7344)
/// @param leaving whether the parent is asked to have none, because signing is to end (RFC 8078 §4)
public record SigningKeys(
        List<ZoneKey> published,
        List<ZoneKey> signKeys,
        List<ZoneKey> signZone,
        List<ZoneKey> atParent,
        boolean leaving) {

    public SigningKeys {
        published = List.copyOf(published);
        signKeys = List.copyOf(signKeys);
        signZone = List.copyOf(signZone);
        atParent = List.copyOf(atParent);
    }

    /// The keys that sign a set of the zone's apex or elsewhere.
    List<ZoneKey> signersOf(int type) {
        return switch (type) {
            // RFC 7344 §4.1: CDS and CDNSKEY are signed by what the present DS records name
            case Type.DNSKEY, Type.CDS, Type.CDNSKEY -> signKeys;
            default -> signZone;
        };
    }

    /// The DNSKEY, CDS or CDNSKEY records that the zone should have.
    List<Record> records(Name origin, int type) {
        List<Record> records = new ArrayList<>();
        if (type == Type.DNSKEY) {
            published.forEach(key -> records.add(key.dnskey()));
        } else if (leaving) {
            records.add(removal(origin, type, published.getFirst().dnskey().getTTL()));
        } else {
            for (ZoneKey key : atParent) {
                records.add(
                        type == Type.CDS
                                ? new CDSRecord(
                                        origin,
                                        DClass.IN,
                                        key.dnskey().getTTL(),
                                        DNSSEC.Digest.SHA256,
                                        key.dnskey())
                                : new CDNSKEYRecord(
                                        origin,
                                        DClass.IN,
                                        key.dnskey().getTTL(),
                                        key.dnskey().getFlags(),
                                        DNSKEYRecord.Protocol.DNSSEC,
                                        key.algorithm(),
                                        key.dnskey().getKey()));
            }
        }
        return records;
    }

    /// RFC 8078 §4: `CDS 0 0 0 00` and `CDNSKEY 0 3 0 AA==`.
    private static Record removal(Name origin, int type, long ttl) {
        byte[] zero = {0};
        return type == Type.CDS
                ? new CDSRecord(origin, DClass.IN, ttl, 0, 0, 0, zero)
                : new CDNSKEYRecord(
                        origin, DClass.IN, ttl, 0, DNSKEYRecord.Protocol.DNSSEC, 0, zero);
    }
}
