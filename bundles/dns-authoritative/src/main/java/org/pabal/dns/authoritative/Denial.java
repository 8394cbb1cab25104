package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.NSEC3PARAMRecord;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.utils.base32;

import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Proves what a signed zone does not have, to a client that validates: with NSEC (RFC 4035 §3.1.3)
/// or with NSEC3 (RFC 5155 §7.2).
///
/// What it cannot prove, because a record of the chain is missing, it leaves out: a zone that was
/// signed by somebody else is served as it is. Some record sets may be found more than once.
sealed interface Denial {

    /// The name has no record of the type (RFC 4035 §3.1.3.1, RFC 5155 §7.2.3 and §7.2.4).
    ///
    /// @param name exists
    List<RRset> noSuchRecord(Name name);

    /// Neither the name exists nor a wildcard that speaks for it (RFC 4035 §3.1.3.2, RFC 5155
    /// §7.2.2).
    ///
    /// @param encloser the nearest of the name's ancestors that exists
    List<RRset> noSuchName(Name name, Name encloser);

    /// The name does not exist, and the answer is a wildcard's (RFC 4035 §3.1.3.3, RFC 5155
    /// §7.2.6).
    List<RRset> onlyWildcard(Name name, Name encloser);

    /// The name does not exist, and the wildcard that speaks for it has no record of the type (RFC
    /// 4035 §3.1.3.4, RFC 5155 §7.2.5).
    List<RRset> noSuchRecordAtWildcard(Name name, Name encloser);

    /// How a zone proves; nothing is proved in one that is not signed.
    static Denial of(Zone zone) {
        Optional<RRset> parameters = zone.records(zone.origin(), Type.NSEC3PARAM);
        if (parameters.isPresent()) {
            // RFC 5155 §4: who serves takes one whose flags are zero, any of them.
            return parameters.get().rrs(false).stream()
                    .map(NSEC3PARAMRecord.class::cast)
                    .filter(each -> each.getFlags() == 0)
                    .filter(each -> each.getHashAlgorithm() == NSEC3Record.Digest.SHA1)
                    .findFirst()
                    .<Denial>map(each -> new ByHash(zone, each))
                    .orElseGet(Nothing::new);
        }
        return zone.records(zone.origin(), Type.NSEC).isPresent()
                ? new ByName(zone)
                : new Nothing();
    }

    record Nothing() implements Denial {

        @Override
        public List<RRset> noSuchRecord(Name name) {
            return List.of();
        }

        @Override
        public List<RRset> noSuchName(Name name, Name encloser) {
            return List.of();
        }

        @Override
        public List<RRset> onlyWildcard(Name name, Name encloser) {
            return List.of();
        }

        @Override
        public List<RRset> noSuchRecordAtWildcard(Name name, Name encloser) {
            return List.of();
        }
    }

    /// NSEC: each record says which name comes after its owner, and what its owner has. The one at
    /// the name itself and the one that spans an empty non-terminal prove the same.
    record ByName(Zone zone) implements Denial {

        @Override
        public List<RRset> noSuchRecord(Name name) {
            return at(name).toList();
        }

        @Override
        public List<RRset> noSuchName(Name name, Name encloser) {
            return Stream.concat(at(name), at(wildcard(name, encloser))).toList();
        }

        @Override
        public List<RRset> onlyWildcard(Name name, Name encloser) {
            return at(name).toList();
        }

        @Override
        public List<RRset> noSuchRecordAtWildcard(Name name, Name encloser) {
            return Stream.concat(at(wildcard(name, encloser)), at(name)).toList();
        }

        private Stream<RRset> at(Name name) {
            return zone.matchingOrCovering(name, Type.NSEC).stream();
        }
    }

    /// NSEC3: the same over the hashes of names, so that an ancestor that exists has to be proved
    /// beside what does not.
    record ByHash(Zone zone, NSEC3PARAMRecord parameters) implements Denial {

        private static final base32 BASE32HEX =
                new base32(base32.Alphabet.BASE32HEX, false, true); // RFC 4648 §7

        /// A name that exists only because of unsigned delegations below it, or is one, may have no
        /// record when the zone opts out: then the nearest ancestor that has one is proved, and
        /// that the span up to the name opts out (RFC 5155 §7.2.4).
        @Override
        public List<RRset> noSuchRecord(Name name) {
            Optional<RRset> matching = matching(name);
            return matching.isPresent() ? List.of(matching.get()) : closest(name, name);
        }

        /// RFC 5155 §7.2.2: the closest encloser proof, and that the wildcard there is not.
        @Override
        public List<RRset> noSuchName(Name name, Name encloser) {
            List<RRset> proof = new ArrayList<>(closest(name, encloser));
            covering(wildcard(name, provable(encloser))).ifPresent(proof::add);
            return proof;
        }

        /// RFC 5155 §7.2.6: the signature of the answer tells the closest encloser.
        @Override
        public List<RRset> onlyWildcard(Name name, Name encloser) {
            return covering(nextCloser(name, encloser)).stream().toList();
        }

        @Override
        public List<RRset> noSuchRecordAtWildcard(Name name, Name encloser) {
            List<RRset> proof = new ArrayList<>(closest(name, encloser));
            matching(wildcard(name, encloser)).ifPresent(proof::add);
            return proof;
        }

        /// The closest encloser proof of RFC 5155 §7.2.1: an ancestor exists, and the name one
        /// label longer does not.
        private List<RRset> closest(Name name, Name encloser) {
            Name ancestor = provable(encloser);
            List<RRset> proof = new ArrayList<>();
            matching(ancestor).ifPresent(proof::add);
            if (!ancestor.equals(name)) {
                covering(nextCloser(name, ancestor)).ifPresent(proof::add);
            }
            return proof;
        }

        private Name provable(Name encloser) {
            Name ancestor = encloser;
            while (!ancestor.equals(zone.origin()) && matching(ancestor).isEmpty()) {
                ancestor = new Name(ancestor, 1);
            }
            return ancestor;
        }

        private static Name nextCloser(Name name, Name encloser) {
            return name.labels() <= encloser.labels()
                    ? name
                    : new Name(name, name.labels() - encloser.labels() - 1);
        }

        private Optional<RRset> matching(Name name) {
            return zone.records(hashed(name), Type.NSEC3);
        }

        private Optional<RRset> covering(Name name) {
            return zone.matchingOrCovering(hashed(name), Type.NSEC3);
        }

        private Name hashed(Name name) {
            try {
                return Name.fromString(
                        BASE32HEX.toString(parameters.hashName(name)), zone.origin());
            } catch (NoSuchAlgorithmException | TextParseException e) {
                throw new IllegalStateException("NSEC3 of zone " + zone.origin() + ": " + name, e);
            }
        }
    }

    /// `*.ENCLOSER`, which fits because the name is longer.
    private static Name wildcard(Name name, Name encloser) {
        return name.wild(name.labels() - encloser.labels());
    }
}
