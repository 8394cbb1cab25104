package org.pabal.smtp.client;

import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.Closeable;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

import javax.net.ssl.SSLSocket;

/// One connection to another server, from its greeting to our goodbye.
///
/// ```
///   begin ─▶ (startTls ─▶ secured) ─▶ (signIn) ─▶ send ─▶ send … ─▶ quit
/// ```
/// Not for more than one thread. Whatever throws [IOException] leaves the conversation unusable:
/// close it.
public final class SmtpConversation implements Closeable {

    private static final Duration GOODBYE = Duration.ofSeconds(2);

    /// After so long without a word a server may have closed: it is worth a millisecond to look.
    private static final Duration FRESH = Duration.ofMillis(500);

    private static final int MAX_CHALLENGES = 8;

    private final Socket plain;
    private final String name;
    private final boolean lmtp;
    private final ClientPatience patience;
    private final Supplier<String> nonces;
    private final Wire wire;
    private final Set<String> domains = new HashSet<>();
    private Socket layer;
    private Capabilities they = Capabilities.NONE;
    private boolean usable;
    private boolean leftOpen;
    private boolean mayHaveTaken;
    private long transactions;
    private long lastHeard = System.nanoTime();

    /// @param socket connected; the conversation closes it
    /// @param name what we call ourselves
    /// @param lmtp whether to say LHLO (RFC 2033)
    /// @param patience the time-outs
    public SmtpConversation(Socket socket, String name, boolean lmtp, ClientPatience patience)
            throws IOException {
        this(socket, name, lmtp, patience, SignIn::nonce);
    }

    /// @param nonces for SCRAM, each new and beyond guessing
    SmtpConversation(
            Socket socket,
            String name,
            boolean lmtp,
            ClientPatience patience,
            Supplier<String> nonces)
            throws IOException {
        if (name.isEmpty() || !name.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new IllegalArgumentException(
                    "name " + name + ": expected a host name, e.g. mail.example.org");
        }
        this.plain = socket;
        this.layer = socket;
        this.name = name;
        this.lmtp = lmtp;
        this.patience = patience;
        this.nonces = nonces;
        // a flight is one write: nothing would be won by waiting for more
        socket.setTcpNoDelay(true);
        this.wire = new Wire(socket, patience.block());
    }

    /// Waits for the greeting and says EHLO, or HELO where that is not understood.
    ///
    /// @return the greeting or the answer to EHLO, whichever refused; else the latter
    public Reply begin() throws IOException {
        return talk(
                () -> {
                    Reply greeting = wire.reply(patience.greeting(), "our call");
                    // RFC 5321 §3.1: 220, or 554 by who takes no mail
                    return greeting.ok() ? hello() : greeting;
                });
    }

    /// RFC 5321 §3.2.
    private Reply hello() throws IOException {
        they = Capabilities.NONE;
        wire.expectSilence(patience.greeting());
        Reply reply = ask(lmtp ? "LHLO" : "EHLO");
        if (reply.ok()) {
            they = Capabilities.of(reply);
            return reply;
        }
        boolean unknown =
                switch (reply.code()) {
                    case 500, 501, 502, 504 -> true;
                    default -> false;
                };
        return unknown && !lmtp ? ask("HELO") : reply;
    }

    private Reply ask(String hello) throws IOException {
        wire.put(hello).put(" ").put(name).line();
        return wire.reply(patience.greeting(), hello);
    }

    /// As of the last EHLO; none before.
    public Capabilities capabilities() {
        return they;
    }

    /// Asks for TLS, RFC 3207. After a 220 the caller does the handshake and calls [#secured].
    ///
    /// @throws IOException also when the other side sent more than its reply in the clear (security
    ///     row S4)
    public Reply startTls() throws IOException {
        Reply reply =
                talk(
                        () -> {
                            wire.expectSilence(patience.greeting());
                            wire.put("STARTTLS").line();
                            return wire.reply(patience.greeting(), "STARTTLS");
                        });
        if (reply.ok()) {
            usable = false;
            if (reply.code() != 220) {
                throw new IOException("answered STARTTLS with " + reply.status());
            }
            if (wire.pending()) {
                throw new IOException("sent more than its reply to STARTTLS in the clear");
            }
        } else {
            usable = reply.code() != 421;
        }
        return reply;
    }

    /// Goes on over TLS: forgets what was said before, and says EHLO anew.
    ///
    /// @param tls the socket layered over ours, its handshake done
    public Reply secured(Socket tls) throws IOException {
        layer = tls;
        wire.over(tls);
        return talk(this::hello);
    }

    /// Signs in with the best mechanism that both sides have, RFC 4954. A password never goes in
    /// the clear but to this machine.
    ///
    /// @return what the server said of it; 454 by ourselves where it could not be tried
    /// @throws IOException also when a server with SCRAM does not know the account's keys: it is
    ///     not the one that it should be
    public Reply signIn(Login login) throws IOException {
        if (layer == plain
                && !(plain instanceof SSLSocket)
                && !plain.getInetAddress().isLoopbackAddress()) {
            return untried("not signed in: a password needs TLS, and there is none");
        }
        Optional<SignIn> best = SignIn.best(they.mechanisms(), login, nonces);
        if (best.isEmpty()) {
            return untried(
                    "not signed in: none of "
                            + String.join(", ", SignIn.BEST_FIRST)
                            + " is offered");
        }
        boolean before = usable;
        Reply reply = talk(() -> exchange(best.get()));
        // RFC 4954 §4: who was refused may go on as somebody unknown
        usable = before && reply.code() != 421;
        return reply;
    }

    private static Reply untried(String why) {
        return new Reply(454, "4.7.0", List.of(why));
    }

    private Reply exchange(SignIn signIn) throws IOException {
        wire.expectSilence(patience.greeting());
        wire.put("AUTH ").put(signIn.mechanism());
        List<String> secrets = new ArrayList<>();
        if (signIn.first().isPresent()) {
            secrets.add(Base64.getEncoder().encodeToString(signIn.first().get()));
            wire.put(" ").put(secrets.getLast());
        }
        wire.line();
        Reply reply = wire.reply(patience.greeting(), "AUTH");
        for (int i = 0; reply.code() == 334; i++) {
            if (i == MAX_CHALLENGES) {
                throw new IOException("asks without end who we are");
            }
            String answer = Base64.getEncoder().encodeToString(signIn.answer(challenge(reply)));
            secrets.add(answer);
            wire.put(answer).line();
            reply = wire.reply(patience.greeting(), "AUTH");
        }
        if (reply.ok() && !signIn.satisfied()) {
            throw new IOException(
                    signIn.mechanism() + ": the server is not to be trusted: no signature");
        }
        return without(secrets, reply);
    }

    private static byte[] challenge(Reply reply) throws IOException {
        try {
            return Base64.getDecoder().decode(reply.text().strip());
        } catch (IllegalArgumentException e) {
            throw new IOException("challenges us with what is not base64", e);
        }
    }

    /// Some repeat what they do not understand: replies are logged, secrets must not be (security
    /// row S29).
    private static Reply without(List<String> secrets, Reply reply) {
        List<String> lines = new ArrayList<>();
        for (String line : reply.lines()) {
            for (String secret : secrets) {
                line = secret.isEmpty() ? line : line.replace(secret, "…");
            }
            lines.add(line);
        }
        return new Reply(reply.code(), reply.enhanced(), lines);
    }

    /// Hands over one message. Commands go out together where the other side allows it (RFC 2920),
    /// and with CHUNKING a short message with them.
    ///
    /// A recipient without an outcome was not tried, because the other side takes only so many
    /// recipients with a message (RFC 9422, or 452 for one after others were accepted): send again
    /// with those, on this connection while it is [#reusable], else on another. On a new connection
    /// at least one has an outcome each time.
    ///
    /// @param entry envelope (sender, parameters) and id; its recipients are not looked at
    /// @param message of [OutgoingMessage#prepare] for these capabilities
    /// @param remaining what is left of a DELIVERBY time in seconds, or what BY is to say; empty
    ///     where it is not to be passed on
    /// @param where who they are, for the outcomes: `mx.example.org [192.0.2.25]:25`
    /// @return an outcome for each recipient that was tried. The conversation is then ready for the
    ///     next message, unless [#reusable] says otherwise
    /// @throws IOException when the connection was lost or went wrong. When it was lost after the
    ///     message had gone out, nobody knows whether they took it (RFC 1047)
    public Map<MailAddress, Outcome> send(
            QueueEntry entry,
            List<Recipient> recipients,
            OutgoingMessage message,
            String remaining,
            String where)
            throws IOException {
        if (!usable) {
            throw new IOException("the conversation with " + where + " is over");
        }
        Map<MailAddress, Outcome> outcomes = new LinkedHashMap<>();
        Optional<Status> hopeless = hopeless(entry, message, where);
        if (hopeless.isPresent()) {
            recipients.forEach(r -> outcomes.put(r.address(), new Outcome.Failed(hopeless.get())));
            return outcomes;
        }
        List<Recipient> now = now(recipients, message.utf8(), where, outcomes);
        if (now.isEmpty()) {
            return outcomes;
        }
        transactions++;
        usable = false;
        Transaction transaction =
                new Transaction(
                        wire, they, lmtp, patience, entry.envelope(), message, remaining, where);
        mayHaveTaken = false;
        try {
            outcomes.putAll(transaction.run(now, leftOpen));
        } catch (IOException e) {
            mayHaveTaken = transaction.ending();
            throw e;
        }
        leftOpen = transaction.leftOpen();
        usable = !transaction.over();
        lastHeard = System.nanoTime();
        return outcomes;
    }

    /// Why nobody would get it, as far as that is known beforehand.
    private Optional<Status> hopeless(QueueEntry entry, OutgoingMessage message, String where) {
        OptionalLong most = they.size();
        if (most.isPresent() && message.size() > most.getAsLong()) {
            // RFC 1870 §7
            return Optional.of(
                    new Status(
                            552,
                            "5.3.4",
                            where
                                    + " takes messages of at most "
                                    + most.getAsLong()
                                    + " octets, and this has "
                                    + message.size()));
        }
        return entry.envelope()
                .sender()
                .flatMap(sender -> unwritable(sender, message.utf8(), "5.1.7", "sender"));
    }

    /// Those that can be tried in one transaction, RFC 9422 §4.
    private List<Recipient> now(
            List<Recipient> recipients,
            boolean utf8,
            String where,
            Map<MailAddress, Outcome> outcomes) {
        long mostRecipients = they.limit("RCPTMAX").orElse(Long.MAX_VALUE);
        long mostDomains = they.limit("RCPTDOMAINMAX").orElse(Long.MAX_VALUE);
        List<Recipient> now = new ArrayList<>(recipients.size());
        for (Recipient recipient : recipients) {
            Optional<Status> unwritable =
                    unwritable(recipient.address(), utf8, "5.1.3", "recipient");
            if (unwritable.isPresent()) {
                outcomes.put(recipient.address(), new Outcome.Failed(unwritable.get()));
            } else if (now.size() < mostRecipients
                    && mayBeOf(recipient.address().domain(), mostDomains)) {
                now.add(recipient);
            }
        }
        return now;
    }

    /// RFC 9422 §4.3 counts the domains of a whole session.
    private boolean mayBeOf(String domain, long mostDomains) {
        if (mostDomains == Long.MAX_VALUE || domains.contains(domain)) {
            return true;
        }
        return domains.size() < mostDomains && domains.add(domain);
    }

    /// An address that would say more than an address in a command (security row S11).
    private static Optional<Status> unwritable(
            MailAddress address, boolean utf8, String enhanced, String whose) {
        if (!address.localPart().chars().allMatch(c -> c >= ' ' && c != 127)
                || !address.domain().chars().allMatch(c -> c > ' ' && "<>\"\\@".indexOf(c) < 0)
                || address.domain().indexOf(127) >= 0) {
            return Optional.of(
                    new Status(553, enhanced, "the " + whose + "'s address cannot be written"));
        }
        if (!utf8 && address.internationalized()) {
            // RFC 6531 §3.5
            return Optional.of(
                    new Status(
                            553,
                            "5.6.7",
                            "the " + whose + "'s address needs SMTPUTF8: " + address));
        }
        return Optional.empty();
    }

    /// Whether another message may be sent: false after a 421, at their MAILMAX, and when they have
    /// closed or said something unasked.
    public boolean reusable() {
        if (!usable || transactions >= they.limit("MAILMAX").orElse(Long.MAX_VALUE)) {
            return false;
        }
        try {
            usable =
                    System.nanoTime() - lastHeard > FRESH.toNanos()
                            ? wire.quiet()
                            : !wire.pending();
        } catch (IOException e) {
            usable = false;
        }
        return usable;
    }

    /// Whether the last [#send] broke off when the other side may have had the whole message, so
    /// that sending it to another host would have it arrive twice.
    public boolean mayHaveTaken() {
        return mayHaveTaken;
    }

    /// Says QUIT without waiting for long, and closes.
    public void quit() {
        if (usable) {
            try {
                wire.put("QUIT").line();
                wire.reply(GOODBYE, "QUIT");
                if (layer != plain) {
                    layer.shutdownOutput();
                }
            } catch (IOException e) {
                // what was to be said is said
            }
        }
        close();
    }

    @Override
    public void close() {
        usable = false;
        try {
            plain.close();
        } catch (IOException e) {
            // nothing is left to be done with it
        }
    }

    @FunctionalInterface
    private interface Talk {
        Reply talk() throws IOException;
    }

    /// The conversation is usable while what was last asked was granted.
    private Reply talk(Talk talk) throws IOException {
        usable = false;
        try {
            Reply reply = talk.talk();
            usable = reply.ok();
            lastHeard = System.nanoTime();
            return reply;
        } catch (Wire.Leaving e) {
            return e.reply();
        }
    }
}
