package org.pabal.dns.recursive;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Answers a question: from memory, or from where it is to be found, judged, and remembered.
///
/// ```
///   answer ─ alias after alias ─▶ find: cache ─▶ proofs ─▶ route ─▶ walk │ forward │ stub │ own │ local
///                                                                  │
///              client ◀─ keep ◀─ screen ◀─ judge (DNSSEC) ◀────────┘
/// ```
/// A client waits on its own thread while the look-up runs on another, so that the same question is
/// looked up once for all who ask it, and goes on when the client got something stale instead (RFC
/// 8767).
final class Recursion implements Recursor, AutoCloseable {

    /// RFC 9520 §3.2: failures are remembered for 5 seconds at least (security row D9).
    static final long FAILURE_TTL = 5;

    /// What cannot be proved is tried again soon: somebody may be mending it.
    private static final long BOGUS_TTL = 60;

    /// How often something bogus is asked for elsewhere.
    private static final int BOGUS_RETRIES = 2;

    /// A look-up whose time is over ends by itself and knows why; so long that may take.
    private static final Duration LAST_WORDS = Duration.ofMillis(200);

    private static final Logger log = LoggerFactory.getLogger(Recursion.class);

    private final Cache cache;
    private final Validator validator;
    private final Routes routes;
    private final WalkSettings settings;
    private final UnaryOperator<Finding> screen;
    private final ChildServers children;
    private final Walk walk;
    private final Flights flights;
    private final Semaphore refreshes;

    /// @param screen what clients may not see is changed by it (after it was judged)
    Recursion(
            Cache cache,
            Upstream upstream,
            Validator validator,
            Routes routes,
            RootHints hints,
            WalkSettings settings,
            UnaryOperator<Finding> screen,
            InstantSource clock) {
        this.cache = cache;
        this.validator = validator;
        this.routes = routes;
        this.settings = settings;
        this.screen = screen;
        this.children = new ChildServers(clock);
        this.walk = new Walk(cache, upstream, hints, settings, new Addresses(hints), children);
        this.flights = new Flights(settings.maxWalks());
        this.refreshes = new Semaphore(settings.maxRefreshes());
    }

    @Override
    public Answer answer(Question question, Request request) {
        if (!request.wish().refresh()) {
            Optional<Answer> known = remembered(question, request);
            if (known.isPresent() && known.get().last().kind() != Finding.Kind.FAILURE) {
                return known.get();
            }
            if (known.isPresent()) {
                // RFC 8767 §5: after a failure, not every client has to wait for the next one
                return stale(question, request)
                        .map(stale -> traced(stale, request))
                        .orElse(known.get());
            }
        }
        return waitFor(board(question, request), question, request);
    }

    /// Fetches something again before its TTL is over, while clients still get what is there.
    /// Returns at once; does nothing when many such are under way.
    void refresh(Question question) {
        if (!refreshes.tryAcquire()) {
            return;
        }
        Request request = Request.of(Request.Wish.REFRESH, Request.Trace.NONE);
        flights.board(
                new Flights.Key(question, request.wish()),
                () -> {
                    try {
                        return lookUp(question, request);
                    } finally {
                        refreshes.release();
                    }
                },
                failed(question, "not now"),
                refreshes::release);
    }

    /// Waits a moment for what is being looked up, and looks nothing up any more.
    /// Forgets what is known at and below a name, verdicts on its zones too.
    ///
    /// @return how many findings that were
    int forget(Name name) {
        validator.forget(name);
        return cache.flush(name);
    }

    @Override
    public void close() {
        flights.close();
    }

    private Flights.Flight board(Question question, Request request) {
        Answer refused = failed(question, "too many questions are looked up at the same time");
        return request.trace() == Request.Trace.NONE
                ? flights.board(
                        new Flights.Key(question, request.wish()),
                        () -> lookUp(question, request),
                        refused,
                        () -> {})
                : flights.alone(() -> lookUp(question, request), refused);
    }

    /// The answer; or what is stale, when it takes long or fails.
    private Answer waitFor(Flights.Flight flight, Question question, Request request) {
        Duration left = request.quota().left();
        Optional<Answer> stale =
                request.wish().refresh() ? Optional.empty() : stale(question, request);
        Duration timer = settings.staleAnswerTimer();
        Duration patience =
                stale.isPresent() && timer.compareTo(left) < 0 ? timer : left.plus(LAST_WORDS);
        Optional<Answer> answer = flight.await(patience);
        if (answer.isPresent() && answer.get().last().kind() != Finding.Kind.FAILURE) {
            return answer.get();
        }
        return stale.map(old -> traced(old, request))
                .or(() -> answer)
                .orElseGet(
                        () ->
                                failed(
                                        question,
                                        "took longer than " + Quota.TIME.toSeconds() + " s"));
    }

    // ---- what is in memory

    /// An answer that needs nobody else; findings that nobody has judged yet are for a walk, and
    /// what is in a zone of ours is not a matter of memory.
    private Optional<Answer> remembered(Question question, Request request) {
        List<Finding> chain = new ArrayList<>();
        Set<Name> names = new HashSet<>();
        Question at = question;
        while (chain.size() <= ReplyReading.MAX_ALIASES && names.add(at.name())) {
            Route route = routes.route(at);
            Optional<Finding> found = ours(route) ? Optional.empty() : cache.find(at, route.top());
            if (found.isEmpty() || !presentable(found.get())) {
                return Optional.empty();
            }
            trace(request, "cache", found.get());
            chain.add(found.get());
            if (ends(found.get(), question.type())) {
                return Optional.of(new Answer(question, chain));
            }
            at = new Question(found.get().target(), question.type());
        }
        return Optional.empty();
    }

    private static boolean ours(Route route) {
        return route instanceof Route.Own || route instanceof Route.Local;
    }

    private static boolean presentable(Finding finding) {
        return finding.security() != Security.UNCHECKED || finding.kind() == Finding.Kind.FAILURE;
    }

    /// What was true once, RFC 8767. It keeps what DNSSEC said of it (security row D11), and what
    /// was bogus or never checked is not given to who does not check it himself.
    private Optional<Answer> stale(Question question, Request request) {
        if (!settings.serveStale()) {
            return Optional.empty();
        }
        List<Finding> chain = new ArrayList<>();
        Set<Name> names = new HashSet<>();
        Question at = question;
        while (chain.size() <= ReplyReading.MAX_ALIASES && names.add(at.name())) {
            Optional<Finding> found = cache.stale(at);
            if (found.isEmpty()
                    || !request.wish().checkingDisabled()
                            && found.get().security().compareTo(Security.INSECURE) < 0) {
                return Optional.empty();
            }
            chain.add(explained(found.get()));
            if (ends(found.get(), question.type())) {
                return Optional.of(new Answer(question, chain));
            }
            at = new Question(found.get().target(), question.type());
        }
        return Optional.empty();
    }

    private static Answer traced(Answer answer, Request request) {
        answer.chain().forEach(finding -> trace(request, "cache", finding));
        return answer;
    }

    private static Finding explained(Finding finding) {
        if (!finding.stale()) {
            return finding;
        }
        Reason reason =
                finding.kind() == Finding.Kind.NO_NAME
                        ? new Reason(
                                ExtendedErrorCodeOption.STALE_NXDOMAIN_ANSWER,
                                "nobody could be asked; this was so before")
                        : new Reason(
                                ExtendedErrorCodeOption.STALE_ANSWER,
                                "nobody could be asked; this was so before");
        return finding.judged(finding.security(), Optional.of(reason));
    }

    // ---- looking it up

    private Answer lookUp(Question question, Request request) {
        try {
            return new Answer(question, chain(question, request));
        } catch (RuntimeException e) {
            log.error("look-up of {} failed: a fault of ours, please report it", question, e);
            return failed(question, "a fault of this server");
        }
    }

    /// Alias after alias, until there is an end (security row D24).
    private List<Finding> chain(Question question, Request request) {
        List<Finding> chain = new ArrayList<>();
        Set<Name> names = new HashSet<>(Set.of(question.name()));
        Errand errand = new Errand(question, request);
        Found found = next(errand);
        while (true) {
            chain.add(found.finding());
            if (ends(found.finding(), question.type())) {
                return chain;
            }
            Question next = new Question(found.finding().target(), question.type());
            if (!names.add(next.name()) || chain.size() > ReplyReading.MAX_ALIASES) {
                Finding failure =
                        Finding.failure(
                                next,
                                found.finding().zone(),
                                FAILURE_TTL,
                                new Reason(
                                        ExtendedErrorCodeOption.OTHER,
                                        "aliases that lead nowhere: more than "
                                                + (chain.size() - 1)));
                trace(request, "walk", failure);
                chain.add(failure);
                return chain;
            }
            errand = errand.towards(next);
            found = after(found, errand);
        }
    }

    private static boolean ends(Finding finding, int type) {
        // RFC 1034 §3.6.2: who asks for the alias itself, or for everything, gets it
        return finding.kind() != Finding.Kind.ALIAS
                || type == Type.CNAME
                || type == Type.ANY && finding.records().size() == 1;
    }

    /// What came of one question, and what came with it for the names that it is an alias of.
    private record Found(Finding finding, List<Finding> ahead) {}

    /// The next link: what came with the one before, unless an administrator has said that it is
    /// to be found elsewhere. Who is outside cannot know that.
    private Found after(Found found, Errand errand) {
        List<Finding> ahead = found.ahead();
        Question question = errand.question();
        return !ahead.isEmpty()
                        && ahead.getFirst().question().equals(question)
                        && routes.route(question).equals(routes.route(found.finding().question()))
                ? judged(errand, ahead)
                : next(errand);
    }

    private Found next(Errand errand) {
        Question question = errand.question();
        Route route = routes.route(question);
        if (route instanceof Route.Local local) {
            trace(errand.request(), "local data", local.finding());
            return new Found(local.finding(), List.of());
        }
        if (route instanceof Route.Own own) {
            return own(own, errand);
        }
        if (!errand.request().wish().refresh()) {
            Optional<Finding> known = known(question, route);
            if (known.isPresent()) {
                trace(errand.request(), "cache", known.get());
                Found found = judged(errand, List.of(known.get()));
                if (known.get().security() != Security.UNCHECKED
                        || found.finding().security() != Security.BOGUS) {
                    return found;
                }
                // it was fetched for somebody who checks himself; another server may say better
            }
        }
        return judged(errand, sought(route, errand));
    }

    /// What is remembered, or follows from what is. What the public tree proves above a zone for
    /// which an administrator has named other servers says nothing of it.
    private Optional<Finding> known(Question question, Route route) {
        Name top = route.top();
        return cache.find(question, top)
                .or(
                        () ->
                                route instanceof Route.Stub
                                        ? Optional.empty()
                                        : validator
                                                .denied(question)
                                                .filter(denied -> denied.zone().subdomain(top)))
                .or(() -> fromDname(question, top));
    }

    /// RFC 6672 §3.4: a DNAME that is remembered stands for all names below it.
    private Optional<Finding> fromDname(Question question, Name top) {
        int most = question.name().labels() - top.labels();
        for (int strip = 1; strip <= most; strip++) {
            Name above = new Name(question.name(), strip);
            Optional<Finding> dname =
                    cache.find(new Question(above, Type.DNAME))
                            .filter(found -> found.kind() == Finding.Kind.RECORDS)
                            .filter(found -> found.security() != Security.BOGUS);
            if (dname.isPresent()) {
                Finding found = dname.get();
                Finding alias = ReplyReading.synthesized(question, found.set(), found.zone());
                return Optional.of(alias.judged(found.security(), Optional.empty()));
            }
        }
        return Optional.empty();
    }

    private List<Finding> sought(Route route, Errand errand) {
        return switch (route) {
            case Route.Walk w -> walk.walk(errand);
            case Route.Stub stub -> walk.from(stub.zone(), stub.servers(), errand);
            case Route.Forward forward -> walk.forward(forward.zone(), forward.servers(), errand);
            case Route.Own own -> List.of(own(own, errand).finding());
            case Route.Local local -> List.of(local.finding());
        };
    }

    /// From a zone of ours: it is the truth now, so it is neither proved nor remembered; a
    /// delegation in it leads on.
    private Found own(Route.Own own, Errand errand) {
        Question question = errand.question();
        Message query =
                Message.newQuery(Record.newRecord(question.name(), question.type(), DClass.IN));
        query.getHeader().unsetFlag(Flags.RD);
        query.addRecord(new OPTRecord(65_535, 0, 0, ExtendedFlags.DO), Section.ADDITIONAL);
        Message reply = own.authority().answer(query);
        Reading reading = ReplyReading.read(reply, question, own.zone(), false);
        return switch (reading) {
            case Reading.Said said -> ours(own, errand, said.chain());
            case Reading.Weak weak -> ours(own, errand, weak.chain());
            case Reading.Referral down -> {
                trace(
                        errand.request(),
                        new Step(
                                "own zone " + own.zone(),
                                own.zone(),
                                question,
                                Step.What.REFERRAL,
                                "to " + down.delegation().zone(),
                                Duration.ZERO));
                yield judged(errand, walk.from(down.delegation(), errand));
            }
            case Reading.Lame lame -> new Found(unanswered(own, errand, lame.why()), List.of());
            case Reading.Unusable bad -> new Found(unanswered(own, errand, bad.why()), List.of());
        };
    }

    private Found ours(Route.Own own, Errand errand, List<Finding> chain) {
        Finding first = chain.getFirst().judged(Security.INSECURE, Optional.empty());
        trace(errand.request(), "own zone " + own.zone(), first);
        return new Found(first, List.of());
    }

    private Finding unanswered(Route.Own own, Errand errand, String why) {
        Finding failure =
                Finding.failure(
                        errand.question(),
                        own.zone(),
                        0,
                        new Reason(
                                ExtendedErrorCodeOption.NOT_READY,
                                "own zone " + own.zone() + ": " + why));
        trace(errand.request(), "own zone " + own.zone(), failure);
        return failure;
    }

    // ---- judging and keeping

    /// The first finding as a client may see it, and kept; the others are for the next question.
    private Found judged(Errand errand, List<Finding> chain) {
        Finding finding = chain.getFirst();
        List<Finding> ahead = chain.subList(1, chain.size());
        if (finding.security() != Security.UNCHECKED) {
            return new Found(finding, ahead); // it was kept when it was judged
        }
        if (finding.kind() == Finding.Kind.FAILURE) {
            if (errand.failureIsItsOwn() && !flights.closed()) {
                keep(finding);
            }
            return new Found(finding, ahead);
        }
        if (errand.request().wish().checkingDisabled()) {
            keep(finding);
            return new Found(screen.apply(finding), ahead);
        }
        Finding verdict = judge(finding, errand);
        for (int retry = 0;
                retry < BOGUS_RETRIES && verdict.security() == Security.BOGUS && errand.doubt();
                retry++) {
            Finding other = sought(routes.route(errand.question()), errand).getFirst();
            if (other.kind() == Finding.Kind.FAILURE) {
                other = finding;
            }
            verdict = judge(other, errand);
            ahead = List.of();
        }
        if (verdict.security() == Security.BOGUS) {
            verdict = lasting(verdict, Math.min(verdict.ttl(), BOGUS_TTL));
        }
        verdict = screen.apply(verdict);
        if (verdict.security() != Security.BOGUS || errand.failureIsItsOwn()) {
            keep(verdict);
        }
        return new Found(verdict, ahead);
    }

    private Finding judge(Finding finding, Errand errand) {
        Finding verdict =
                validator.judge(
                        finding,
                        (question, request) ->
                                fetched(errand.settled(), finding, question, request),
                        errand.request());
        trace(
                errand.request(),
                new Step(
                        "DNSSEC",
                        verdict.zone(),
                        verdict.question(),
                        Step.What.VALIDATED,
                        verdict.security().name().toLowerCase(Locale.ROOT)
                                + verdict.reason().map(r -> ": " + r.text()).orElse(""),
                        Duration.ZERO));
        return verdict;
    }

    private static Finding lasting(Finding finding, long ttl) {
        return new Finding(
                finding.question(),
                finding.kind(),
                finding.records(),
                finding.proof(),
                finding.zone(),
                finding.security(),
                finding.reason(),
                ttl,
                finding.stale());
    }

    /// A DNAME is kept by its own name too, so that it helps other names.
    private void keep(Finding finding) {
        if (finding.ttl() <= 0) {
            return;
        }
        if (finding.kind() != Finding.Kind.TOO_LONG) {
            cache.keep(finding);
        }
        boolean leads =
                finding.kind() == Finding.Kind.ALIAS || finding.kind() == Finding.Kind.TOO_LONG;
        if (leads && finding.records().getFirst().getType() == Type.DNAME) {
            RRset first = finding.records().getFirst();
            cache.keep(
                    new Finding(
                            new Question(first.getName(), Type.DNAME),
                            Finding.Kind.RECORDS,
                            List.of(first),
                            List.of(),
                            finding.zone(),
                            finding.security(),
                            finding.reason(),
                            finding.ttl(),
                            false));
        }
    }

    // ---- what is looked up on the way

    /// For the validator: keys and delegation signers, which may be what is judged itself. Who
    /// wants them fresh doubts what he has heard.
    private Finding fetched(Errand errand, Finding judged, Question question, Request request) {
        boolean fresh = request.wish().refresh();
        if (fresh) {
            errand.doubt();
        } else if (question.equals(judged.question())) {
            return judged;
        }
        return needed(errand, question, fresh);
    }

    /// Something that has to be known first; it is not judged here.
    private Finding needed(Errand errand, Question question, boolean fresh) {
        if (errand.circles(question)) {
            return circular(question);
        }
        if (!fresh) {
            Optional<Finding> known = cache.find(question, routes.route(question).top());
            if (known.isPresent()) {
                trace(errand.request(), "cache", known.get());
                return known.get();
            }
        }
        Quota quota = errand.request().quota();
        if (!quota.descend()) {
            errand.entangle();
            return Finding.failure(
                    question,
                    Name.root,
                    0,
                    new Reason(
                            ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY,
                            question + ": too many questions inside of each other"));
        }
        try {
            Errand inner = errand.needing(question);
            Route route = routes.route(question);
            List<Finding> chain = sought(route, inner);
            for (Finding each : chain) {
                if (each.ttl() > 0
                        && !ours(route)
                        && routes.route(each.question()).equals(route)
                        && each.kind() != Finding.Kind.TOO_LONG
                        && (each.kind() != Finding.Kind.FAILURE || inner.failureIsItsOwn())) {
                    cache.keep(each);
                }
            }
            return chain.getFirst();
        } finally {
            quota.rise();
        }
    }

    private static Finding circular(Question question) {
        return Finding.failure(
                question,
                Name.root,
                0,
                new Reason(
                        ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY,
                        question + ": needs itself to be found"));
    }

    /// Addresses of name servers, for the walk.
    private final class Addresses implements NameServers.Addresses {

        private final RootHints hints;

        Addresses(RootHints hints) {
            this.hints = hints;
        }

        @Override
        public Collection<InetAddress> known(Name server) {
            List<InetAddress> known = new ArrayList<>();
            for (int type : new int[] {Type.A, Type.AAAA}) {
                cache.find(new Question(server, type)).ifPresent(found -> add(found, known));
            }
            return known;
        }

        @Override
        public Collection<InetAddress> glue(Name server) {
            return Stream.concat(cache.delegation(server).stream(), Stream.of(hints.root()))
                    .flatMap(delegation -> delegation.glue().stream())
                    .filter(set -> set.getName().equals(server))
                    .flatMap(set -> set.rrs(false).stream())
                    .map(RootHints::address)
                    .toList();
        }

        @Override
        public Collection<InetAddress> look(Name server, int type, Errand errand) {
            Question question = new Question(server, type);
            List<InetAddress> found = new ArrayList<>();
            if (errand.lookup()) {
                add(needed(errand, question, false), found);
            }
            return found;
        }

        @Override
        public List<Name> child(Name zone) {
            return zone.equals(Name.root) ? RootHints.names(hints.root().ns()) : children.of(zone);
        }

        @Override
        public boolean mayAsk(InetAddress address) {
            return settings.mayAsk(address) || hints.has(address);
        }

        private static void add(Finding finding, List<InetAddress> found) {
            if (finding.kind() != Finding.Kind.RECORDS || finding.security() == Security.BOGUS) {
                return;
            }
            for (Record record : finding.set().rrs(false)) {
                if (record instanceof ARecord || record instanceof AAAARecord) {
                    found.add(RootHints.address(record));
                }
            }
        }
    }

    // ---- words

    private static Answer failed(Question question, String why) {
        return new Answer(
                question,
                List.of(
                        Finding.failure(
                                question,
                                Name.root,
                                0,
                                new Reason(ExtendedErrorCodeOption.OTHER, why))));
    }

    private static void trace(Request request, String whom, Finding finding) {
        trace(
                request,
                new Step(
                        whom,
                        finding.zone(),
                        finding.question(),
                        Walk.what(finding),
                        (finding.stale() ? "stale, " : "") + Walk.detail(finding),
                        Duration.ZERO));
    }

    private static void trace(Request request, Step step) {
        request.trace().accept(step);
    }
}
