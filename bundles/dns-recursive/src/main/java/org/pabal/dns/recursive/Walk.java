package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Finds out by iterated queries: asks a server, is referred to one that knows more, asks that one
/// (RFC 1034 §5.3.3).
///
/// ```
///   we                 root            com.           example.com.
///    │ com. A ─────────▶│               │                 │        (RFC 9156: no more than needed)
///    │◀─ referral, NS ──│               │                 │
///    │ example.com. A ─────────────────▶│                 │
///    │◀─ referral, NS, glue ────────────│                 │
///    │ www.example.com. A ───────────────────────────────▶│
///    │◀─ answer ──────────────────────────────────────────│
/// ```
/// A way only leads down: each referral must be nearer to the name than the zone that made it.
final class Walk {

    /// A name has 127 labels at most, and hardly one of them a cut.
    private static final int MAX_REFERRALS = 32;

    /// Servers that are asked the same before the zone is given up, silent ones each time.
    private static final int MAX_TRIES = 40;

    /// Servers that say something weak before it is taken for what it is.
    private static final int MAX_WEAK = 4;

    /// RFC 9156 §2.3: questions with less than the whole name, and of these so many that are
    /// longer by one label only.
    private static final int MAX_MINIMISE_COUNT = 10;

    private static final int MINIMISE_ONE_LABEL = 4;

    /// For how long a server is asked last that does not serve a zone it should.
    private static final Duration LAME = Duration.ofMinutes(15);

    private final Cache cache;
    private final Upstream upstream;
    private final RootHints hints;
    private final WalkSettings settings;
    private final NameServers.Addresses addresses;
    private final ChildServers children;

    Walk(
            Cache cache,
            Upstream upstream,
            RootHints hints,
            WalkSettings settings,
            NameServers.Addresses addresses,
            ChildServers children) {
        this.cache = cache;
        this.upstream = upstream;
        this.hints = hints;
        this.settings = settings;
        this.addresses = addresses;
        this.children = children;
    }

    /// From the nearest delegation that is known, or from the root.
    ///
    /// @return what the errand's question led to, and findings of names that it is an alias of
    List<Finding> walk(Errand errand) {
        Question question = errand.question();
        Name nearest =
                question.type() == Type.DS && question.name().labels() > 1
                        ? new Name(question.name(), 1) // RFC 4035 §3.1.4.1: the parent knows
                        : question.name();
        Delegation delegation = cache.delegation(nearest).orElseGet(() -> root(errand));
        return from(delegation, errand);
    }

    /// From a delegation on.
    List<Finding> from(Delegation delegation, Errand errand) {
        return new Way(errand, servers(delegation, errand)).go();
    }

    /// From servers that an administrator named for a zone.
    List<Finding> from(Name zone, List<Server> servers, Errand errand) {
        RRset ns = new RRset(new NSRecord(zone, DClass.IN, 0, Name.root));
        Delegation named = new Delegation(zone, ns, List.of(), 0);
        return new Way(
                        errand,
                        new NameServers(named, servers, addresses, upstream, settings, errand))
                .go();
    }

    /// What a resolver says that does the walk for us.
    List<Finding> forward(Name zone, List<Server> servers, Errand errand) {
        RRset ns = new RRset(new NSRecord(zone, DClass.IN, 0, Name.root));
        Delegation named = new Delegation(zone, ns, List.of(), 0);
        NameServers all = new NameServers(named, servers, addresses, upstream, settings, errand);
        return new Way(errand, all, true).go();
    }

    /// Of whom the root says that they serve it, RFC 9609; kept, for as long as it says. The hints
    /// when nobody answers.
    private Delegation root(Errand errand) {
        Question question = new Question(Name.root, Type.NS);
        NameServers servers = servers(hints.root(), errand);
        for (int tries = 0; tries < 4; tries++) {
            Optional<Server> server = servers.next();
            if (server.isEmpty()) {
                break;
            }
            try {
                Reply reply =
                        upstream.ask(server.get(), Name.root, question, false, errand.request());
                Optional<Delegation> primed = ReplyReading.rootServers(reply.message());
                Step.What what = primed.isPresent() ? Step.What.ANSWER : Step.What.UNUSABLE;
                step(errand, server.get(), Name.root, question, what, "priming", reply.took());
                if (primed.isPresent()) {
                    Delegation root = hints.completed(primed.get());
                    cache.keep(root);
                    return root;
                }
                servers.good(server.get());
            } catch (IOException e) {
                servers.silent(server.get());
                step(
                        errand,
                        server.get(),
                        Name.root,
                        question,
                        Step.What.SILENCE,
                        "priming: " + e.getMessage(),
                        Duration.ZERO);
            }
        }
        cache.keep(hints.root());
        return hints.root();
    }

    private NameServers servers(Delegation delegation, Errand errand) {
        return new NameServers(delegation, addresses, upstream, settings, errand);
    }

    private static void step(
            Errand errand,
            Server server,
            Name zone,
            Question question,
            Step.What what,
            String detail,
            Duration took) {
        errand.request()
                .trace()
                .accept(new Step(server.toString(), zone, question, what, detail, took));
    }

    /// One walk: where we are, and what was asked so far.
    private final class Way {

        private final Errand errand;
        private final Question wanted;
        private final boolean recursive;
        private NameServers servers;
        private Name zone;

        /// The name that is asked, with QNAME minimisation a part of the one that is wanted.
        private Question asked;

        private boolean minimise;
        private int minimised;
        private Optional<List<Finding>> weak = Optional.empty();
        private int weakReplies;
        private String trouble = "";
        private boolean somebodySpoke;

        Way(Errand errand, NameServers servers) {
            this(errand, servers, false);
        }

        Way(Errand errand, NameServers servers, boolean recursive) {
            this.errand = errand;
            this.wanted = errand.question();
            this.recursive = recursive;
            this.minimise = settings.qnameMinimisation() && !recursive;
            enter(servers);
        }

        private void enter(NameServers next) {
            servers = next;
            zone = next.delegation().zone();
            weak = Optional.empty();
            weakReplies = 0;
            trouble = "";
            somebodySpoke = false;
            asked = minimised(zone);
        }

        List<Finding> go() {
            for (int referrals = 0; referrals < MAX_REFERRALS; referrals++) {
                Reading reading = askZone();
                switch (reading) {
                    case Reading.Referral referral -> {
                        Delegation down = referral.delegation();
                        if (down.ttl() > 0) {
                            cache.keep(down);
                        }
                        // a child must not live longer than the parent lets it (row D5): when it
                        // was kept before, that one counts
                        referral.signer().filter(ds -> ds.ttl() > 0).ifPresent(cache::keep);
                        enter(servers(down, errand));
                    }
                    case Reading.Said said -> {
                        return said.chain();
                    }
                    case Reading.Weak said -> {
                        return said.chain();
                    }
                    case Reading.Lame lame -> {
                        return failure(lame.why());
                    }
                    case Reading.Unusable unusable -> {
                        return failure(unusable.why());
                    }
                }
            }
            return failure("more than " + MAX_REFERRALS + " referrals");
        }

        /// Asks the servers of the zone, one after the other, until it is known where to go: the
        /// whole name is answered, or a cut is found.
        private Reading askZone() {
            for (int tries = 0; tries < MAX_TRIES; tries++) {
                Optional<Server> server = servers.next();
                if (server.isEmpty()) {
                    break;
                }
                Optional<Reading> reading = ask(server.get());
                if (reading.isPresent()) {
                    return reading.get();
                }
            }
            return weak.<Reading>map(chain -> new Reading.Weak("nobody says more", chain))
                    .orElseGet(() -> new Reading.Unusable(trouble));
        }

        private Optional<Reading> ask(Server server) {
            Reply reply;
            try {
                reply = upstream.ask(server, zone, asked, recursive, errand.request());
            } catch (IOException e) {
                servers.silent(server);
                // a socket that is closed under who reads says nothing at all
                String why = Objects.requireNonNullElse(e.getMessage(), "closed");
                if (trouble.isEmpty() || !(e instanceof QuotaSpent)) {
                    trouble = why; // that the time is over is what came of it
                }
                trace(server, Step.What.SILENCE, why, Duration.ZERO);
                return Optional.empty();
            }
            Reading reading = ReplyReading.read(reply.message(), asked, zone, recursive);
            somebodySpoke = true;
            trace(server, what(reading), detail(reading), reply.took());
            return heard(server, reading);
        }

        /// What to do with it: nothing, which is to ask the next server, or where it leads.
        private Optional<Reading> heard(Server server, Reading reading) {
            boolean whole = asked.equals(wanted);
            switch (reading) {
                case Reading.Referral referral -> {
                    servers.good(server);
                    errand.heard(server);
                    return Optional.of(reading);
                }
                case Reading.Said said -> {
                    servers.good(server);
                    said.servers().ifPresent(children::keep);
                    if (whole) {
                        errand.heard(server);
                        return Optional.of(said);
                    }
                    longer(said.chain().getFirst().kind());
                    return Optional.empty();
                }
                case Reading.Weak said -> {
                    if (!whole) {
                        servers.good(server);
                        longer(said.chain().getFirst().kind());
                        return Optional.empty();
                    }
                    errand.heard(server);
                    servers.bad(server);
                    trouble = server + " " + said.why();
                    weak = weak.or(() -> Optional.of(said.chain()));
                    boolean enough = ++weakReplies >= MAX_WEAK;
                    return enough
                            ? Optional.of(new Reading.Weak(said.why(), weak.get()))
                            : Optional.empty();
                }
                case Reading.Lame lame -> {
                    upstream.lame(server, zone, LAME);
                    return unusable(server, lame.why(), whole);
                }
                case Reading.Unusable unusable -> {
                    return unusable(server, unusable.why(), whole);
                }
            }
        }

        private Optional<Reading> unusable(Server server, String why, boolean whole) {
            trouble = server + " " + why;
            if (whole) {
                servers.bad(server);
                return Optional.empty();
            }
            // RFC 9156 §5: some servers choke on names that they do not expect; whole ones work
            servers.good(server);
            wholeName();
            return Optional.empty();
        }

        /// The part of the name was no cut. There is one label more, or all of them when this
        /// seems to be a server that denies what it has names below (RFC 8020 §1, RFC 9156 §5).
        private void longer(Finding.Kind kind) {
            if (kind != Finding.Kind.RECORDS && kind != Finding.Kind.NO_RECORD) {
                wholeName();
                return;
            }
            asked = minimised(asked.name());
            servers.again();
        }

        private void wholeName() {
            minimise = false;
            asked = wanted;
            servers.again();
        }

        /// RFC 9156 §2.3: one label more than what is above, later some more at once.
        private Question minimised(Name above) {
            int missing = wanted.name().labels() - above.labels();
            // a DS is at the parent, so the name itself is no cut to look for
            if (!minimise || missing <= 1 || minimised >= MAX_MINIMISE_COUNT) {
                return wanted;
            }
            int add = 1;
            if (minimised >= MINIMISE_ONE_LABEL) {
                int left = MAX_MINIMISE_COUNT - minimised;
                add = Math.max(1, (missing + left - 1) / left);
            }
            minimised++;
            return add >= missing
                    ? wanted
                    : new Question(new Name(wanted.name(), missing - add), Type.A);
        }

        private List<Finding> failure(String why) {
            String text =
                    recursive
                            ? "no resolver for " + zone + " helps"
                            : "no server of " + zone + " helps";
            Reason reason =
                    new Reason(
                            somebodySpoke || trouble.isEmpty()
                                    ? ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY
                                    : ExtendedErrorCodeOption.NETWORK_ERROR,
                            why.isEmpty() ? text : text + ": " + why);
            errand.request()
                    .trace()
                    .accept(
                            new Step(
                                    "walk",
                                    zone,
                                    wanted,
                                    Step.What.FAILURE,
                                    reason.text(),
                                    Duration.ZERO));
            return List.of(Finding.failure(wanted, zone, Recursion.FAILURE_TTL, reason));
        }

        private void trace(Server server, Step.What what, String detail, Duration took) {
            step(errand, server, zone, asked, what, detail, took);
        }

        private static Step.What what(Reading reading) {
            return switch (reading) {
                case Reading.Referral r -> Step.What.REFERRAL;
                case Reading.Said said -> Walk.what(said.chain().getFirst());
                case Reading.Weak w -> Step.What.UNUSABLE;
                case Reading.Lame l -> Step.What.UNUSABLE;
                case Reading.Unusable u -> Step.What.UNUSABLE;
            };
        }

        private static String detail(Reading reading) {
            return switch (reading) {
                case Reading.Referral r -> {
                    int servers = r.delegation().ns().size();
                    yield "to %s, %d name server%s"
                            .formatted(r.delegation().zone(), servers, servers == 1 ? "" : "s");
                }
                case Reading.Said said -> Walk.detail(said.chain().getFirst());
                case Reading.Weak weak -> weak.why();
                case Reading.Lame lame -> lame.why();
                case Reading.Unusable unusable -> unusable.why();
            };
        }
    }

    static Step.What what(Finding finding) {
        return switch (finding.kind()) {
            case RECORDS -> Step.What.ANSWER;
            case ALIAS, TOO_LONG -> Step.What.ALIAS;
            case NO_RECORD -> Step.What.NO_RECORD;
            case NO_NAME -> Step.What.NO_NAME;
            case FAILURE -> Step.What.FAILURE;
        };
    }

    static String detail(Finding finding) {
        return switch (finding.kind()) {
            case ALIAS -> "of " + finding.target();
            case TOO_LONG -> "of a name that is too long";
            case RECORDS -> {
                int records = finding.set().rrs(false).size();
                yield records + (records == 1 ? " record" : " records");
            }
            case FAILURE -> finding.reason().map(Reason::text).orElse("");
            case NO_RECORD, NO_NAME -> "";
        };
    }
}
