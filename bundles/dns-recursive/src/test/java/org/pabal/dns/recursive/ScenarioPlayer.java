package org.pabal.dns.recursive;

import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Plays a [Scenario] to a recursion, without sockets.
final class ScenarioPlayer implements Upstream {

    private final Scenario scenario;
    private final Validator validator;
    private final MovableClock clock;
    private final StringBuilder log = new StringBuilder();
    private int now;

    ScenarioPlayer(Scenario scenario, Validator validator, MovableClock clock) {
        this.scenario = scenario;
        this.validator = validator;
        this.clock = clock;
    }

    /// What differs, and what was asked; empty when all went as it is written.
    Optional<String> play() throws IOException {
        WalkSettings settings =
                new WalkSettings(
                        !List.of("off", "no")
                                .contains(
                                        scenario.settings.getOrDefault("query-minimization", "on")),
                        true,
                        53,
                        !List.of("no", "false")
                                .contains(scenario.settings.getOrDefault("do-ip6", "yes")),
                        false,
                        Duration.ofSeconds(2),
                        100,
                        10);
        Cache cache = new MapCache(clock);
        try (Recursion recursion =
                new Recursion(
                        cache,
                        this,
                        validator,
                        routes(),
                        hints(),
                        settings,
                        finding -> finding,
                        clock)) {
            Answer last = null;
            for (Scenario.Step step : scenario.steps) {
                now = step.id();
                switch (step.kind()) {
                    case "QUERY" -> {
                        Scenario.Entry asked = step.entry().orElseThrow();
                        Record question = asked.question.orElseThrow();
                        Request.Wish wish =
                                asked.flags.contains((int) Flags.CD)
                                        ? Request.Wish.CHECKING_DISABLED
                                        : Request.Wish.NOTHING;
                        Request.Trace.Kept trace = new Request.Trace.Kept();
                        last =
                                recursion.answer(
                                        new Question(question.getName(), question.getType()),
                                        Request.of(wish, trace));
                        trace.steps().forEach(s -> log.append("  ").append(s).append('\n'));
                    }
                    case "CHECK_ANSWER", "ANSWER" -> {
                        Optional<String> difference = difference(step.entry().orElseThrow(), last);
                        if (difference.isPresent()) {
                            return Optional.of(
                                    "step " + step.id() + ": " + difference.get() + "\n" + log);
                        }
                    }
                    case "TIME_PASSES" ->
                            clock.advance(
                                    Duration.ofSeconds(Long.parseLong(step.words().getLast())));
                    default -> {}
                }
            }
        }
        return Optional.empty();
    }

    private Routes routes() throws IOException {
        String forward = scenario.settings.get("forward-addr");
        if (forward == null) {
            return Routes.FROM_THE_ROOT;
        }
        Server server = new Server(Name.root, new InetSocketAddress(forward.split("@")[0], 53));
        return question -> new Route.Forward(Name.root, List.of(server));
    }

    private RootHints hints() throws IOException {
        if (!scenario.settings.containsKey("stub-addr")) {
            return RootHints.builtIn();
        }
        String address = scenario.settings.get("stub-addr").split("[@\\s]")[0];
        String type = address.contains(":") ? "AAAA" : "A";
        String file = ". 3600000 IN NS k.root.\nk.root. 3600000 IN " + type + " " + address + "\n";
        return RootHints.read(new ByteArrayInputStream(file.getBytes(StandardCharsets.US_ASCII)));
    }

    private static Optional<String> difference(Scenario.Entry wanted, Answer answer) {
        boolean all = wanted.match.contains("all");
        if ((all || wanted.match.contains("rcode")) && wanted.rcode != answer.rcode()) {
            return Optional.of(
                    "rcode %s, not %s (%s)"
                            .formatted(
                                    Rcode.string(answer.rcode()),
                                    Rcode.string(wanted.rcode),
                                    answer.reason()));
        }
        boolean secure = wanted.flags.contains((int) Flags.AD);
        if ((all || wanted.match.contains("flags"))
                && answer.rcode() != Rcode.SERVFAIL
                && secure != (answer.security() == Security.SECURE)
                && (secure || wanted.wantsDnssec)) {
            return Optional.of("AD: " + answer.security() + " " + answer.reason());
        }
        if (all || wanted.match.contains("answer")) {
            Set<String> expected = texts(wanted.section(Section.ANSWER).stream());
            Set<String> told =
                    answer.rcode() == Rcode.SERVFAIL
                            ? Set.of()
                            : texts(answer.records().stream().flatMap(ScenarioPlayer::records));
            if (!expected.equals(told)) {
                return Optional.of("answer " + told + ", not " + expected);
            }
        }
        return Optional.empty();
    }

    private static Stream<Record> records(RRset set) {
        return Stream.concat(set.rrs(false).stream(), set.sigs().stream());
    }

    private static Set<String> texts(Stream<Record> records) {
        return records.filter(record -> record.getType() != Type.RRSIG)
                .map(
                        record ->
                                record.getName().canonicalize()
                                        + " "
                                        + Type.string(record.getType())
                                        + " "
                                        + record.rdataToString().toLowerCase())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    // ---- the servers

    @Override
    public Reply ask(
            Server server, Name zone, Question question, boolean recursive, Request request)
            throws IOException {
        if (!request.quota().fetch()) {
            throw new IOException("the quota is spent");
        }
        String address = server.address().getAddress().getHostAddress();
        Set<String> all =
                scenario.ranges.stream()
                        .flatMap(range -> range.addresses().stream())
                        .collect(Collectors.toSet());
        if (!all.contains(address)) {
            throw new IOException("no route to " + address);
        }
        for (Scenario.Range range : scenario.ranges) {
            if (now < range.from()
                    || now > range.to()
                    || !range.addresses().isEmpty() && !range.addresses().contains(address)) {
                continue;
            }
            for (Scenario.Entry entry : range.entries()) {
                if (matches(entry, question)) {
                    if (entry.adjust.contains("do_not_answer")) {
                        throw new IOException("timed out");
                    }
                    return reply(server, entry, question);
                }
            }
            if (!range.addresses().isEmpty()) {
                break;
            }
        }
        Scenario.Entry failure = new Scenario.Entry();
        failure.rcode = Rcode.SERVFAIL;
        return reply(server, failure, question);
    }

    private static boolean matches(Scenario.Entry entry, Question question) {
        Set<String> match = entry.match;
        boolean whole = match.contains("question") || match.contains("all");
        Record own = entry.question.orElse(null);
        return (!whole && !match.contains("qtype") || own.getType() == question.type())
                && (!whole && !match.contains("qname") || own.getName().equals(question.name()))
                && (!match.contains("subdomain") || question.name().subdomain(own.getName()));
    }

    private static Reply reply(Server server, Scenario.Entry entry, Question question) {
        Message message = new Message();
        Header header = message.getHeader();
        entry.flags.forEach(header::setFlag);
        header.setRcode(entry.rcode);
        message.addRecord(Record.newRecord(question.name(), question.type(), 1), Section.QUESTION);
        entry.sections.forEach(
                (section, records) ->
                        records.forEach(record -> message.addRecord(record, section)));
        return new Reply(server, message, Reply.Transport.UDP, Duration.ofMillis(1));
    }

    @Override
    public List<Server> order(Name zone, List<Server> servers) {
        return servers;
    }

    @Override
    public void lame(Server server, Name zone, Duration howLong) {}
}
