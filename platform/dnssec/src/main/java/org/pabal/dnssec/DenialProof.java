package org.pabal.dnssec;

import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.NSECRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;
import org.xbill.DNS.utils.base32;

import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the NSEC and NSEC3 records of one answer prove (RFC 4035 §5.4, RFC 5155 §8, RFC 6840 §4).
///
/// The sets have to be checked already; this is about what follows from them. The hash of each name
/// is worked out once. Not for several threads at once.
public final class DenialProof {

    /// Whether something is proved.
    public enum Verdict {
        PROVED,
        /// It is, unless there is an unsigned delegation in the gap (RFC 5155 §6): insecure.
        OPT_OUT,
        /// The name is at or below a delegation that has provably no DS: insecure.
        UNSIGNED,
        /// Hashing would cost too much (RFC 9276 §3.2): insecure.
        ITERATIONS,
        /// There is no budget left to find out.
        EXHAUSTED,
        NOT_PROVED
    }

    /// What is known of a name at which a zone may begin.
    public enum Cut {
        /// A zone begins there, or may (opt-out), and has no DS.
        UNSIGNED,
        /// The same, or not: hashing would cost too much.
        ITERATIONS,
        /// No zone begins there.
        NONE,
        EXHAUSTED,
        NOT_PROVED
    }

    private static final base32 BASE32 = new base32(base32.Alphabet.BASE32HEX, false, true);
    private static final Name STAR = Name.fromConstantString("*");

    private final Name zone;
    private final List<NSECRecord> open = new ArrayList<>();
    private final List<Hashed> hashed = new ArrayList<>();
    private final int maxIterations;
    private final Effort effort;
    private final Map<Hashing, byte[]> hashes = new HashMap<>();

    /// A name and how it is hashed. While a zone changes its parameters an answer may have records
    /// of both kinds; each is true by itself (RFC 5155 §8.2 lets us choose).
    private record Hashing(Name name, int iterations, ByteBuffer salt) {}

    /// An NSEC3 record and the hash that its owner is.
    private record Hashed(byte[] owner, NSEC3Record record) {

        boolean has(int type) {
            return record.hasType(type);
        }

        boolean optOut() {
            return (record.getFlags() & Denial.OPT_OUT_FLAG) != 0;
        }

        /// RFC 5155 §1.3: the last one points to the first.
        boolean covers(byte[] hash) {
            boolean after = Arrays.compareUnsigned(owner, hash) < 0;
            boolean before = Arrays.compareUnsigned(hash, record.getNext()) < 0;
            boolean last = Arrays.compareUnsigned(owner, record.getNext()) >= 0;
            return last ? (after || before) && !Arrays.equals(owner, hash) : after && before;
        }
    }

    /// RFC 5155 §8.3
    ///
    /// @param match about the closest encloser
    /// @param cover of the next closer name
    private record Encloser(Name name, Hashed match, Hashed cover) {}

    /// The hashes may not cost more than they do.
    private static final class Exhausted extends Exception {
        private static final long serialVersionUID = 1;

        Exhausted() {
            super("no budget left for NSEC3 hashes", null, false, false);
        }
    }

    /// @param zone that the records are signed by
    /// @param sets those of other types, and those that are not from this zone, prove nothing
    /// @param maxIterations above which NSEC3 proves nothing
    public DenialProof(Name zone, Collection<RRset> sets, int maxIterations, Effort effort) {
        this.zone = zone;
        this.maxIterations = maxIterations;
        this.effort = effort;
        for (RRset set : sets) {
            for (Record record : set.rrs(false)) {
                if (record instanceof NSECRecord nsec
                        && nsec.getName().subdomain(zone)
                        && nsec.getNext().subdomain(zone)) {
                    open.add(nsec);
                } else if (record instanceof NSEC3Record nsec3) {
                    hashed(nsec3).ifPresent(hashed::add);
                }
            }
        }
    }

    private Optional<Hashed> hashed(NSEC3Record record) {
        Name owner = record.getName();
        if (owner.labels() != zone.labels() + 1
                || !owner.subdomain(zone)
                // RFC 5155 §8.1, §8.2
                || record.getHashAlgorithm() != NSEC3Record.SHA1_DIGEST_ID
                || (record.getFlags() & ~Denial.OPT_OUT_FLAG) != 0) {
            return Optional.empty();
        }
        byte[] hash = BASE32.fromString(owner.getLabelString(0));
        return hash == null || hash.length != record.getNext().length
                ? Optional.empty()
                : Optional.of(new Hashed(hash, record));
    }

    /// Whether there is anything that could prove something.
    public boolean isEmpty() {
        return open.isEmpty() && hashed.isEmpty();
    }

    // ---- the questions

    /// Does a name not exist, and no wildcard that would stand for it?
    public Verdict noName(Name name) {
        for (NSECRecord nsec : open) {
            if (covers(nsec, name)) {
                Name wildcard = wildcardBelow(closest(nsec, name));
                if (open.stream().anyMatch(each -> covers(each, wildcard))) {
                    return Verdict.PROVED;
                }
            }
        }
        return open.stream().anyMatch(nsec -> unsignedAbove(nsec, name, Type.ANY))
                ? Verdict.UNSIGNED
                : byHash(() -> noHashedName(name));
    }

    /// Does a name have no records of a type, nor an alias?
    public Verdict noRecord(Name name, int type) {
        for (NSECRecord nsec : open) {
            if (nsec.getName().equals(name)) {
                return lacks(nsec, name, type);
            }
            if (emptyNonTerminal(nsec, name)) {
                return Verdict.PROVED;
            }
            if (unsignedAbove(nsec, name, type)) {
                return Verdict.UNSIGNED;
            }
        }
        for (NSECRecord nsec : open) {
            if (covers(nsec, name)) {
                // RFC 4035 §3.1.3.4: a wildcard stands for it, and has no such records
                Name wildcard = wildcardBelow(closest(nsec, name));
                for (NSECRecord other : open) {
                    if (emptyNonTerminal(other, wildcard)
                            || other.getName().equals(wildcard)
                                    && !other.hasType(Type.NS)
                                    && lacks(other, wildcard, type) == Verdict.PROVED) {
                        return Verdict.PROVED;
                    }
                }
            }
        }
        return byHash(() -> noHashedRecord(name, type));
    }

    /// Is there nothing closer to a name than the wildcard below this encloser? RFC 4035 §5.3.4,
    /// RFC 5155 §8.8.
    public Verdict noCloser(Name name, Name closestEncloser) {
        for (NSECRecord nsec : open) {
            if (covers(nsec, name) && closest(nsec, name).equals(closestEncloser)) {
                return Verdict.PROVED;
            }
        }
        return byHash(
                () -> {
                    Optional<Hashed> cover = covering(nextCloser(name, closestEncloser));
                    return cover.isEmpty()
                            ? Verdict.NOT_PROVED
                            : cover.get().optOut() ? Verdict.OPT_OUT : Verdict.PROVED;
                });
    }

    /// The wildcard that would stand for a name, if there is no such name; only from NSEC.
    public Optional<Name> wildcard(Name name) {
        return open.stream()
                .filter(nsec -> covers(nsec, name))
                .findFirst()
                .map(nsec -> wildcardBelow(closest(nsec, name)));
    }

    /// What is at a name for which there is no DS set? RFC 4035 §5.2, RFC 5155 §8.6, §8.9.
    public Cut cut(Name child) {
        for (NSECRecord nsec : open) {
            if (nsec.getName().equals(child)) {
                // RFC 6840 §4.4: that of the child proves nothing about its parent
                return nsec.hasType(Type.DS) || nsec.hasType(Type.SOA)
                        ? Cut.NOT_PROVED
                        : nsec.hasType(Type.NS) ? Cut.UNSIGNED : Cut.NONE;
            }
        }
        if (!open.isEmpty() && noRecord(child, Type.DS) == Verdict.PROVED) {
            return Cut.NONE; // an empty non-terminal, or a wildcard would answer
        }
        if (hashed.isEmpty()) {
            return Cut.NOT_PROVED;
        }
        if (tooManyIterations()) {
            return Cut.ITERATIONS;
        }
        try {
            Optional<Hashed> match = matching(child);
            if (match.isPresent()) {
                return match.get().has(Type.DS) || match.get().has(Type.SOA)
                        ? Cut.NOT_PROVED
                        : match.get().has(Type.NS) ? Cut.UNSIGNED : Cut.NONE;
            }
            Optional<Encloser> encloser = encloser(child);
            return encloser.isPresent() && encloser.get().cover.optOut()
                    ? Cut.UNSIGNED
                    : Cut.NOT_PROVED;
        } catch (Exhausted e) {
            return Cut.EXHAUSTED;
        }
    }

    // ---- NSEC

    /// Whether a name is in the gap that a record is about.
    private static boolean covers(NSECRecord nsec, Name name) {
        Name owner = nsec.getName();
        Name next = nsec.getNext();
        if (owner.equals(name) || elsewhere(nsec, name)) {
            return false;
        }
        if (owner.compareTo(next) >= 0) { // the last one points to the apex
            return owner.compareTo(name) < 0 && name.subdomain(next) && !name.equals(next);
        }
        // what has names below it exists too, RFC 4592 §2.2.2
        return owner.compareTo(name) < 0 && name.compareTo(next) < 0 && !next.subdomain(name);
    }

    /// RFC 6840 §4.1: what is below a cut or a DNAME is not in the zone of the record.
    private static boolean elsewhere(NSECRecord nsec, Name name) {
        return name.subdomain(nsec.getName())
                && !name.equals(nsec.getName())
                && (nsec.hasType(Type.DNAME) || delegation(nsec));
    }

    private static boolean delegation(NSECRecord nsec) {
        return nsec.hasType(Type.NS) && !nsec.hasType(Type.SOA);
    }

    /// Whether a name is below an unsigned delegation, or at it and not about its DS set.
    private static boolean unsignedAbove(NSECRecord nsec, Name name, int type) {
        return delegation(nsec)
                && !nsec.hasType(Type.DS)
                && name.subdomain(nsec.getName())
                && !(type == Type.DS && name.equals(nsec.getName()));
    }

    private static boolean emptyNonTerminal(NSECRecord nsec, Name name) {
        return nsec.getNext().subdomain(name)
                && !nsec.getNext().equals(name)
                && nsec.getName().compareTo(name) < 0
                && !elsewhere(nsec, name);
    }

    /// What the record of a name itself says about a type.
    private static Verdict lacks(NSECRecord nsec, Name name, int type) {
        if (nsec.hasType(type) || nsec.hasType(Type.CNAME)) { // RFC 6840 §4.3
            return Verdict.NOT_PROVED;
        }
        return standing(
                name, type, delegation(nsec), nsec.hasType(Type.SOA), nsec.hasType(Type.DS));
    }

    /// Whether a record at a name is from the right side of a cut to say something about a type.
    private static Verdict standing(
            Name name, int type, boolean delegation, boolean apex, boolean ds) {
        if (type == Type.DS) {
            return apex && !name.equals(Name.root) ? Verdict.NOT_PROVED : Verdict.PROVED;
        }
        if (delegation) { // RFC 6840 §4.1
            return ds ? Verdict.NOT_PROVED : Verdict.UNSIGNED;
        }
        return Verdict.PROVED;
    }

    /// The longest name above that one in the gap which exists.
    private static Name closest(NSECRecord nsec, Name name) {
        Name one = common(nsec.getName(), name);
        Name other = common(nsec.getNext(), name);
        return one.labels() > other.labels() ? one : other;
    }

    private static Name common(Name one, Name other) {
        Name above = one;
        while (!other.subdomain(above)) {
            above = new Name(above, 1);
        }
        return above;
    }

    // ---- NSEC3

    @FunctionalInterface
    private interface HashedProof {
        Verdict verdict() throws Exhausted;
    }

    private Verdict byHash(HashedProof proof) {
        if (hashed.isEmpty()) {
            return Verdict.NOT_PROVED;
        }
        if (tooManyIterations()) {
            return Verdict.ITERATIONS;
        }
        try {
            return proof.verdict();
        } catch (Exhausted e) {
            return Verdict.EXHAUSTED;
        }
    }

    private boolean tooManyIterations() {
        return hashed.stream().anyMatch(each -> each.record.getIterations() > maxIterations);
    }

    /// RFC 5155 §8.4
    private Verdict noHashedName(Name name) throws Exhausted {
        if (matching(name).isPresent()) {
            return Verdict.NOT_PROVED;
        }
        Optional<Encloser> encloser = encloser(name);
        if (encloser.isEmpty()) {
            return below(name);
        }
        if (covering(wildcardBelow(encloser.get().name)).isEmpty()) {
            return Verdict.NOT_PROVED;
        }
        return encloser.get().cover.optOut() ? Verdict.OPT_OUT : Verdict.PROVED; // §9.2
    }

    /// RFC 5155 §8.5, §8.6, §8.7
    private Verdict noHashedRecord(Name name, int type) throws Exhausted {
        Optional<Hashed> match = matching(name);
        if (match.isPresent()) {
            return lacks(match.get(), name, type);
        }
        Optional<Encloser> encloser = encloser(name);
        if (encloser.isEmpty()) {
            return below(name);
        }
        Name wildcard = wildcardBelow(encloser.get().name);
        Optional<Hashed> standsFor = matching(wildcard);
        boolean optOut = encloser.get().cover.optOut();
        if (standsFor.isPresent()) {
            Verdict verdict = lacks(standsFor.get(), wildcard, type);
            return verdict != Verdict.PROVED
                    ? Verdict.NOT_PROVED
                    : optOut ? Verdict.OPT_OUT : Verdict.PROVED;
        }
        return optOut ? Verdict.OPT_OUT : Verdict.NOT_PROVED; // §8.6
    }

    private static Verdict lacks(Hashed at, Name name, int type) {
        if (at.has(type) || at.has(Type.CNAME)) {
            return Verdict.NOT_PROVED;
        }
        return standing(
                name,
                type,
                at.has(Type.NS) && !at.has(Type.SOA),
                at.has(Type.SOA),
                at.has(Type.DS));
    }

    /// RFC 5155 §8.3: the nearest name above one that exists, with the proof that there is none
    /// nearer. What is below a cut or a DNAME is not in this zone.
    private Optional<Encloser> encloser(Name name) throws Exhausted {
        for (int labels = 1; labels <= name.labels() - zone.labels(); labels++) {
            Name candidate = new Name(name, labels);
            Optional<Hashed> match = matching(candidate);
            if (match.isPresent()) {
                if (match.get().has(Type.DNAME)
                        || match.get().has(Type.NS) && !match.get().has(Type.SOA)) {
                    return Optional.empty();
                }
                return covering(new Name(name, labels - 1))
                        .map(cover -> new Encloser(candidate, match.get(), cover));
            }
        }
        return Optional.empty();
    }

    /// Whether a name is below an unsigned delegation.
    private Verdict below(Name name) throws Exhausted {
        for (int labels = 1; labels < name.labels() - zone.labels(); labels++) {
            Optional<Hashed> match = matching(new Name(name, labels));
            if (match.isPresent()) {
                return match.get().has(Type.NS)
                                && !match.get().has(Type.SOA)
                                && !match.get().has(Type.DS)
                        ? Verdict.UNSIGNED
                        : Verdict.NOT_PROVED;
            }
        }
        return Verdict.NOT_PROVED;
    }

    private Optional<Hashed> matching(Name name) throws Exhausted {
        for (Hashed each : hashed) {
            if (Arrays.equals(each.owner, hash(name, each.record))) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    private Optional<Hashed> covering(Name name) throws Exhausted {
        for (Hashed each : hashed) {
            if (each.covers(hash(name, each.record))) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    private byte[] hash(Name name, NSEC3Record parameters) throws Exhausted {
        byte[] salt = parameters.getSalt();
        Hashing hashing =
                new Hashing(
                        name,
                        parameters.getIterations(),
                        ByteBuffer.wrap(salt == null ? new byte[0] : salt));
        byte[] known = hashes.get(hashing);
        if (known != null) {
            return known;
        }
        if (!effort.hash(parameters.getIterations() + 1)) {
            throw new Exhausted();
        }
        try {
            byte[] hash = parameters.hashName(name);
            hashes.put(hashing, hash);
            return hash;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-1, which NSEC3 needs", e);
        }
    }

    // ---- names

    private static Name nextCloser(Name name, Name encloser) {
        return new Name(name, name.labels() - encloser.labels() - 1);
    }

    /// It is never too long: the encloser lacks at least one label of a name that is not.
    private static Name wildcardBelow(Name encloser) {
        try {
            return Name.concatenate(STAR, encloser);
        } catch (NameTooLongException e) {
            throw new IllegalStateException("the wildcard below " + encloser + " is too long", e);
        }
    }
}
