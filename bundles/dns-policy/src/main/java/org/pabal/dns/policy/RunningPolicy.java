package org.pabal.dns.policy;

import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.dns.server.SparingLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/// A list or a zone at work: applies the current version of its [Rules], counts, and says in the
/// log what it did.
final class RunningPolicy implements ResponsePolicy {

    private final String name;
    private final int order;
    private final boolean onlyLog;
    private final Optional<SparingLog> log;
    private final LongAdder asked = new LongAdder();
    private final Map<String, LongAdder> ruled = new ConcurrentHashMap<>();

    /// Replaced as a whole.
    private volatile Rules rules;

    /// @param onlyLog it has no ruling on anything, but says what it would have been
    RunningPolicy(PolicySettings settings, Rules first) {
        this(
                settings,
                first,
                settings.log()
                        ? Optional.of(LoggerFactory.getLogger(RunningPolicy.class))
                        : Optional.empty());
    }

    RunningPolicy(PolicySettings settings, Rules first, Optional<Logger> log) {
        this.name = settings.name();
        this.order = settings.order();
        this.onlyLog = settings.action() == Action.DISABLED;
        this.log = log.map(to -> new SparingLog(to::info));
        this.rules = first;
    }

    String name() {
        return name;
    }

    /// The lower, the sooner it is asked.
    int order() {
        return order;
    }

    Rules rules() {
        return rules;
    }

    void rules(Rules next) {
        rules = next;
    }

    @Override
    public Ruling question(Name name, int type, InetAddress client) {
        asked.increment();
        Optional<Match> match = rules.question(name, type, client);
        return match.isEmpty() ? Ruling.NONE : obeyed(match.get(), name, type, client);
    }

    @Override
    public Ruling answer(Name name, int type, InetAddress client, List<RRset> answer) {
        Optional<Match> match = rules.answer(name, type, answer);
        return match.isEmpty() ? Ruling.NONE : obeyed(match.get(), name, type, client);
    }

    @Override
    public boolean judgesAnswers() {
        return rules.judgesAnswers();
    }

    private Ruling obeyed(Match match, Name asked, int type, InetAddress client) {
        String what = (onlyLog ? "would be " : "") + told(match.ruling());
        ruled.computeIfAbsent(what, w -> new LongAdder()).increment();
        if (!(match.ruling() instanceof Ruling.Pass)) {
            log.ifPresent(
                    l ->
                            l.say(
                                    () ->
                                            "policy "
                                                    + name
                                                    + ": "
                                                    + asked
                                                    + " "
                                                    + Type.string(type)
                                                    + " for "
                                                    + client.getHostAddress()
                                                    + ": "
                                                    + what
                                                    + ", by "
                                                    + match.trigger()));
        }
        return onlyLog ? Ruling.NONE : match.ruling();
    }

    private static String told(Ruling ruling) {
        return switch (ruling) {
            case Ruling.None none -> "left to others";
            case Ruling.Pass pass -> "let through";
            case Ruling.NoName no -> "no such name";
            case Ruling.NoRecord no -> "no such record";
            case Ruling.Drop drop -> "dropped";
            case Ruling.OverTcp tcp -> "sent to TCP";
            case Ruling.Instead instead -> "answered otherwise";
        };
    }

    /// One line for the shell.
    String line() {
        StringBuilder line = new StringBuilder();
        line.append(name).append(": order ").append(order).append(", ").append(rules.summary());
        line.append(onlyLog ? ", disabled" : "");
        line.append(String.format(Locale.ROOT, "; asked %,d", asked.sum()));
        new TreeMap<>(ruled)
                .forEach(
                        (what, times) ->
                                line.append(
                                        String.format(Locale.ROOT, ", %s %,d", what, times.sum())));
        return line.toString();
    }

    /// What it says of a question, without counting: one line for the shell; empty when nothing.
    Optional<String> explain(Name asked, int type, InetAddress client) {
        return rules.question(asked, type, client)
                .map(
                        match ->
                                name
                                        + ": "
                                        + (onlyLog ? "disabled, would be " : "")
                                        + told(match.ruling())
                                        + ", by "
                                        + match.trigger()
                                        + (match.ruling()
                                                        instanceof
                                                        Ruling.Instead(RRset records, String why)
                                                ? ": " + text(records)
                                                : ""));
    }

    private static String text(RRset records) {
        return String.join(
                "; ",
                records.rrs(false).stream()
                        .map(r -> Type.string(r.getType()) + " " + r.rdataToString())
                        .toList());
    }

    @Override
    public String toString() {
        return name;
    }
}
