package org.pabal.smtp;

import org.pabal.directory.Account;
import org.pabal.directory.SaslExchange;
import org.pabal.mail.Client;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailPolicy;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Verdict;
import org.pabal.protocol.Connection;
import org.pabal.protocol.LineReader.Line;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// One conversation, RFC 5321 §3, from the greeting to the goodbye.
///
/// ```
///   greet ─▶ EHLO ─▶ (STARTTLS ─▶ EHLO) ─▶ (AUTH) ─▶ MAIL ─▶ RCPT… ─▶ DATA or BDAT… ─▶ 250, or why not
///                                                     ▲                                    │
///                                                     └────────────────────────────────────┘
/// ```
/// Everything that is refused is refused here, while the client listens: after a 250 the mail is
/// ours, and a bounce to a forged sender would hit somebody who has nothing to do with it (security
/// row S16).
final class SmtpSession {

    private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);

    /// How long we listen before we greet. Longer would catch more of those who do not wait, and
    /// cost everybody.
    private static final Duration BEFORE_GREETING = Duration.ofMillis(1);

    private static final SmtpReply HELP =
            new SmtpReply(
                    214,
                    "2.0.0",
                    "EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT STARTTLS AUTH; see RFC 5321");

    private final Connection connection;
    private final Role role;
    private final SmtpHost host;
    private final SmtpLimits limits;
    private final SmtpInput in;
    private final OutputStream out;
    private final InetAddress from;
    private boolean over;

    // what the client said of itself; forgotten at STARTTLS
    private String helo = "";
    private boolean extended;
    private boolean tls;
    private Optional<Account> account = Optional.empty();
    private final List<String> sessionFields = new ArrayList<>(0);
    private Optional<TraceField> trace = Optional.empty();

    // what it did so far
    private int messages;
    private int failures;
    private int failedSignIns;
    private int idleCommands;
    private int refusedForNow;

    private Optional<Transaction> transaction = Optional.empty();

    SmtpSession(Connection connection, Role role, SmtpHost host) throws IOException {
        this.connection = connection;
        this.role = role;
        this.host = host;
        this.limits = host.limits();
        this.in = new SmtpInput(connection);
        this.out = connection.output();
        this.from = connection.peer().address().getAddress();
        this.tls = connection.tls().isPresent();
    }

    void converse() throws IOException {
        try {
            greet();
            while (!over) {
                Optional<Line> line = nextLine();
                if (line.isEmpty()) {
                    return;
                }
                obey(line.get());
            }
        } catch (SocketTimeoutException e) {
            close(SmtpReply.TIME_IS_UP);
        } catch (RuntimeException e) {
            close(SmtpReply.INTERNAL_TROUBLE);
            throw e;
        } finally {
            endTransaction();
        }
    }

    /// RFC 5321 §3.1. Who talks before the greeting is no mail server (security row S3).
    private void greet() throws IOException {
        if (talksEarly()) {
            close(SmtpReply.TALKS_TOO_EARLY);
            return;
        }
        connection.patience(limits.commandPatience());
        Optional<SmtpReply> refusal = ask(policy -> policy.connected(client()), sessionFields);
        if (refusal.isPresent()) {
            SmtpReply reply = refusal.get();
            LOG.info("client={} refused: {}", from.getHostAddress(), reply);
            close(new SmtpReply(reply.failure() ? 554 : 421, reply.enhanced(), reply.text()));
        } else {
            new SmtpReply(220, "", host.name() + ' ' + role.word + " Pabal").to(out);
        }
    }

    private boolean talksEarly() throws IOException {
        connection.patience(BEFORE_GREETING);
        try {
            return connection.awaitInput();
        } catch (SocketTimeoutException e) {
            return false; // as it should be
        }
    }

    /// Where a conversation stands while nothing happens. Empty when it is over.
    private Optional<Line> nextLine() throws IOException {
        if (!connection.draining()) {
            if (in.buffered()) {
                connection.patience(limits.commandPatience());
                return in.line(SmtpLimits.AUTH_OCTETS);
            }
            if (connection.awaitInput()) {
                return in.line(SmtpLimits.AUTH_OCTETS);
            }
        }
        if (connection.draining()) {
            close(new SmtpReply(421, "4.3.2", host.name() + " is being updated, try again"));
        }
        return Optional.empty();
    }

    private void obey(Line line) throws IOException {
        switch (line) {
            case Line.Text text -> obey(SmtpCommand.parse(text.octets()));
            case Line.TooLong _ -> answer(SmtpReply.LINE_TOO_LONG);
            case Line.Malformed _ -> close(SmtpReply.BROKEN_LINE);
        }
    }

    private void obey(SmtpCommand command) throws IOException {
        switch (command) {
            case SmtpCommand.Hello hello -> hello(hello);
            case SmtpCommand.StartTls _ -> startTls();
            case SmtpCommand.Auth auth -> auth(auth);
            case SmtpCommand.Mail mail -> mail(mail);
            case SmtpCommand.Rcpt rcpt -> rcpt(rcpt);
            case SmtpCommand.Data _ -> data();
            case SmtpCommand.Bdat bdat -> bdat(bdat);
            case SmtpCommand.Rset _ -> {
                endTransaction();
                idle(SmtpReply.OK);
            }
            case SmtpCommand.Noop _ -> idle(SmtpReply.OK);
            case SmtpCommand.Verify _ -> idle(SmtpReply.CANNOT_VERIFY);
            case SmtpCommand.Help _ -> idle(HELP);
            case SmtpCommand.Quit _ -> close(SmtpReply.BYE);
            case SmtpCommand.Wrong wrong when wrong.last() -> close(wrong.reply());
            case SmtpCommand.Wrong wrong -> answer(wrong.reply());
        }
    }

    /// RFC 5321 §4.1.1.1, RFC 2033 §4.1.
    private void hello(SmtpCommand.Hello hello) throws IOException {
        if (hello.verb().equals("LHLO") != (role == Role.LMTP)) {
            answer(SmtpReply.UNKNOWN_COMMAND);
            return;
        }
        if (in.pending()) {
            // RFC 2920 §3.1: nothing may follow it before we have said what we can do (security row
            // S3)
            close(SmtpReply.TALKS_TOO_EARLY);
            return;
        }
        endTransaction();
        helo = hello.name();
        extended = !hello.verb().equals("HELO");
        trace = Optional.empty();
        if (tooIdle()) {
            return;
        }
        if (!extended) {
            new SmtpReply(250, "", host.name()).to(out);
            return;
        }
        List<String> lines =
                new ArrayList<>(
                        List.of(
                                host.name() + " greets " + helo,
                                "PIPELINING", // RFC 2920
                                "SIZE " + limits.messageOctets(), // RFC 1870
                                "8BITMIME", // RFC 6152
                                "SMTPUTF8", // RFC 6531
                                "ENHANCEDSTATUSCODES", // RFC 2034
                                "CHUNKING", // RFC 3030
                                "BINARYMIME", // RFC 3030
                                "DSN")); // RFC 3461
        lines.addAll(MailTerms.announced(asker(), host.date().instant()));
        lines.add(
                "LIMITS MAILMAX="
                        + limits.messages()
                        + " RCPTMAX="
                        + limits.recipients()); // RFC 9422
        if (connection.canStartTls()) {
            lines.add("STARTTLS"); // RFC 3207
        }
        if (mayAuthenticate() && account.isEmpty()) {
            lines.add(
                    "AUTH "
                            + String.join(
                                    " ", host.sasl().mechanisms(connection.tls()))); // RFC 4954
        }
        lines.add("HELP");
        StringBuilder reply = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            reply.append("250")
                    .append(i < lines.size() - 1 ? '-' : ' ')
                    .append(lines.get(i))
                    .append("\r\n");
        }
        out.write(reply.toString().getBytes(StandardCharsets.US_ASCII));
    }

    /// RFC 3207 §4. What was said in the clear is forgotten, and what came behind the command in
    /// the clear is never obeyed (security row S4).
    private void startTls() throws IOException {
        if (tls) {
            answer(SmtpReply.outOfOrder("TLS is on already"));
        } else if (!connection.canStartTls()) {
            answer(SmtpReply.NOT_SUPPORTED);
        } else if (in.pending()) {
            close(SmtpReply.TALKS_TOO_EARLY);
        } else {
            SmtpReply.READY_FOR_TLS.to(out);
            connection.startTls();
            in.discard();
            endTransaction();
            tls = true;
            helo = "";
            extended = false;
            account = Optional.empty();
            trace = Optional.empty();
        }
    }

    /// A password in the clear is for a way on which nobody listens: TLS, or this machine (security
    /// row S5).
    private boolean mayAuthenticate() {
        return role != Role.LMTP && (tls || connection.peer().loopback());
    }

    /// RFC 4954 §4.
    private void auth(SmtpCommand.Auth auth) throws IOException {
        if (role == Role.LMTP) {
            answer(SmtpReply.NOT_SUPPORTED);
        } else if (!extended) {
            answer(SmtpReply.outOfOrder("say EHLO first"));
        } else if (account.isPresent()) {
            answer(SmtpReply.outOfOrder("you are signed in already"));
        } else if (transaction.isPresent()) {
            answer(SmtpReply.outOfOrder("not in the middle of a message"));
        } else if (!mayAuthenticate()) {
            answer(SmtpReply.TLS_FIRST);
        } else {
            Optional<SaslExchange> exchange =
                    host.sasl().begin(auth.mechanism(), from, connection.tls());
            if (exchange.isEmpty()) {
                answer(SmtpReply.NO_SUCH_MECHANISM);
            } else {
                signIn(new AuthConversation(exchange.get(), this::challenge), auth.initial());
            }
        }
    }

    private Optional<Line> challenge(SmtpReply challenge) throws IOException {
        challenge.to(out);
        return nextLine();
    }

    private void signIn(AuthConversation conversation, Optional<String> initial)
            throws IOException {
        switch (conversation.hold(initial)) {
            case AuthConversation.Result.SignedIn signedIn -> {
                account = Optional.of(signedIn.account());
                trace = Optional.empty();
                failedSignIns = 0;
                answer(SmtpReply.SIGNED_IN);
            }
            case AuthConversation.Result.Failed failed -> {
                signInFailed(failed.reply(), failed.delay());
                over |= failed.last();
            }
            case AuthConversation.Result.Gone _ -> over = true;
        }
    }

    /// Guessing is slow, and soon over (security row S18).
    private void signInFailed(SmtpReply reply, Duration delay) throws IOException {
        LOG.info("client={} sign-in failed: {}", from.getHostAddress(), reply);
        pause(delay);
        if (++failedSignIns > SmtpLimits.FAILED_SIGN_INS) {
            close(SmtpReply.TOO_MANY_FAILURES);
        } else {
            answer(reply);
        }
    }

    /// RFC 5321 §4.1.1.2.
    private void mail(SmtpCommand.Mail mail) throws IOException {
        MailTerms terms = MailTerms.of(mail.parameters(), asker(), host.date().instant());
        Optional<SmtpReply> refusal = refusal(mail).or(terms::refusal);
        if (refusal.isPresent()) {
            answer(refusal.get());
            return;
        }
        if (++messages > limits.messages()) {
            close(SmtpReply.TOO_MANY_MESSAGES);
            return;
        }
        Transaction begun =
                new Transaction(mail.sender(), terms.kept(), account.map(host.sending()::share));
        refusal =
                forgedSender(mail.sender())
                        .or(() -> begun.share().flatMap(SendingLimits.Share::message))
                        .or(
                                () ->
                                        ask(
                                                policy -> policy.sender(client(), begun.envelope()),
                                                begun.headerFields()));
        if (refusal.isPresent()) {
            LOG.info(
                    "client={} refused from={}: {}",
                    from.getHostAddress(),
                    begun.from(),
                    refusal.get());
            begun.close();
            answer(refusal.get());
        } else {
            transaction = Optional.of(begun);
            answer(terms.reply());
        }
    }

    private MailTerms.Asker asker() {
        return new MailTerms.Asker(role, tls, account.isPresent(), limits.hold());
    }

    /// What can be said without asking anybody.
    private Optional<SmtpReply> refusal(SmtpCommand.Mail mail) {
        if (helo.isEmpty()) {
            return Optional.of(
                    SmtpReply.outOfOrder(role == Role.LMTP ? "say LHLO first" : "say EHLO first"));
        }
        if (transaction.isPresent()) {
            return Optional.of(SmtpReply.outOfOrder("you gave a sender already"));
        }
        if (role == Role.SUBMISSION && account.isEmpty()) {
            return Optional.of(SmtpReply.SIGN_IN_FIRST); // RFC 6409 §4.3
        }
        if (mail.size() > limits.messageOctets()) {
            return Optional.of(SmtpReply.TOO_BIG); // RFC 1870 §6.1
        }
        boolean needsUtf8 = mail.sender().isPresent() && mail.sender().get().internationalized();
        return needsUtf8 && !mail.parameters().containsKey("SMTPUTF8")
                ? Optional.of(SmtpReply.NEEDS_SMTPUTF8)
                : Optional.empty();
    }

    /// Whether the names that this client writes in are looked at (security row S15).
    private boolean watched() {
        return account.isPresent()
                || role == Role.SMTP && host.refuseForgedSenders() && !connection.peer().loopback();
    }

    private Optional<SmtpReply> forgedSender(Optional<MailAddress> sender) {
        if (sender.isEmpty() || !watched()) {
            return Optional.empty();
        }
        try {
            return account.isEmpty() && ofForwarded(sender.get())
                    ? Optional.empty()
                    : SenderRule.sender(host.directory(), account, sender.get());
        } catch (IOException e) {
            return directoryTrouble(e);
        } catch (RuntimeException | LinkageError e) {
            return undecided(sender.get(), e);
        }
    }

    /// Mail that we have sent on may come back, from a mailbox that sends it on to us. Its sender
    /// is an address of ours that nobody but us can have made.
    private boolean ofForwarded(MailAddress sender) {
        return host.forwarded().get().flatMap(senders -> senders.original(sender)).isPresent();
    }

    private Optional<SmtpReply> forgedHeader(List<String> fromFields) {
        if (!watched()) {
            return Optional.empty();
        }
        try {
            return SenderRule.from(host.directory(), account, fromFields);
        } catch (IOException e) {
            return directoryTrouble(e);
        }
    }

    /// RFC 5321 §4.1.1.3.
    private void rcpt(SmtpCommand.Rcpt rcpt) throws IOException {
        if (transaction.isEmpty()) {
            answer(SmtpReply.NO_SENDER);
            return;
        }
        Transaction current = transaction.get();
        if (current.chunks().isPresent()) {
            answer(SmtpReply.outOfOrder("the message has begun"));
            return;
        }
        MailAddress address =
                rcpt.address().orElseGet(() -> new MailAddress("postmaster", host.domain()));
        Recipient recipient = new Recipient(address, rcpt.parameters());
        Optional<SmtpReply> refusal =
                refusal(current, address)
                        .or(
                                () ->
                                        ask(
                                                policy ->
                                                        policy.recipient(
                                                                client(),
                                                                current.envelope(),
                                                                recipient),
                                                current.headerFields()))
                        .or(() -> current.share().flatMap(SendingLimits.Share::recipient));
        if (refusal.isEmpty()) {
            current.add(recipient);
            answer(SmtpReply.RECIPIENT_OK);
        } else if (refusal.get().failure()) {
            LOG.info(
                    "client={} from={} refused to=<{}>: {}",
                    from.getHostAddress(),
                    current.from(),
                    SmtpReply.plain(address.toString()),
                    refusal.get());
            answer(refusal.get());
        } else if (++refusedForNow > limits.recipients()) {
            close(SmtpReply.TOO_MANY_FAILURES);
        } else {
            answer(refusal.get());
        }
    }

    private Optional<SmtpReply> refusal(Transaction current, MailAddress address) {
        if (current.answered().size() >= limits.recipients()) {
            return Optional.of(SmtpReply.TOO_MANY_RECIPIENTS);
        }
        if (address.internationalized() && !current.internationalized()) {
            return Optional.of(SmtpReply.NEEDS_SMTPUTF8);
        }
        try {
            return RecipientRule.refusal(
                    host.directory(),
                    host.forwarded().get(),
                    account.isPresent(),
                    current.sender().isEmpty(),
                    address);
        } catch (IOException e) {
            return directoryTrouble(e);
        } catch (RuntimeException | LinkageError e) {
            return undecided(address, e);
        }
    }

    /// A LinkageError when the bundle that knows forwarded senders was replaced while it was asked.
    private Optional<SmtpReply> undecided(MailAddress address, Throwable trouble) {
        LOG.warn(
                "client={} has to wait, no decision about <{}>",
                from.getHostAddress(),
                SmtpReply.plain(address.toString()),
                trouble);
        return Optional.of(SmtpReply.NOT_NOW);
    }

    private Optional<SmtpReply> directoryTrouble(IOException e) {
        LOG.warn(
                "client={} has to wait, the directory cannot say: {}",
                from.getHostAddress(),
                plain(e));
        return Optional.of(SmtpReply.NOT_NOW);
    }

    /// RFC 5321 §4.1.1.4.
    private void data() throws IOException {
        if (in.pending()) {
            // RFC 2920 §3.1: the client must wait for 354. What it sent may be a message or
            // commands; nobody knows (S3)
            close(SmtpReply.TALKS_TOO_EARLY);
            return;
        }
        if (transaction.isEmpty()) {
            answer(SmtpReply.NO_SENDER);
            return;
        }
        Transaction current = transaction.get();
        if (current.chunks().isPresent() || current.binary()) {
            answer(SmtpReply.outOfOrder("the message has to come by BDAT")); // RFC 3030 §2 and §3
            return;
        }
        if (current.answered().isEmpty()) {
            // RFC 2033 §4.2 wants 503 there
            answer(
                    role == Role.LMTP
                            ? SmtpReply.outOfOrder("no recipients")
                            : SmtpReply.NO_RECIPIENTS);
            return;
        }
        Optional<IncomingMessage> begun = begin(current);
        if (begun.isEmpty()) {
            refuse(current, SmtpReply.NOT_STORED, 1);
            return;
        }
        try (IncomingMessage message = begun.get()) {
            SmtpReply.GO_AHEAD.to(out);
            in.beginMessage(limits.dataPatience());
            DataReader.End end = new DataReader(in).read(message);
            endOfMessage();
            arrived(current, message, end);
        }
    }

    /// RFC 3030 §2. A chunk is read also when it is not wanted, since commands follow it.
    private void bdat(SmtpCommand.Bdat bdat) throws IOException {
        if (bdat.octets() > 2 * limits.messageOctets()) {
            close(SmtpReply.TOO_BIG);
            return;
        }
        in.beginMessage(limits.dataPatience());
        if (transaction.isEmpty() || transaction.get().answered().isEmpty()) {
            if (skipped(bdat)) {
                answer(transaction.isEmpty() ? SmtpReply.NO_SENDER : SmtpReply.NO_RECIPIENTS);
            }
            return;
        }
        Transaction current = transaction.get();
        if (current.chunks().isEmpty()) {
            begin(current)
                    .ifPresent(
                            message ->
                                    current.chunks(
                                            new Transaction.Chunks(
                                                    message,
                                                    new BdatReader(in, current.binary()))));
        }
        if (current.chunks().isEmpty()) {
            if (skipped(bdat)) {
                refuse(current, SmtpReply.NOT_STORED, bdat.last() ? answers(current) : 1);
            }
            return;
        }
        chunk(current, current.chunks().get(), bdat);
    }

    private void chunk(Transaction current, Transaction.Chunks chunks, SmtpCommand.Bdat bdat)
            throws IOException {
        IncomingMessage message = chunks.message();
        DataReader.End end = chunks.reader().read(bdat.octets(), message);
        endOfMessage();
        if (end != DataReader.End.COMPLETE) {
            arrived(current, message, end);
        } else if (bdat.last()) {
            arrived(current, message, chunks.reader().halfEnded() ? DataReader.End.MALFORMED : end);
        } else if (message.trouble().isPresent()) {
            refuse(current, message.trouble().get(), 1);
        } else if (bdat.octets() > 0) {
            answer(new SmtpReply(250, "2.0.0", bdat.octets() + " octets"));
        } else {
            idle(SmtpReply.OK);
        }
    }

    private boolean skipped(SmtpCommand.Bdat bdat) throws IOException {
        boolean all = BdatReader.skip(in, bdat.octets());
        endOfMessage();
        over |= !all;
        return all;
    }

    private Optional<IncomingMessage> begin(Transaction current) {
        Envelope envelope = current.envelope();
        try {
            return Optional.of(new IncomingMessage(envelope, host.queue().draft(envelope), limits));
        } catch (IOException e) {
            LOG.warn(
                    "client={} from={} not accepted: {}; is there room for the queue?",
                    from.getHostAddress(),
                    current.from(),
                    plain(e));
            return Optional.empty();
        }
    }

    private void endOfMessage() {
        in.endMessage();
        connection.patience(limits.commandPatience());
    }

    private void arrived(Transaction current, IncomingMessage message, DataReader.End end)
            throws IOException {
        switch (end) {
            case GONE -> over = true;
            case ENDLESS -> close(SmtpReply.TOO_BIG);
            case MALFORMED -> {
                // where it ends is now a matter of opinion, so nothing after it is obeyed (security
                // row S1)
                LOG.info(
                        "client={} from={} refused: {}",
                        from.getHostAddress(),
                        current.from(),
                        SmtpReply.BROKEN_MESSAGE);
                close(SmtpReply.BROKEN_MESSAGE);
            }
            case COMPLETE -> {
                Optional<SmtpReply> refusal = refusal(current, message);
                if (refusal.isPresent()) {
                    refuse(current, refusal.get(), answers(current));
                } else {
                    commit(current, message);
                }
            }
        }
    }

    /// Why a message that is all here is not taken.
    private Optional<SmtpReply> refusal(Transaction current, IncomingMessage message) {
        if (message.trouble().isPresent()) {
            return message.trouble();
        }
        HeaderScan.Findings header = message.findings();
        if (header.broken()) {
            return Optional.of(SmtpReply.BROKEN_MESSAGE);
        }
        if (header.received() > SmtpLimits.RECEIVED_FIELDS
                || comesBack(header.deliveredTo(), current)) {
            return Optional.of(SmtpReply.LOOP); // RFC 5321 §6.3
        }
        return forgedHeader(header.from())
                .or(
                        () ->
                                ask(
                                        policy ->
                                                policy.message(
                                                        client(),
                                                        message.envelope(),
                                                        message.draft().content()),
                                        current.headerFields()));
    }

    /// Whether an alias here led the message out before, as the field says that delivery puts above
    /// what it sends on. Where one alias leads to two others at the other host and both lead back,
    /// counting Received fields would end it after millions of copies; Postfix does the same.
    private static boolean comesBack(List<String> deliveredTo, Transaction current) {
        return deliveredTo.stream()
                .flatMap(value -> MailAddress.parse(value.strip()).stream())
                .anyMatch(current.answered()::contains);
    }

    /// RFC 5321 §6.1: from the 250 on, we answer for it.
    private void commit(Transaction current, IncomingMessage message) throws IOException {
        QueueId id = message.draft().id();
        try {
            message.draft().commit(fieldsAbove(current, message));
        } catch (IOException e) {
            LOG.warn(
                    "{} from={} not accepted: {}; is there room for the queue?",
                    id,
                    current.from(),
                    plain(e));
            refuse(current, SmtpReply.NOT_STORED, answers(current));
            return;
        }
        if (LOG.isInfoEnabled()) {
            LOG.info(
                    "{} from={} to={} size={} client={} accepted",
                    id,
                    current.from(),
                    current.to(),
                    message.size(),
                    from.getHostAddress());
        }
        current.share().ifPresent(SendingLimits.Share::keep);
        failures = 0;
        idleCommands = 0;
        refusedForNow = 0;
        if (role == Role.LMTP) {
            for (MailAddress each : current.answered()) {
                answer(
                        new SmtpReply(
                                250, "2.1.5", "<" + each + "> accepted as " + id)); // RFC 2033 §4.2
            }
        } else {
            answer(new SmtpReply(250, "2.0.0", "accepted as " + id));
        }
        endTransaction();
    }

    /// How often the end of a message is answered: by LMTP for each recipient, RFC 2033 §4.2.
    private int answers(Transaction current) {
        return role == Role.LMTP ? current.answered().size() : 1;
    }

    private void refuse(Transaction current, SmtpReply reply, int answers) throws IOException {
        LOG.info(
                "client={} from={} to={} refused: {}",
                from.getHostAddress(),
                current.from(),
                current.to(),
                reply);
        endTransaction();
        answer(reply);
        for (int i = 1; i < answers && !over; i++) {
            reply.to(out);
        }
    }

    /// RFC 5321 §4.4, and RFC 6409 §8 for our own people's messages.
    private List<String> fieldsAbove(Transaction current, IncomingMessage message) {
        List<String> fields = new ArrayList<>(4);
        QueueId id = message.draft().id();
        fields.add(traceField(current).of(id, message.envelope().recipients(), host.date().now()));
        fields.addAll(sessionFields);
        fields.addAll(current.headerFields());
        if (account.isPresent()) {
            HeaderScan.Findings header = message.findings();
            if (!header.dated()) {
                fields.add("Date: " + host.date().now());
            }
            if (!header.identified()) {
                fields.add(
                        "Message-ID: <"
                                + id
                                + '.'
                                + host.date().second()
                                + '@'
                                + host.name()
                                + '>');
            }
        }
        return fields;
    }

    private TraceField traceField(Transaction current) {
        if (current.internationalized()) {
            return new TraceField(
                    helo,
                    from,
                    host.name(),
                    TraceField.with(role, true, true, tls, account.isPresent()));
        }
        if (trace.isEmpty()) {
            String with = TraceField.with(role, extended, false, tls, account.isPresent());
            trace = Optional.of(new TraceField(helo, from, host.name(), with));
        }
        return trace.get();
    }

    private void endTransaction() {
        transaction.ifPresent(Transaction::close);
        transaction = Optional.empty();
    }

    private Optional<SmtpReply> ask(
            Function<MailPolicy, Verdict> moment, List<String> headerFields) {
        return host.policies().ask(moment, headerFields);
    }

    private Client client() {
        return new Client(
                connection.peer().address(),
                connection.peer().listener(),
                helo,
                account.map(Account::address),
                tls);
    }

    private void answer(SmtpReply reply) throws IOException {
        if (reply.failure()) {
            if (++failures > limits.failures()) {
                close(SmtpReply.TOO_MANY_FAILURES);
                return;
            }
            if (failures > SmtpLimits.FAILURES_UNPUNISHED) {
                pause(SmtpLimits.TARPIT);
            }
        }
        reply.to(out);
        over |= reply.code() == 421;
    }

    /// Answers a command that brings no mail on.
    private void idle(SmtpReply reply) throws IOException {
        if (!tooIdle()) {
            answer(reply);
        }
    }

    private boolean tooIdle() throws IOException {
        if (++idleCommands > SmtpLimits.IDLE_COMMANDS) {
            close(SmtpReply.TOO_MANY_IDLE);
            return true;
        }
        return false;
    }

    private void close(SmtpReply reply) throws IOException {
        over = true;
        reply.to(out);
        out.flush();
    }

    private void pause(Duration length) throws IOException {
        if (length.isPositive()) {
            out.flush();
            host.pause().take(length, connection::draining);
        }
    }

    private static String plain(IOException e) {
        return SmtpReply.plain(String.valueOf(e.getMessage()));
    }
}
