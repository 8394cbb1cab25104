package org.pabal.dns.recursive;

import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/// Answers the questions of clients as the policies want it.
///
/// ```
/// question ── rulings on it ──┬─ none, or to pass ── Recursor ── rulings on the answer ── told
///                             └─ any other ── told at once, nothing is looked up
/// ```
/// What is bogus stays SERVFAIL whatever the policies say (security row D12), and nothing that was
/// made here is called secure. What is signed is not rewritten for a client that wants signatures,
/// who would see that it is forged, unless the administrator says so (draft-vixie-dnsop-dns-rpz,
/// break-dnssec).
final class PolicedRecursor {

    private static final Logger LOG = LoggerFactory.getLogger(PolicedRecursor.class);
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    /// Who asks.
    ///
    /// @param stream he came over TCP or TLS
    /// @param signatures he wants signatures (DO, RFC 3225 §3)
    record Client(InetAddress address, boolean stream, boolean signatures) {}

    /// What the policies say of a question.
    ///
    /// @param before these are asked about the answer, when it is looked up
    /// @param ruling [Ruling.None] and [Ruling.Pass] when it is to be looked up
    record Asked(List<ResponsePolicy> before, Ruling ruling) {

        private static final Asked FREE = new Asked(List.of(), Ruling.NONE);

        /// Whether no policy has anything to say, of the answer neither: what is in the cache may
        /// be sent as it is.
        boolean free() {
            return before.isEmpty() && passes();
        }

        private boolean passes() {
            return ruling instanceof Ruling.None || ruling instanceof Ruling.Pass;
        }
    }

    private final Recursor recursor;
    private final Supplier<List<ResponsePolicy>> policies;
    private final boolean breakDnssec;
    private final AtomicLong complained = new AtomicLong(System.nanoTime() - MINUTE);

    /// @param policies in the order in which they are asked, at this moment
    /// @param breakDnssec what is signed is rewritten too, for clients that want signatures
    PolicedRecursor(
            Recursor recursor, Supplier<List<ResponsePolicy>> policies, boolean breakDnssec) {
        this.recursor = recursor;
        this.policies = policies;
        this.breakDnssec = breakDnssec;
    }

    /// For a client over UDP that wants no signatures.
    Outcome answer(Question question, Request request, InetAddress client) {
        return answer(question, request, new Client(client, false, false));
    }

    Outcome answer(Question question, Request request, Client client) {
        return answer(question, request, client, ask(question, client.address()));
    }

    /// Asks the policies about a question; never waits.
    Asked ask(Question question, InetAddress client) {
        List<ResponsePolicy> all = policies.get();
        if (all.isEmpty()) {
            return Asked.FREE;
        }
        List<ResponsePolicy> judges = new ArrayList<>();
        for (ResponsePolicy policy : all) {
            Ruling ruling =
                    heard(policy, () -> policy.question(question.name(), question.type(), client));
            if (fits(policy, ruling, question, List.of()) && !(ruling instanceof Ruling.None)) {
                return new Asked(judges, ruling);
            }
            if (policy.judgesAnswers()) {
                judges.add(policy);
            }
        }
        return judges.isEmpty() ? Asked.FREE : new Asked(judges, Ruling.NONE);
    }

    /// The same for a question of which the policies were asked already.
    Outcome answer(Question question, Request request, Client client, Asked asked) {
        if (asked.passes()) {
            return judged(question, request, client, asked.before());
        }
        if (asked.ruling() instanceof Ruling.Drop) {
            return Outcome.DROP;
        }
        if (asked.ruling() instanceof Ruling.OverTcp) {
            return client.stream()
                    ? judged(question, request, client, List.of())
                    : Outcome.OVER_TCP;
        }
        if (client.signatures() && !breakDnssec) {
            Answer there = recursor.answer(question, request);
            if (untouchable(there, client)) {
                return new Outcome.Told(there);
            }
        }
        return rewritten(question, List.of(), asked.ruling(), request);
    }

    private Outcome judged(
            Question question, Request request, Client client, List<ResponsePolicy> judges) {
        Answer answer = recursor.answer(question, request);
        if (judges.isEmpty() || untouchable(answer, client)) {
            return new Outcome.Told(answer);
        }
        List<RRset> records = answer.records();
        for (ResponsePolicy policy : judges) {
            Ruling ruling =
                    heard(
                            policy,
                            () ->
                                    policy.answer(
                                            question.name(),
                                            question.type(),
                                            client.address(),
                                            records));
            if (!fits(policy, ruling, question, answer.chain())) {
                continue;
            }
            switch (ruling) {
                case Ruling.None none -> {
                    continue;
                }
                case Ruling.Drop drop -> {
                    return Outcome.DROP;
                }
                case Ruling.OverTcp tcp -> {
                    return client.stream() ? new Outcome.Told(answer) : Outcome.OVER_TCP;
                }
                case Ruling.Pass pass -> {
                    return new Outcome.Told(answer);
                }
                case Ruling.NoName no -> {
                    return rewritten(question, List.of(), no, request);
                }
                case Ruling.NoRecord no -> {
                    return rewritten(question, List.of(), no, request);
                }
                case Ruling.Instead instead -> {
                    return rewritten(question, answer.chain(), instead, request);
                }
            }
        }
        return new Outcome.Told(answer);
    }

    /// Security row D12; and what a client can see to be forged.
    private boolean untouchable(Answer answer, Client client) {
        return answer.security() == Security.BOGUS
                || client.signatures() && !breakDnssec && signed(answer);
    }

    private static boolean signed(Answer answer) {
        return answer.chain().stream()
                .anyMatch(
                        finding ->
                                finding.security() == Security.SECURE
                                        || signed(finding.records())
                                        || signed(finding.proof()));
    }

    private static boolean signed(List<RRset> sets) {
        return sets.stream().anyMatch(set -> !set.sigs().isEmpty());
    }

    /// @param there what there is, when that has been looked up
    private Outcome rewritten(
            Question question, List<Finding> there, Ruling ruling, Request request) {
        List<Finding> chain = new ArrayList<>();
        switch (ruling) {
            case Ruling.NoName(String why) ->
                    chain.add(made(question, Finding.Kind.NO_NAME, List.of(), blocked(why)));
            case Ruling.NoRecord(String why) ->
                    chain.add(made(question, Finding.Kind.NO_RECORD, List.of(), blocked(why)));
            case Ruling.Instead(RRset records, String why) -> {
                there.stream()
                        .takeWhile(finding -> !finding.question().name().equals(records.getName()))
                        .forEach(chain::add);
                chain.addAll(instead(question, records, why, request));
            }
            default -> throw new IllegalArgumentException(ruling + ": nothing is rewritten by it");
        }
        return new Outcome.Told(new Answer(question, chain));
    }

    private List<Finding> instead(Question question, RRset records, String why, Request request) {
        Question here = new Question(records.getName(), question.type());
        // RFC 8914 §4.5: an answer was forged; §4.16 is for those that are refused
        Optional<Reason> reason =
                Optional.of(new Reason(ExtendedErrorCodeOption.FORGED_ANSWER, why));
        if (!leadsOn(records, question.type())) {
            return List.of(made(here, Finding.Kind.RECORDS, List.of(records), reason));
        }
        List<Finding> findings = new ArrayList<>();
        findings.add(made(here, Finding.Kind.ALIAS, List.of(records), reason));
        Name target = ((CNAMERecord) records.first()).getTarget();
        findings.addAll(recursor.answer(new Question(target, question.type()), request).chain());
        return findings;
    }

    private static boolean leadsOn(RRset records, int type) {
        return records.getType() == Type.CNAME && type != Type.CNAME && type != Type.ANY;
    }

    /// RFC 8914 §4.16
    private static Optional<Reason> blocked(String why) {
        return Optional.of(new Reason(ExtendedErrorCodeOption.BLOCKED, why));
    }

    private static Finding made(
            Question question, Finding.Kind kind, List<RRset> records, Optional<Reason> reason) {
        long ttl = records.isEmpty() ? 0 : records.getFirst().getTTL();
        return new Finding(
                question,
                kind,
                records,
                List.of(),
                question.name(),
                Security.INSECURE,
                reason,
                ttl,
                false);
    }

    /// Whether a ruling can be obeyed: records in place of others are for the name that was asked
    /// for or for one of its aliases, are of the right type, and lead to another name.
    private boolean fits(
            ResponsePolicy policy, Ruling ruling, Question question, List<Finding> there) {
        if (!(ruling instanceof Ruling.Instead(RRset records, String why))) {
            return true;
        }
        boolean fits =
                !records.isEmpty()
                        && (records.getType() == question.type()
                                || records.getType() == Type.CNAME
                                || question.type() == Type.ANY)
                        && (records.getName().equals(question.name())
                                || there.stream()
                                        .anyMatch(
                                                f -> f.question().name().equals(records.getName())))
                        && !(records.first() instanceof CNAMERecord alias
                                && alias.getTarget().equals(alias.getName()));
        if (!fits) {
            complain(policy, "has records that are no answer to " + question + " (" + why + ")");
        }
        return fits;
    }

    /// A policy that fails has nothing to say: a fault in one must not stop all answers.
    private Ruling heard(ResponsePolicy policy, Supplier<Ruling> ruling) {
        try {
            return ruling.get();
        } catch (RuntimeException e) {
            complain(policy, "failed: " + e);
            return Ruling.NONE;
        }
    }

    /// Once a minute: clients must not fill the log.
    private void complain(ResponsePolicy policy, String what) {
        long last = complained.get();
        long now = System.nanoTime();
        if (now - last >= MINUTE && complained.compareAndSet(last, now)) {
            LOG.warn("resolver: policy {} {}; it is passed over", policy, what);
        }
    }
}
