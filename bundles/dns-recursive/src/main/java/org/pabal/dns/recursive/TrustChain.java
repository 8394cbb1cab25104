package org.pabal.dns.recursive;

import org.pabal.dnssec.DenialProof;
import org.pabal.dnssec.Effort;
import org.pabal.dnssec.Fault;
import org.pabal.dnssec.KeyTrust;
import org.pabal.dnssec.ZoneKeys;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Walks from a trust anchor down to the zone of a name, DS set by DS set (RFC 4035 §5).
///
/// Where zones begin is not known beforehand: an answer may have come from a forwarder. So the
/// parent is asked for a DS set label by label, and what it denies tells whether a zone begins
/// there.
final class TrustChain {

    /// How long a zone that is bogus stays so without another look (RFC 4035 §4.7).
    private static final Duration BOGUS = Duration.ofMinutes(1);

    /// However long TTLs are, a chain is walked again after this.
    private static final Duration LONGEST = Duration.ofDays(1);

    /// How often a set is fetched until it is a good one: name servers of a zone differ, and a bad
    /// answer may be somebody's who only was quicker.
    private static final int TRIES = 3;

    private static final int MOST_ZONES = 20_000;

    /// @param zone that a name is in, as far down as trust goes
    record Standing(Name zone, ZoneTrust trust) {}

    private final TrustAnchors anchors;
    private final ValidationSettings settings;
    private final InstantSource clock;
    private final TrustTable table = new TrustTable(MOST_ZONES);

    TrustChain(TrustAnchors anchors, ValidationSettings settings, InstantSource clock) {
        this.anchors = anchors;
        this.settings = settings;
        this.clock = clock;
    }

    /// Forgets what is known of the zones at and below a name.
    void forget(Name name) {
        table.forget(name);
    }

    /// What DNSSEC says of the zone that a name is in.
    ///
    /// @param anchor at or above the name
    Standing standing(Name anchor, Name name, Validator.Fetch fetch, Request request) {
        table.follow(anchors.version());
        Instant now = clock.instant();
        Standing here = known(anchor, name, now).orElseGet(() -> prime(anchor, fetch, request));
        while (here.trust instanceof ZoneTrust.Secure secure) {
            Standing next = below(here.zone, secure, name, fetch, request);
            if (next.zone.equals(here.zone)) {
                return next;
            }
            here = next;
        }
        return here;
    }

    /// The first zone below one on the way to a name, or the same when the name is in it.
    private Standing below(
            Name zone, ZoneTrust.Secure secure, Name name, Validator.Fetch fetch, Request request) {
        for (int strip = name.labels() - zone.labels() - 1; strip >= 0; strip--) {
            Name child = new Name(name, strip);
            Instant now = clock.instant();
            Optional<ZoneTrust> known = table.find(child, now);
            ZoneTrust trust = known.orElseGet(() -> child(secure, child, fetch, request));
            if (known.isEmpty()) {
                table.keep(child, trust, now);
            }
            if (!(trust instanceof ZoneTrust.Inside)) {
                return new Standing(child, trust);
            }
        }
        return new Standing(zone, secure);
    }

    /// The nearest zone to a name, from the anchor down, of which something is known.
    private Optional<Standing> known(Name anchor, Name name, Instant now) {
        for (int strip = 0; strip <= name.labels() - anchor.labels(); strip++) {
            Name zone = new Name(name, strip);
            Optional<ZoneTrust> trust = table.find(zone, now);
            if (trust.isPresent() && !(trust.get() instanceof ZoneTrust.Inside)) {
                return Optional.of(new Standing(zone, trust.get()));
            }
        }
        return Optional.empty();
    }

    private Standing prime(Name anchor, Validator.Fetch fetch, Request request) {
        ZoneTrust trust = keys(anchor, anchors.of(anchor), LONGEST.toSeconds(), fetch, request);
        table.keep(anchor, trust, clock.instant());
        return new Standing(anchor, trust);
    }

    // ---- one step down

    /// What the parent says of a name at which a zone may begin.
    private ZoneTrust child(
            ZoneTrust.Secure parent, Name child, Validator.Fetch fetch, Request request) {
        Question question = new Question(child, Type.DS);
        ZoneTrust trust = bogus(Fault.INDETERMINATE, question + ": not asked", true);
        for (int attempt = 0; attempt < TRIES; attempt++) {
            Finding finding = fetch.fetch(question, request(request, attempt));
            switch (finding.kind()) {
                case FAILURE -> {
                    return bogus(
                            Fault.INDETERMINATE,
                            question
                                    + ": "
                                    + finding.reason().map(Reason::text).orElse("not found"),
                            true);
                }
                case RECORDS -> {
                    RRset set = finding.set();
                    switch (verify(parent, set, request)) {
                        case ZoneKeys.Good good when good.closestEncloser().isEmpty() -> {
                            return keys(child, set.rrs(false), good.ttl(), fetch, request);
                        }
                        case ZoneKeys.Good good ->
                                trust =
                                        bogus(
                                                Fault.BOGUS,
                                                question + ": comes from a wildcard",
                                                false);
                        case ZoneKeys.Bad bad -> trust = bogus(bad);
                    }
                }
                case ALIAS ->
                        // RFC 6840 §4.3: what is an alias is no zone
                        trust =
                                switch (verify(parent, finding.records().getFirst(), request)) {
                                    case ZoneKeys.Good good
                                            when noCloser(parent, finding, good, request) ->
                                            new ZoneTrust.Inside(until(good.ttl()));
                                    case ZoneKeys.Good good ->
                                            bogus(
                                                    Fault.NO_DENIAL,
                                                    question + ": comes from a wildcard",
                                                    false);
                                    case ZoneKeys.Bad bad -> bogus(bad);
                                };
                case NO_RECORD, NO_NAME -> trust = unsigned(parent, child, finding, request);
            }
            if (!(trust instanceof ZoneTrust.Bogus bogus) || passing(bogus)) {
                return trust;
            }
        }
        return trust;
    }

    /// Whether an alias is that of its name, or of a wildcard and nothing is closer (RFC 4035
    /// §5.3.4): else a wildcard of the parent's would hide the zone that begins there.
    private boolean noCloser(
            ZoneTrust.Secure parent, Finding alias, ZoneKeys.Good good, Request request) {
        if (good.closestEncloser().isEmpty()) {
            return true;
        }
        DenialProof.Verdict verdict =
                new DenialProof(
                                parent.keys().zone(),
                                denials(parent, alias, request),
                                settings.maxIterations(),
                                effort(request))
                        .noCloser(
                                alias.records().getFirst().getName(), good.closestEncloser().get());
        return verdict == DenialProof.Verdict.PROVED;
    }

    /// The sets of a proof that hold; a denial is never a wildcard's (RFC 4035 §5.4).
    private List<RRset> denials(ZoneTrust.Secure parent, Finding finding, Request request) {
        return finding.proof().stream()
                .filter(set -> set.getType() == Type.NSEC || set.getType() == Type.NSEC3)
                .filter(
                        set ->
                                verify(parent, set, request) instanceof ZoneKeys.Good good
                                        && good.closestEncloser().isEmpty())
                .toList();
    }

    /// There is no DS set: why?
    private ZoneTrust unsigned(
            ZoneTrust.Secure parent, Name child, Finding finding, Request request) {
        List<RRset> proof = new ArrayList<>();
        // what came with a referral has no SOA, and the proof's own TTL is what counts (RFC 9077
        // §3)
        long ttl = LONGEST.toSeconds();
        ZoneTrust bad =
                bogus(Fault.NO_DENIAL, child + " DS: nothing proves that there is none", false);
        for (RRset set : finding.proof()) {
            if (set.getType() == Type.NSEC || set.getType() == Type.NSEC3) {
                switch (verify(parent, set, request)) {
                    case ZoneKeys.Good good when good.closestEncloser().isEmpty() -> {
                        proof.add(set);
                        ttl = Math.min(ttl, Math.max(1, good.ttl()));
                    }
                    case ZoneKeys.Good good -> {
                        // a denial is never a wildcard's, RFC 4035 §5.4
                    }
                    case ZoneKeys.Bad why -> bad = bogus(why);
                }
            }
        }
        Instant until = until(ttl);
        return switch (new DenialProof(
                        parent.keys().zone(), proof, settings.maxIterations(), effort(request))
                .cut(child)) {
            case UNSIGNED -> new ZoneTrust.Insecure(Optional.empty(), until);
            case ITERATIONS ->
                    new ZoneTrust.Insecure(
                            Optional.of(reason(Fault.ITERATIONS, tooManyIterations(child))), until);
            case NONE -> new ZoneTrust.Inside(until);
            case EXHAUSTED ->
                    bogus(Fault.INDETERMINATE, child + " DS: too many hashes to work out", true);
            case NOT_PROVED -> bad;
        };
    }

    static String tooManyIterations(Name name) {
        return name + ": the proof has too many NSEC3 iterations";
    }

    /// Fetches the keys of a zone and compares them to what is told of them.
    private ZoneTrust keys(
            Name zone, List<Record> told, long ttl, Validator.Fetch fetch, Request request) {
        if (!KeyTrust.usable(told)) {
            KeyTrust.Unsupported not = KeyTrust.unsupported(zone, told);
            return new ZoneTrust.Insecure(
                    Optional.of(reason(not.fault(), not.why())), until(Math.max(1, ttl)));
        }
        Question question = new Question(zone, Type.DNSKEY);
        ZoneTrust.Bogus trust = bogus(Fault.NO_KEY, question + ": not asked", true);
        for (int attempt = 0; attempt < TRIES; attempt++) {
            Finding finding = fetch.fetch(question, request(request, attempt));
            if (finding.kind() == Finding.Kind.FAILURE) {
                return bogus(
                        Fault.NO_KEY,
                        question + ": " + finding.reason().map(Reason::text).orElse("not found"),
                        true);
            }
            if (finding.kind() != Finding.Kind.RECORDS) {
                trust = bogus(Fault.NO_KEY, question + ": the zone shows no keys", false);
                continue;
            }
            switch (KeyTrust.of(finding.set(), told, clock.instant(), effort(request))) {
                case KeyTrust.Trusted(ZoneKeys keys, long most) -> {
                    return new ZoneTrust.Secure(keys, until(Math.min(ttl, most)));
                }
                case KeyTrust.Unsupported(Fault fault, String why) -> {
                    return new ZoneTrust.Insecure(
                            Optional.of(reason(fault, why)), until(Math.max(1, ttl)));
                }
                case KeyTrust.Untrusted(Fault fault, String why, boolean exhausted) -> {
                    trust = bogus(fault, why, exhausted);
                    if (exhausted) {
                        return trust;
                    }
                }
            }
        }
        return trust;
    }

    // ---- words

    private ZoneKeys.Verdict verify(ZoneTrust.Secure by, RRset set, Request request) {
        return by.keys().verify(set, clock.instant(), effort(request));
    }

    private static Request request(Request request, int attempt) {
        return attempt == 0
                ? request.inner()
                : new Request(Request.Wish.REFRESH, request.quota(), request.trace());
    }

    static Effort effort(Request request) {
        Quota quota = request.quota();
        return new Effort() {
            @Override
            public boolean signature() {
                return quota.signature();
            }

            @Override
            public boolean hash(int rounds) {
                return quota.hash(rounds);
            }
        };
    }

    static Reason reason(Fault fault, String why) {
        return new Reason(fault.code(), why);
    }

    private ZoneTrust.Bogus bogus(ZoneKeys.Bad bad) {
        return bogus(bad.fault(), bad.why(), bad.exhausted());
    }

    /// @param passing it says something of this request and little of the zone
    private ZoneTrust.Bogus bogus(Fault fault, String why, boolean passing) {
        Instant now = clock.instant();
        return new ZoneTrust.Bogus(reason(fault, why), passing ? now : now.plus(BOGUS));
    }

    private boolean passing(ZoneTrust.Bogus bogus) {
        return !bogus.until().isAfter(clock.instant());
    }

    private Instant until(long ttl) {
        return clock.instant().plusSeconds(Math.min(ttl, LONGEST.toSeconds()));
    }
}
