package org.pabal.dns.recursive;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.util.List;
import java.util.Optional;

/// What is known of one name and type. It is the unit of this bundle: the walk brings it home, the
/// validator judges it, the cache keeps it, and answers are chains of it.
///
/// @param question what it is about
/// @param kind what came of it
/// @param records for `RECORDS` the one set, for `ALIAS` the CNAME, or a DNAME and the CNAME that
///     follows from it (RFC 6672 §3.1), for `TOO_LONG` the DNAME; else empty. Sets hold their
///     signatures; TTLs are what is left of them now
/// @param proof the authority section: SOA and NSEC or NSEC3 of a negative answer, NSEC or NSEC3
///     of a wildcard's
/// @param zone that says so, as far as is known: by its signatures, its SOA, or the cut at which
///     the walk asked
/// @param security what DNSSEC says of all of it
/// @param reason for `FAILURE` and for bogus findings always
/// @param ttl seconds for which it holds from now on; 0 for what must not be kept
/// @param stale it was in the cache, and its TTL is over (RFC 8767)
record Finding(
        Question question,
        Kind kind,
        List<RRset> records,
        List<RRset> proof,
        Name zone,
        Security security,
        Optional<Reason> reason,
        long ttl,
        boolean stale) {

    /// What came of a question.
    enum Kind {
        /// There are records.
        RECORDS,
        /// The name is an alias: a CNAME, which may follow from a DNAME.
        ALIAS,
        /// The name exists and has no such records (RFC 2308 §2.2).
        NO_RECORD,
        /// The name does not exist (RFC 2308 §2.1).
        NO_NAME,
        /// Nobody could be reached, or nobody said anything that can be used (RFC 9520).
        FAILURE,
        /// A DNAME makes it an alias of a name that would be too long (RFC 6672 §2.2).
        TOO_LONG
    }

    Finding {
        records = List.copyOf(records);
        proof = List.copyOf(proof);
    }

    /// Nothing could be found out.
    static Finding failure(Question question, Name zone, long ttl, Reason reason) {
        return new Finding(
                question,
                Kind.FAILURE,
                List.of(),
                List.of(),
                zone,
                Security.UNCHECKED,
                Optional.of(reason),
                ttl,
                false);
    }

    /// The same, judged.
    Finding judged(Security verdict, Optional<Reason> why) {
        return new Finding(question, kind, records, proof, zone, verdict, why, ttl, stale);
    }

    /// The set that answers, or the CNAME. Only for `RECORDS` and `ALIAS`.
    RRset set() {
        return records.getLast();
    }

    /// Where the alias leads. Only for `ALIAS`.
    Name target() {
        return ((CNAMERecord) set().first()).getTarget();
    }

    int rcode() {
        return switch (kind) {
            case RECORDS, ALIAS, NO_RECORD -> Rcode.NOERROR;
            case NO_NAME -> Rcode.NXDOMAIN;
            case FAILURE -> Rcode.SERVFAIL;
            case TOO_LONG -> Rcode.YXDOMAIN;
        };
    }

    /// The question under which it is remembered: an alias stands for all types.
    Question key() {
        return kind == Kind.ALIAS ? new Question(question.name(), Type.CNAME) : question;
    }
}
