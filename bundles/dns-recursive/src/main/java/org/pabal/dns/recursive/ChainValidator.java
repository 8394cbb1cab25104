package org.pabal.dns.recursive;

import org.pabal.dnssec.DenialProof;
import org.pabal.dnssec.Fault;
import org.pabal.dnssec.ZoneKeys;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Judges findings by the chain of trust from an anchor down to who signed them (RFC 4035 §5).
///
/// What is signed is checked with the keys of its signer; what is not has to be below a delegation
/// that provably has no DS set. Everything else is bogus, and a [Reason] tells which set it was.
final class ChainValidator implements Validator {

    /// Seconds for which a bogus finding is kept, so that asking again costs the servers nothing.
    private static final long BOGUS_TTL = 60;

    /// Signers of one set that are tried; it has one, unless somebody is playing.
    private static final int SIGNERS = 2;

    private final TrustAnchors anchors;
    private final ValidationSettings settings;
    private final InstantSource clock;
    private final TrustChain chain;
    private final DenialMemory denials;

    ChainValidator(TrustAnchors anchors, ValidationSettings settings, InstantSource clock) {
        this.anchors = anchors;
        this.settings = settings;
        this.clock = clock;
        this.chain = new TrustChain(anchors, settings, clock);
        this.denials = new DenialMemory(clock);
    }

    @Override
    public boolean cares(Name name) {
        return anchor(name).isPresent();
    }

    /// The anchor that is nearest, unless a negative one is nearer (RFC 7646 §2).
    private Optional<Name> anchor(Name name) {
        Optional<Name> nearest = anchors.nearest(name);
        if (nearest.isEmpty() || settings.negativeAnchors().isEmpty()) {
            return nearest;
        }
        for (int strip = 0; strip < name.labels(); strip++) {
            Name above = new Name(name, strip);
            if (settings.negativeAnchors().contains(above)) {
                return Optional.empty();
            }
            if (above.equals(nearest.get())) {
                return nearest;
            }
        }
        return nearest;
    }

    @Override
    public Optional<Finding> denied(Question question) {
        return settings.aggressive() && anchor(responsible(question)).isPresent()
                ? denials.denied(question)
                : Optional.empty();
    }

    @Override
    public void forget(Name name) {
        chain.forget(name);
        denials.forget(name);
    }

    @Override
    public Finding judge(Finding finding, Fetch fetch, Request request) {
        if (finding.kind() == Finding.Kind.FAILURE || finding.security() != Security.UNCHECKED) {
            return finding;
        }
        Question question = finding.question();
        Optional<Name> anchor = anchor(responsible(question));
        // RFC 4035 §2.2: signatures are not signed
        if (anchor.isEmpty() || question.type() == Type.RRSIG) {
            return finding.judged(Security.INSECURE, Optional.empty());
        }
        Finding judged = new Judgement(finding, anchor.get(), fetch, request).finding();
        if (judged.security() == Security.SECURE) {
            if (settings.aggressive()) {
                denials.keep(judged);
            }
            return RootKeySentinel.apply(judged, anchors);
        }
        return judged;
    }

    /// The name whose zone answers: a DS set is the parent's (RFC 4035 §3.1.4.1).
    private static Name responsible(Question question) {
        return question.type() == Type.DS && !question.name().equals(Name.root)
                ? new Name(question.name(), 1)
                : question.name();
    }

    /// One finding, and what it is judged by.
    private final class Judgement {

        private final Finding finding;
        private final Question question;
        private final Name anchor;
        private final Fetch fetch;
        private final Request request;

        /// How long the sets that are good may be kept.
        private final Map<RRset, Long> ttls = new IdentityHashMap<>();

        Judgement(Finding finding, Name anchor, Fetch fetch, Request request) {
            this.finding = finding;
            this.question = finding.question();
            this.anchor = anchor;
            this.fetch = fetch;
            this.request = request;
        }

        Finding finding() {
            return switch (finding.kind()) {
                // who asks for the CNAME below a DNAME gets both, as records or as an alias
                case RECORDS, ALIAS, TOO_LONG ->
                        finding.records().size() == 2
                                        && finding.records().getFirst().getType() == Type.DNAME
                                ? redirected(finding.records().getFirst())
                                : positive(finding.set());
                case NO_RECORD, NO_NAME -> negative();
                case FAILURE -> finding;
            };
        }

        // ---- what there is

        private Finding positive(RRset set) {
            List<Name> signers = signers(Stream.of(set));
            if (signers.isEmpty()) {
                return unsigned(
                        Fault.NO_SIGNATURE,
                        set.sigs().isEmpty()
                                ? about(set) + ": has no signature, and its zone is signed"
                                : about(set) + ": signed by nobody who may");
            }
            Finding judged = finding;
            for (Name signer : signers) {
                judged = positive(set, signer);
                if (judged.security() != Security.BOGUS) {
                    return judged;
                }
            }
            return judged;
        }

        private Finding positive(RRset set, Name signer) {
            TrustChain.Standing standing = standing(signer);
            if (!(standing.trust() instanceof ZoneTrust.Secure secure)) {
                return unless(standing);
            }
            if (!standing.zone().equals(signer)) {
                return bogus(
                        Fault.NO_KEY, about(set) + ": signed by " + signer + ", which is no zone");
            }
            return switch (verify(secure, set)) {
                case ZoneKeys.Bad bad -> bogus(bad.fault(), bad.why());
                case ZoneKeys.Good good when good.closestEncloser().isEmpty() ->
                        judged(Security.SECURE, Optional.empty(), good.ttl(), signer);
                case ZoneKeys.Good good -> expanded(set, secure, good);
            };
        }

        /// A wildcard stands for the name only if there is nothing closer, RFC 4035 §5.3.4.
        private Finding expanded(RRset set, ZoneTrust.Secure secure, ZoneKeys.Good good) {
            Name zone = secure.keys().zone();
            long ttl = good.ttl();
            List<RRset> proof = new ArrayList<>();
            for (RRset each : denials(finding.proof().stream())) {
                if (verify(secure, each) instanceof ZoneKeys.Good fine
                        && fine.closestEncloser().isEmpty()) {
                    proof.add(each);
                    ttl = Math.min(ttl, fine.ttl());
                }
            }
            return verdict(
                    proof(zone, proof)
                            .noCloser(set.getName(), good.closestEncloser().orElseThrow()),
                    ttl,
                    zone,
                    about(set)
                            + ": comes from the wildcard below "
                            + good.closestEncloser().orElseThrow()
                            + ", and nothing proves that there is no closer name");
        }

        /// RFC 6672 §5.3.1: the DNAME is signed, and the CNAME has to follow from it.
        private Finding redirected(RRset dname) {
            Name follows;
            try {
                follows = question.name().fromDNAME((DNAMERecord) dname.first());
            } catch (NameTooLongException e) {
                return bogus(Fault.BOGUS, about(dname) + ": leads to a name that is too long");
            }
            if (!(finding.set().first() instanceof CNAMERecord cname)
                    || !cname.getTarget().equals(follows)) {
                return bogus(
                        Fault.BOGUS, about(finding.set()) + ": does not follow from the DNAME");
            }
            return positive(dname);
        }

        // ---- what there is not

        private Finding negative() {
            List<RRset> denials = denials(finding.proof().stream());
            List<Name> signers = signers(denials.stream());
            if (signers.isEmpty()) {
                return unsigned(
                        signers(finding.proof().stream()).isEmpty()
                                ? Fault.NO_SIGNATURE
                                : Fault.NO_DENIAL,
                        question + ": nothing signed denies it, and its zone is signed");
            }
            Finding judged = finding;
            for (Name signer : signers) {
                judged = negative(signer, denials);
                if (judged.security() != Security.BOGUS) {
                    return judged;
                }
            }
            return judged;
        }

        private Finding negative(Name signer, List<RRset> denials) {
            TrustChain.Standing standing = standing(signer);
            if (!(standing.trust() instanceof ZoneTrust.Secure secure)) {
                return unless(standing);
            }
            if (!standing.zone().equals(signer)) {
                return bogus(
                        Fault.NO_KEY, question + ": denied by " + signer + ", which is no zone");
            }
            long ttl = finding.ttl();
            List<RRset> all = new ArrayList<>(denials);
            finding.proof().stream().filter(set -> set.getType() == Type.SOA).forEach(all::add);
            for (RRset set : all) {
                switch (verify(secure, set)) {
                    case ZoneKeys.Bad bad -> {
                        return bogus(bad.fault(), bad.why());
                    }
                    case ZoneKeys.Good good when good.closestEncloser().isPresent() -> {
                        return bogus(Fault.BOGUS, about(set) + ": comes from a wildcard");
                    }
                    case ZoneKeys.Good good -> ttl = Math.min(ttl, good.ttl());
                }
            }
            DenialProof proof = proof(signer, denials);
            String why =
                    question
                            + ": nothing proves that "
                            + (finding.kind() == Finding.Kind.NO_NAME
                                    ? "the name does not exist"
                                    : "there is no such record");
            if (finding.kind() == Finding.Kind.NO_RECORD) {
                return verdict(proof.noRecord(question.name(), question.type()), ttl, signer, why);
            }
            DenialProof.Verdict noName = proof.noName(question.name());
            if (noName == DenialProof.Verdict.NOT_PROVED) {
                // Some servers say NXDOMAIN of names that exist with other types or below which
                // there are names; as Unbound, we believe what they prove.
                DenialProof.Verdict noRecord = proof.noRecord(question.name(), question.type());
                if (noRecord == DenialProof.Verdict.PROVED) {
                    Finding judged = verdict(noRecord, ttl, signer, why);
                    return new Finding(
                            question,
                            Finding.Kind.NO_RECORD,
                            judged.records(),
                            judged.proof(),
                            judged.zone(),
                            judged.security(),
                            judged.reason(),
                            judged.ttl(),
                            judged.stale());
                }
            }
            return verdict(noName, ttl, signer, why);
        }

        private Finding verdict(DenialProof.Verdict verdict, long ttl, Name zone, String why) {
            return switch (verdict) {
                case PROVED -> judged(Security.SECURE, Optional.empty(), ttl, zone);
                case OPT_OUT, UNSIGNED ->
                        judged(Security.INSECURE, Optional.empty(), finding.ttl(), zone);
                case ITERATIONS ->
                        judged(
                                Security.INSECURE,
                                Optional.of(
                                        TrustChain.reason(
                                                Fault.ITERATIONS,
                                                TrustChain.tooManyIterations(question.name()))),
                                finding.ttl(),
                                zone);
                case EXHAUSTED ->
                        bogus(Fault.INDETERMINATE, question + ": too many hashes to work out");
                case NOT_PROVED -> bogus(Fault.NO_DENIAL, why);
            };
        }

        // ---- what nobody has signed

        private Finding unsigned(Fault fault, String why) {
            TrustChain.Standing standing = standing(responsible(question));
            return standing.trust() instanceof ZoneTrust.Secure
                    ? bogus(fault, why)
                    : unless(standing);
        }

        /// Judges by a zone that is not secure.
        private Finding unless(TrustChain.Standing standing) {
            return switch (standing.trust()) {
                case ZoneTrust.Insecure insecure ->
                        judged(Security.INSECURE, insecure.why(), finding.ttl(), finding.zone());
                case ZoneTrust.Bogus bogus -> bogus(bogus.why());
                case ZoneTrust.Secure secure -> throw new IllegalStateException("secure");
                case ZoneTrust.Inside inside -> throw new IllegalStateException("inside a zone");
            };
        }

        // ---- words

        private TrustChain.Standing standing(Name name) {
            return chain.standing(anchor, name, fetch, request);
        }

        private ZoneKeys.Verdict verify(ZoneTrust.Secure by, RRset set) {
            ZoneKeys.Verdict verdict =
                    by.keys().verify(set, clock.instant(), TrustChain.effort(request));
            if (verdict instanceof ZoneKeys.Good good) {
                ttls.put(set, good.ttl());
            }
            return verdict;
        }

        private DenialProof proof(Name zone, List<RRset> sets) {
            return new DenialProof(
                    zone, sets, settings.maxIterations(), TrustChain.effort(request));
        }

        /// Who may have signed these: a zone that the name is in, not above the anchor, and for a
        /// DS set the parent (RFC 4035 §5.3.1, §5.2).
        private List<Name> signers(Stream<RRset> sets) {
            Name highest = responsible(question);
            return sets.flatMap(set -> set.sigs().stream())
                    .map(RRSIGRecord::getSigner)
                    .filter(signer -> highest.subdomain(signer) && signer.subdomain(anchor))
                    .distinct()
                    .limit(SIGNERS)
                    .toList();
        }

        private static List<RRset> denials(Stream<RRset> sets) {
            return sets.filter(set -> set.getType() == Type.NSEC || set.getType() == Type.NSEC3)
                    .toList();
        }

        private Finding bogus(Fault fault, String why) {
            return bogus(TrustChain.reason(fault, why));
        }

        private Finding bogus(Reason why) {
            return judged(
                    Security.BOGUS,
                    Optional.of(why),
                    Math.min(BOGUS_TTL, finding.ttl()),
                    finding.zone());
        }

        /// RFC 4035 §5.3.3: nothing is kept longer than its signature and its original TTL allow.
        private Finding judged(Security security, Optional<Reason> why, long ttl, Name zone) {
            boolean secure = security == Security.SECURE;
            long most = secure ? Math.min(ttl, finding.ttl()) : ttl;
            return new Finding(
                    question,
                    finding.kind(),
                    secure ? capped(finding.records()) : finding.records(),
                    secure ? capped(checked(finding.proof())) : finding.proof(),
                    zone,
                    security,
                    why,
                    most,
                    finding.stale());
        }

        /// RFC 4035 §3.2.3: AD speaks for the authority section too, so what nobody looked at is
        /// left out of it.
        private List<RRset> checked(List<RRset> sets) {
            return sets.stream().filter(ttls::containsKey).toList();
        }

        private List<RRset> capped(List<RRset> sets) {
            return sets.stream()
                    .map(set -> ttls.containsKey(set) ? ShorterTtl.of(set, ttls.get(set)) : set)
                    .toList();
        }
    }

    private static String about(RRset set) {
        return set.getName() + " " + Type.string(set.getType());
    }
}
