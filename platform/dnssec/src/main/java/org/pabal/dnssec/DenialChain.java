package org.pabal.dnssec;

import org.pabal.dns.Zone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.NSEC3PARAMRecord;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.NSECRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.utils.base32;

import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The NSEC or NSEC3 records of one version of a zone: which names have one, and what is in it.
final class DenialChain {

    /// RFC 5155 §3.3
    private static final base32 BASE32 = new base32(base32.Alphabet.BASE32HEX, false, true);

    private static final NSEC3PARAMRecord PARAMETERS =
            new NSEC3PARAMRecord(
                    Name.root, DClass.IN, 0, NSEC3Record.SHA1_DIGEST_ID, 0, 0, new byte[0]);

    private final Zone zone;
    private final Denial denial;
    private final long ttl;

    /// @param zone with every set that the version will have, but for the chain
    DenialChain(Zone zone, SOARecord soa, Denial denial) {
        this.zone = zone;
        this.denial = denial;
        // RFC 9077 §3: the lesser of the SOA's TTL and MINIMUM
        this.ttl = Math.min(soa.getTTL(), soa.getMinimum());
    }

    int type() {
        return denial.hashed() ? Type.NSEC3 : Type.NSEC;
    }

    /// Where the record that is about a name stands.
    Name owner(Name name) {
        return denial.hashed() ? hashed(name, zone.origin()) : name;
    }

    /// Whether a name is in the chain.
    boolean includes(Name name) {
        if (!zone.exists(name) || occluded(zone, name)) {
            return false;
        }
        if (types(name).length > 0) {
            // RFC 5155 §6: opt-out passes over what is delegated without DS
            return denial != Denial.NSEC3_OPT_OUT
                    || !cut(zone, name)
                    || zone.records(name, Type.DS).isPresent();
        }
        // An empty non-terminal, RFC 5155 §7.1; or a name that has nothing but a link of a chain.
        return denial.hashed() && emptyNonTerminal(name);
    }

    /// The record about a name, which points to the next owner in the chain.
    Record link(Name name, Name next) {
        int[] types = types(name);
        if (!denial.hashed()) {
            // RFC 4034 §4.1.2, RFC 4035 §2.3: it and its signature are always there
            return new NSECRecord(name, DClass.IN, ttl, next, with(types, Type.NSEC, Type.RRSIG));
        }
        boolean signed = types.length > 0 && !(cut(zone, name) && !contains(types, Type.DS));
        return new NSEC3Record(
                owner(name),
                DClass.IN,
                ttl,
                NSEC3Record.SHA1_DIGEST_ID,
                denial.flags(),
                0,
                new byte[0],
                hash(next),
                signed ? with(types, Type.RRSIG) : types);
    }

    /// The same record, pointing elsewhere.
    Record pointing(Record link, Name next) {
        return link instanceof NSECRecord nsec
                ? new NSECRecord(nsec.getName(), DClass.IN, ttl, next, nsec.getTypes())
                : pointing((NSEC3Record) link, next);
    }

    private Record pointing(NSEC3Record link, Name next) {
        return new NSEC3Record(
                link.getName(),
                DClass.IN,
                ttl,
                link.getHashAlgorithm(),
                denial.flags(),
                0,
                new byte[0],
                hash(next),
                link.getTypes());
    }

    /// The owner that a record of the chain points to.
    Name next(Record link) {
        return link instanceof NSECRecord nsec
                ? nsec.getNext()
                : below(((NSEC3Record) link).getNext(), zone.origin());
    }

    /// The types that a bitmap tells of, without those that come with signing. At a cut only those
    /// that the parent answers for (RFC 4035 §2.3).
    private int[] types(Name name) {
        boolean cut = cut(zone, name);
        try (Stream<RRset> sets = zone.at(name)) {
            return sets.mapToInt(RRset::getType)
                    .filter(type -> type != Type.NSEC && type != Type.NSEC3)
                    .filter(type -> !cut || type == Type.NS || type == Type.DS)
                    .sorted()
                    .toArray();
        }
    }

    private boolean emptyNonTerminal(Name name) {
        try (Stream<RRset> sets = zone.at(name)) {
            return sets.findAny().isEmpty();
        }
    }

    private static int[] with(int[] types, int... more) {
        return IntStream.concat(Arrays.stream(types), Arrays.stream(more)).sorted().toArray();
    }

    private static boolean contains(int[] types, int wanted) {
        return Arrays.stream(types).anyMatch(type -> type == wanted);
    }

    /// Whether another zone begins at a name.
    static boolean cut(Zone zone, Name name) {
        return !name.equals(zone.origin()) && zone.records(name, Type.NS).isPresent();
    }

    /// Whether a name is below a cut or a DNAME, and no business of this zone.
    static boolean occluded(Zone zone, Name name) {
        for (int labels = 1; labels <= name.labels() - zone.origin().labels(); labels++) {
            Name above = new Name(name, labels);
            if (cut(zone, above) || zone.records(above, Type.DNAME).isPresent()) {
                return true;
            }
        }
        return false;
    }

    /// Whether the records of a set are signed: what the zone is the authority for (RFC 4035 §2.2).
    static boolean signed(Zone zone, Name name, int type) {
        if (type == Type.NSEC3) {
            return true;
        }
        return (!cut(zone, name) || type == Type.DS || type == Type.NSEC) && !occluded(zone, name);
    }

    /// The names above a name, up to and without the apex.
    static List<Name> above(Name name, Name origin) {
        return IntStream.range(1, Math.max(1, name.labels() - origin.labels()))
                .mapToObj(labels -> new Name(name, labels))
                .toList();
    }

    /// The owner of the NSEC3 record about a name.
    static Name hashed(Name name, Name origin) {
        try {
            return below(PARAMETERS.hashName(name), origin);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-1, which NSEC3 needs", e);
        }
    }

    private static Name below(byte[] hash, Name origin) {
        try {
            return Name.concatenate(Name.fromString(BASE32.toString(hash)), origin);
        } catch (TextParseException | NameTooLongException e) {
            throw new IllegalArgumentException(
                    "zone " + origin + ": its name is too long for NSEC3", e);
        }
    }

    private static byte[] hash(Name owner) {
        return BASE32.fromString(owner.getLabelString(0));
    }
}
