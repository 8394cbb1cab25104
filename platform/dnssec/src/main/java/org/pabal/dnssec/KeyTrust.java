package org.pabal.dnssec;

import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Whether the keys that a zone shows are those that its parent, or a trust anchor, tells of (RFC
/// 4035 §5.2).
public sealed interface KeyTrust {

    /// They are.
    ///
    /// @param ttl seconds for which the set of keys may be kept at most
    record Trusted(ZoneKeys keys, long ttl) implements KeyTrust {}

    /// The parent tells of keys or digests of algorithms alone that we do not know: the zone is to
    /// us as if it were not signed (RFC 4035 §5.2, RFC 6840 §5.2).
    record Unsupported(Fault fault, String why) implements KeyTrust {}

    /// They are not.
    record Untrusted(Fault fault, String why, boolean exhausted) implements KeyTrust {}

    /// Whether there is anything among what is told that we can check: if not, the keys need not be
    /// looked up.
    static boolean usable(Collection<? extends Record> told) {
        return told.stream().anyMatch(KeyTrust::usable);
    }

    /// Why nothing of it is usable.
    static Unsupported unsupported(Name zone, Collection<? extends Record> told) {
        boolean byAlgorithm =
                told.stream().noneMatch(each -> Algorithms.canVerify(algorithm(each)));
        return new Unsupported(
                byAlgorithm ? Fault.UNSUPPORTED_ALGORITHM : Fault.UNSUPPORTED_DIGEST,
                zone
                        + " DS: no "
                        + (byAlgorithm ? "algorithm" : "digest type")
                        + " that could be checked");
    }

    /// Compares.
    ///
    /// @param shown the DNSKEY set with its signatures
    /// @param told DS records, or DNSKEY records of a trust anchor
    static KeyTrust of(RRset shown, Collection<? extends Record> told, Instant now, Effort effort) {
        Name zone = shown.getName();
        if (!usable(told)) {
            return unsupported(zone, told);
        }
        // RFC 4509 §3: a digest that is broken is no reason to believe when there is a better one
        int strongest =
                told.stream()
                        .filter(KeyTrust::usable)
                        .mapToInt(each -> each instanceof DSRecord ds ? ds.getDigestID() : 0)
                        .max()
                        .orElse(0);
        List<DNSKEYRecord> keys =
                shown.rrs(false).stream()
                        .filter(DNSKEYRecord.class::isInstance)
                        .map(DNSKEYRecord.class::cast)
                        .toList();
        List<DNSKEYRecord> matching = new ArrayList<>();
        int compared = 0;
        for (Record each : told) {
            if (!usable(each) || each instanceof DSRecord ds && ds.getDigestID() != strongest) {
                continue;
            }
            int sameTag = 0;
            for (DNSKEYRecord key : keys) {
                if (!ZoneKeys.signs(key) || !sameTag(each, key)) {
                    continue;
                }
                if (sameTag++ == ZoneKeys.SAME_TAG || compared == ZoneKeys.CHECKS) {
                    break;
                }
                compared++;
                if (matches(each, key)) {
                    matching.add(key);
                }
            }
        }
        ZoneKeys all = new ZoneKeys(zone, keys);
        if (matching.isEmpty()) {
            return new Untrusted(
                    all.anyWithoutZoneBit() ? Fault.NO_ZONE_KEY : Fault.NO_KEY,
                    zone
                            + " DNSKEY: none of "
                            + keys.size()
                            + " keys is one that "
                            + (strongest == 0 ? "the trust anchor" : "the DS set")
                            + " tells of",
                    false);
        }
        return switch (new ZoneKeys(zone, matching).verify(shown, now, effort)) {
            case ZoneKeys.Good good -> new Trusted(all, good.ttl());
            case ZoneKeys.Bad bad -> new Untrusted(bad.fault(), bad.why(), bad.exhausted());
        };
    }

    private static boolean usable(Record told) {
        return Algorithms.canVerify(algorithm(told))
                && !(told instanceof DSRecord ds && !Algorithms.canDigest(ds.getDigestID()));
    }

    private static int algorithm(Record told) {
        return switch (told) {
            case DSRecord ds -> ds.getAlgorithm();
            case DNSKEYRecord key -> key.getAlgorithm();
            default ->
                    throw new IllegalArgumentException(
                            told.getName() + " " + Type.string(told.getType()) + ": not a key");
        };
    }

    private static boolean sameTag(Record told, DNSKEYRecord key) {
        int tag =
                told instanceof DSRecord ds
                        ? ds.getFootprint()
                        : ((DNSKEYRecord) told).getFootprint();
        return tag == key.getFootprint() && algorithm(told) == key.getAlgorithm();
    }

    /// Whether a record tells of exactly this key.
    static boolean matches(Record told, DNSKEYRecord key) {
        if (!sameTag(told, key) || !told.getName().equals(key.getName())) {
            return false;
        }
        if (told instanceof DSRecord ds) {
            DSRecord own = new DSRecord(key.getName(), key.getDClass(), 0, ds.getDigestID(), key);
            return MessageDigest.isEqual(own.getDigest(), ds.getDigest());
        }
        return MessageDigest.isEqual(((DNSKEYRecord) told).getKey(), key.getKey());
    }
}
