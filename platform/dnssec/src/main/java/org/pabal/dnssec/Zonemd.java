package org.pabal.dnssec;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The digest of a zone, with which whoever has got it can tell that it has got all of it and
/// nothing else (RFC 8976).
public final class Zonemd {

    public static final int TYPE = Type.ZONEMD;

    private static final int SIMPLE = 1;
    private static final int SHA384 = 1;
    private static final int SHA512 = 2;
    private static final int FIXED_OCTETS = 6;
    private static final int MIN_DIGEST_OCTETS = 12;

    /// What a digest says about a zone.
    public enum Verdict {
        /// The zone has no digest.
        ABSENT,
        /// At least one digest is right.
        GOOD,
        /// None is right.
        WRONG,
        /// Those that it has are made in ways that we do not know, or of another serial.
        UNUSABLE
    }

    /// The data of a ZONEMD record, RFC 8976 §2.2.
    private record Parts(long serial, int scheme, int algorithm, byte[] digest) {

        static Optional<Parts> of(Record record) {
            byte[] data = record.rdataToWireCanonical();
            if (data.length < FIXED_OCTETS + MIN_DIGEST_OCTETS) {
                return Optional.empty();
            }
            ByteBuffer in = ByteBuffer.wrap(data);
            Parts parts =
                    new Parts(
                            in.getInt() & 0xFFFFFFFFL,
                            in.get() & 0xFF,
                            in.get() & 0xFF,
                            new byte[data.length - FIXED_OCTETS]);
            in.get(parts.digest);
            return Optional.of(parts);
        }
    }

    private Zonemd() {}

    /// The ZONEMD records of a zone.
    public static Optional<RRset> of(Zone zone) {
        return zone.records(zone.origin(), TYPE).filter(set -> set.size() > 0);
    }

    /// Holds a zone against its digest, RFC 8976 §4.
    ///
    /// Whether the digest itself can be trusted, its signature says; that is for a validator to
    /// find out.
    public static Verdict verify(Zone zone) {
        Optional<RRset> set = of(zone);
        if (set.isEmpty()) {
            return Verdict.ABSENT;
        }
        List<Parts> all =
                set.get().rrs(false).stream().map(Parts::of).flatMap(Optional::stream).toList();
        Verdict verdict = Verdict.UNUSABLE;
        for (Parts parts : all) {
            boolean alone =
                    all.stream()
                                    .filter(
                                            other ->
                                                    other.scheme == parts.scheme
                                                            && other.algorithm == parts.algorithm)
                                    .count()
                            == 1; // §4, step 4: no two of the same kind
            if (alone
                    && parts.serial == zone.serial()
                    && parts.scheme == SIMPLE
                    && (parts.algorithm == SHA384 || parts.algorithm == SHA512)) {
                if (MessageDigest.isEqual(parts.digest, digest(zone, parts.algorithm))) {
                    return Verdict.GOOD;
                }
                verdict = Verdict.WRONG;
            }
        }
        return verdict;
    }

    /// The ZONEMD record of a zone: SIMPLE, SHA-384.
    static Record make(Zone zone) {
        return record(ZoneChange.soa(zone), digest(zone, SHA384));
    }

    /// What stands in the place of the digest while it is made, so that bitmaps know of it.
    static Record placeholder(Name origin) {
        return Record.newRecord(
                origin, TYPE, DClass.IN, 0, new byte[FIXED_OCTETS + MIN_DIGEST_OCTETS]);
    }

    private static Record record(SOARecord soa, byte[] digest) {
        ByteBuffer data = ByteBuffer.allocate(FIXED_OCTETS + digest.length);
        data.putInt((int) soa.getSerial()).put((byte) SIMPLE).put((byte) SHA384).put(digest);
        return Record.newRecord(soa.getName(), TYPE, DClass.IN, soa.getTTL(), data.array());
    }

    /// RFC 8976 §3.3: all records in canonical order and form, but for the digest and what signs
    /// it.
    private static byte[] digest(Zone zone, int algorithm) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance(algorithm == SHA384 ? "SHA-384" : "SHA-512");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-2", e);
        }
        List<RRset> sets;
        try (Stream<RRset> all = zone.all()) {
            sets =
                    all.filter(set -> set.getType() != TYPE || !set.getName().equals(zone.origin()))
                            .sorted(Comparator.comparing(RRset::getName))
                            .toList();
        }
        List<Record> ofName = new ArrayList<>();
        for (int i = 0; i < sets.size(); i++) {
            ofName.addAll(sets.get(i).rrs(false));
            ofName.addAll(sets.get(i).sigs());
            if (i + 1 == sets.size() || !sets.get(i + 1).getName().equals(sets.get(i).getName())) {
                // Record compares by name, class, type and canonical data: RFC 4034 §6.3
                ofName.sort(Comparator.naturalOrder());
                Set<ByteBuffer> once = new HashSet<>();
                for (Record record : ofName) {
                    byte[] wire = record.toWireCanonical();
                    if (once.add(ByteBuffer.wrap(wire))) {
                        digest.update(wire);
                    }
                }
                ofName.clear();
            }
        }
        return digest.digest();
    }
}
