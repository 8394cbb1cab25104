package org.pabal.delivery;

import org.pabal.mail.Attempt;
import org.pabal.mail.Courier;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.smtp.client.OutgoingMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// The last mile to other hosts.
///
/// ```
///   recipients by next hop ──▶ Lane: a turn, and a connection that is open already, or
///                                │      MailHostLookup ─▶ TlsPolicies ─▶ Dialer: connect, EHLO, STARTTLS
///                                ▼
///                      OutgoingMessage.prepare ─▶ SmtpConversation.send ─▶ outcomes, attempts
/// ```
/// A message that is for several next hops goes to all of them at the same time, so that one that
/// is dead keeps none of the others waiting.
final class RemoteCourier implements Courier {

    private static final Logger log = LoggerFactory.getLogger(RemoteCourier.class);

    /// A server that takes no more recipients at once is asked again so many times.
    private static final int MAX_TRANSACTIONS = 100;

    private final Routes routes;
    private final Lanes lanes;
    private final Dialer dialer;
    private final InstantSource clock;

    RemoteCourier(Routes routes, Lanes lanes, Dialer dialer, InstantSource clock) {
        this.routes = routes;
        this.lanes = lanes;
        this.dialer = dialer;
        this.clock = clock;
    }

    @Override
    public Map<MailAddress, Outcome> deliver(QueueEntry entry, List<Recipient> recipients)
            throws IOException {
        return deliver(entry, recipients, attempt -> {});
    }

    @Override
    public Map<MailAddress, Outcome> deliver(
            QueueEntry entry, List<Recipient> recipients, Consumer<Attempt> told)
            throws IOException {
        Map<NextHop, List<Recipient>> errands = new LinkedHashMap<>();
        for (Recipient recipient : recipients) {
            errands.computeIfAbsent(
                            routes.to(recipient.address().domain()), hop -> new ArrayList<>())
                    .add(recipient);
        }
        Map<MailAddress, Outcome> outcomes = new ConcurrentHashMap<>();
        List<Thread> others = new ArrayList<>(0);
        NextHop last = errands.keySet().stream().reduce((a, b) -> b).orElseThrow();
        for (Map.Entry<NextHop, List<Recipient>> errand : errands.entrySet()) {
            if (!errand.getKey().equals(last)) {
                others.add(
                        Thread.ofVirtual()
                                .name(
                                        "delivery of q"
                                                + entry.id()
                                                + " to "
                                                + errand.getKey().name())
                                .start(
                                        () ->
                                                run(
                                                        entry,
                                                        errand.getKey(),
                                                        errand.getValue(),
                                                        outcomes,
                                                        told)));
            }
        }
        run(entry, last, errands.get(last), outcomes, told);
        await(others);
        return outcomes;
    }

    private static void await(List<Thread> threads) throws InterruptedIOException {
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            threads.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("told to stop");
        }
    }

    private void run(
            QueueEntry entry,
            NextHop hop,
            List<Recipient> recipients,
            Map<MailAddress, Outcome> outcomes,
            Consumer<Attempt> told) {
        Errand errand = new Errand(entry, hop, recipients, outcomes, told);
        try {
            lanes.with(hop, errand::run);
        } catch (InterruptedIOException e) {
            errand.rest(new Status(451, "4.3.2", "this server was stopped on the way"));
        } catch (IOException e) {
            log.error("q{} to {}: {}", entry.id(), hop.name(), e.toString());
            errand.rest(new Status(451, "4.3.0", "this server could not do it just now"));
        } catch (RuntimeException e) {
            log.error("q{} to {}: a fault of the courier", entry.id(), hop.name(), e);
            errand.rest(new Status(451, "4.3.0", "this server could not do it just now"));
        }
    }

    /// One message on its way to one next hop.
    private final class Errand {

        private final QueueEntry entry;
        private final NextHop hop;
        private final List<Recipient> left;
        private final Map<MailAddress, Outcome> outcomes;
        private final Consumer<Attempt> told;
        private final Optional<DeliverBy> by;

        Errand(
                QueueEntry entry,
                NextHop hop,
                List<Recipient> recipients,
                Map<MailAddress, Outcome> outcomes,
                Consumer<Attempt> told) {
            this.entry = entry;
            this.hop = hop;
            this.left = new ArrayList<>(recipients);
            this.outcomes = outcomes;
            this.told = told;
            this.by = DeliverBy.of(entry);
        }

        /// RFC 2852 §4.1.4 is on relays; LMTP is the last mile.
        private boolean lmtp() {
            return hop instanceof NextHop.Server server && server.lmtp();
        }

        void run(Lane lane) throws IOException {
            Optional<Status> closed = lane.closed(entry.next());
            // Who has to arrive rather than be safe may get through where others do not.
            if (closed.isPresent() && TlsWish.of(entry) != TlsWish.RATHER_ARRIVE) {
                rest(closed.get());
                return;
            }
            while (!left.isEmpty()) {
                Optional<OpenConnection> open = lane.idle(TlsWish.required(entry.envelope()));
                boolean fresh = open.isEmpty();
                if (fresh) {
                    TlsWish wish = TlsWish.of(entry);
                    Dialer.Result dialled = dialer.dial(hop, domain(), wish, this::tell);
                    switch (dialled) {
                        case Dialer.Result.Open(OpenConnection connection) -> {
                            lane.works();
                            open = Optional.of(connection);
                        }
                        case Dialer.Result.Nobody(Status why) -> {
                            fails(lane, wish, why);
                            rest(why);
                            return;
                        }
                        case Dialer.Result.Unreachable(Status why) -> {
                            fails(lane, wish, why);
                            rest(why);
                            return;
                        }
                    }
                }
                handOver(lane, open.orElseThrow(), fresh);
            }
        }

        /// What keeps a message from a host that demands more of it than others do says nothing of
        /// theirs.
        private void fails(Lane lane, TlsWish wish, Status why) {
            if (!why.permanent() && wish != TlsWish.REQUIRED) {
                lane.fails(why, clock.instant());
            }
        }

        /// Recipients of one errand share the next hop; a route may bring several domains together,
        /// whose policies are then those of the host that the administrator named.
        private String domain() {
            return left.getFirst().address().domain();
        }

        private void handOver(Lane lane, OpenConnection connection, boolean fresh)
                throws InterruptedIOException {
            boolean usable = false;
            try {
                usable = transactions(lane, connection);
            } catch (InterruptedIOException e) {
                if (Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                lost(connection, fresh, e);
            } catch (IOException e) {
                if (Thread.currentThread().isInterrupted()) {
                    InterruptedIOException stopped = new InterruptedIOException("told to stop");
                    stopped.initCause(e);
                    throw stopped;
                }
                lost(connection, fresh, e);
            } finally {
                lane.giveBack(connection, usable && connection.judged());
            }
        }

        /// @return whether the connection may be used for another message
        private boolean transactions(Lane lane, OpenConnection connection) throws IOException {
            Optional<Status> late =
                    by.filter(deadline -> !lmtp())
                            .flatMap(
                                    deadline ->
                                            deadline.refusal(
                                                    connection.conversation().capabilities(),
                                                    connection.where(),
                                                    clock.instant()));
            if (late.isPresent()) {
                tell(connection.where(), connection.tls(), left, late.get());
                rest(late.get());
                return connection.conversation().reusable();
            }
            OutgoingMessage.Choice form =
                    OutgoingMessage.prepare(
                            entry.content(),
                            entry.envelope().with(left),
                            connection.conversation().capabilities());
            if (form instanceof OutgoingMessage.Choice.Impossible(Status why)) {
                tell(connection.where(), connection.tls(), left, why);
                rest(why);
                return connection.conversation().reusable();
            }
            OutgoingMessage message = ((OutgoingMessage.Choice.Ready) form).message();
            for (int i = 0; i < MAX_TRANSACTIONS && !left.isEmpty(); i++) {
                lane.awaitRate();
                int before = left.size();
                send(connection, message);
                if (!connection.goesOn()) {
                    return false;
                }
                if (left.size() == before) {
                    rest(new Status(451, "4.5.3", connection.where() + " takes no recipients now"));
                }
            }
            return true;
        }

        private void send(OpenConnection connection, OutgoingMessage message) throws IOException {
            String remaining =
                    by.flatMap(deadline -> deadline.remaining(clock.instant())).orElse("");
            Map<MailAddress, Outcome> answered =
                    new LinkedHashMap<>(
                            connection
                                    .conversation()
                                    .send(
                                            entry,
                                            List.copyOf(left),
                                            message,
                                            remaining,
                                            connection.where()));
            if (by.isPresent() && !connection.conversation().capabilities().deliverBy()) {
                // who does not know of a deadline cannot tell that it passed
                answered.replaceAll((recipient, outcome) -> promisingNothing(outcome));
            }
            connection.spoke();
            Map<Status, List<MailAddress>> byReply = new LinkedHashMap<>();
            answered.forEach(
                    (recipient, outcome) ->
                            byReply.computeIfAbsent(status(outcome), s -> new ArrayList<>(1))
                                    .add(recipient));
            byReply.forEach(
                    (status, whom) ->
                            told.accept(
                                    new Attempt(
                                            clock.instant(),
                                            connection.where(),
                                            connection.tls(),
                                            whom,
                                            status)));
            outcomes.putAll(answered);
            left.removeIf(recipient -> answered.containsKey(recipient.address()));
        }

        /// A connection that lay idle may have been closed meanwhile, before it took anything: then
        /// a new one is opened. Otherwise nobody knows whether the message was taken, and it is
        /// tried again later.
        private void lost(OpenConnection connection, boolean fresh, IOException why) {
            if (fresh || connection.conversation().mayHaveTaken()) {
                Status status =
                        new Status(
                                451,
                                "4.4.2",
                                connection.where() + ": the conversation broke off: " + plain(why));
                tell(connection.where(), connection.tls(), left, status);
                rest(status);
            }
        }

        private void tell(String where, String tls, Status status) {
            tell(where, tls, left, status);
        }

        private void tell(String where, String tls, List<Recipient> whom, Status status) {
            told.accept(
                    new Attempt(
                            clock.instant(),
                            where,
                            tls,
                            whom.stream().map(Recipient::address).toList(),
                            status));
        }

        /// The same for everybody who is left: for good with 5xx, for now with 4xx.
        void rest(Status why) {
            for (Recipient recipient : left) {
                outcomes.put(
                        recipient.address(),
                        why.permanent() ? new Outcome.Failed(why) : new Outcome.Deferred(why));
            }
            left.clear();
        }
    }

    private static Outcome promisingNothing(Outcome outcome) {
        return outcome instanceof Outcome.Delivered(String where, boolean _)
                ? new Outcome.Delivered(where, false)
                : outcome;
    }

    private static Status status(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Delivered(String where, _) -> new Status(250, "", where);
            case Outcome.Deferred(Status why) -> why;
            case Outcome.Failed(Status why) -> why;
        };
    }

    static String plain(IOException e) {
        String message = e.getMessage();
        return message == null || message.isBlank() ? e.getClass().getSimpleName() : message;
    }
}
