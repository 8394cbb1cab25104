package org.pabal.pop3;

import org.pabal.directory.Account;
import org.pabal.directory.Sasl;
import org.pabal.directory.SaslExchange;
import org.pabal.directory.SaslExchange.Step;
import org.pabal.mail.Content;
import org.pabal.mailbox.Message;
import org.pabal.protocol.Connection;
import org.pabal.protocol.LineReader;
import org.pabal.protocol.LineReader.Line;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// One conversation, RFC 1939: sign in (AUTHORIZATION), look and fetch and mark (TRANSACTION), and
/// at QUIT remove what was marked (UPDATE).
///
/// ```
/// greeting ── USER+PASS or AUTH ──▶ TRANSACTION ── QUIT ──▶ UPDATE ── +OK
///                                        └─ anything else that ends it: nothing is removed
/// ```
///
/// Nothing that a client sent is ever sent back, so nothing can be smuggled into a reply.
final class Pop3Session {

    private static final Logger LOG = LoggerFactory.getLogger(Pop3Session.class);

    // RFC 2449 §4: a command with its CR LF has at most 255 octets
    private static final int MAX_COMMAND = 255;

    // RFC 5034 §4 (by RFC 4422): a response of the client in base64 may be of 12,288 octets
    private static final int MAX_RESPONSE = 12_288;

    /// Holds back the answer to a failed sign-in, so that guessing is slow (security row S18).
    interface Pause {
        void hold(Duration delay) throws InterruptedException;
    }

    private final Connection connection;
    private final Pop3Rules rules;
    private final Sasl sasl;
    private final Maildrops maildrops;
    private final Pause pause;
    private final LineReader commands;
    private final LineReader responses;
    private final ReplyWriter reply;

    private byte[] login = {};
    private boolean utf8;
    private int failures;
    private boolean over;

    Pop3Session(
            Connection connection, Pop3Rules rules, Sasl sasl, Maildrops maildrops, Pause pause) {
        this.connection = connection;
        this.rules = rules;
        this.sasl = sasl;
        this.maildrops = maildrops;
        this.pause = pause;
        this.commands = new LineReader(connection.input(), MAX_COMMAND);
        this.responses = new LineReader(connection.input(), MAX_RESPONSE);
        this.reply = new ReplyWriter(connection.output());
    }

    void converse() throws IOException {
        connection.patience(rules.signInPatience());
        // No <…> in the greeting: a client would take it for an offer of APOP (RFC 1939 §7)
        reply.ok(rules.host() + " POP3 ready");
        Optional<Maildrop> opened = authorization();
        if (opened.isPresent()) {
            try (Maildrop maildrop = opened.get()) {
                connection.patience(rules.patience());
                transaction(maildrop);
            }
        }
    }

    // ---- AUTHORIZATION, RFC 1939 §4

    /// Until the client has signed in or has gone.
    private Optional<Maildrop> authorization() throws IOException {
        while (true) {
            Optional<Pop3Command> command = next();
            if (command.isEmpty()) {
                return Optional.empty();
            }
            Optional<Maildrop> opened = Optional.empty();
            switch (command.get()) {
                case Pop3Command.User user -> user(user);
                case Pop3Command.Pass pass -> opened = pass(pass);
                case Pop3Command.Auth auth -> opened = auth(auth);
                case Pop3Command.Stls() -> stls();
                case Pop3Command.Utf8() -> utf8();
                case Pop3Command.Capa() -> capa(true);
                case Pop3Command.Lang lang -> lang(lang);
                case Pop3Command.Quit() -> {
                    over = true;
                    reply.ok("goodbye");
                }
                case Pop3Command.Misused misused -> refuse("expected " + misused.usage());
                case Pop3Command.Unknown() -> refuse("no such command");
                default -> refuse("sign in first");
            }
            if (opened.isPresent()) {
                return opened;
            }
        }
    }

    private void user(Pop3Command.User command) throws IOException {
        if (refusedInTheClear()) {
            return;
        }
        login = command.login();
        // The same for everybody: who has mail here is nobody's business (RFC 1939 §13)
        reply.ok("password, please");
    }

    private Optional<Maildrop> pass(Pop3Command.Pass command) throws IOException {
        if (refusedInTheClear()) {
            return Optional.empty();
        }
        if (login.length == 0) {
            refuse("USER first");
            return Optional.empty();
        }
        byte[] plain = plain(login, command.password());
        login = new byte[0];
        try {
            Optional<SaslExchange> exchange = begin("PLAIN");
            if (exchange.isEmpty()) {
                refuse("[SYS/PERM] passwords are not taken here");
                return Optional.empty();
            }
            return concluded(step(exchange.get(), Optional.of(plain)));
        } finally {
            Arrays.fill(plain, (byte) 0);
            Arrays.fill(command.password(), (byte) 0);
        }
    }

    /// RFC 4616 §2: USER and PASS are PLAIN by another name, so they have the same limits and the
    /// same slowness.
    private static byte[] plain(byte[] login, byte[] password) {
        byte[] message = new byte[login.length + password.length + 2];
        System.arraycopy(login, 0, message, 1, login.length);
        System.arraycopy(password, 0, message, login.length + 2, password.length);
        return message;
    }

    /// RFC 5034 §4.
    private Optional<Maildrop> auth(Pop3Command.Auth command) throws IOException {
        if (refusedInTheClear()) {
            return Optional.empty();
        }
        login = new byte[0];
        Optional<SaslExchange> exchange = begin(command.mechanism());
        if (exchange.isEmpty()) {
            refuse("no such mechanism here, CAPA lists them");
            return Optional.empty();
        }
        Optional<byte[]> response = Optional.empty();
        if (command.initial().isPresent()) {
            String initial = command.initial().get();
            response = initial.equals("=") ? Optional.of(new byte[0]) : decoded(initial);
            if (response.isEmpty()) {
                return Optional.empty();
            }
        }
        Step step = step(exchange.get(), response);
        while (step instanceof Step.Challenge(byte[] octets)) {
            reply.text("+ ").text(Base64.getEncoder().encodeToString(octets)).end();
            reply.flushLines();
            response = response();
            if (response.isEmpty()) {
                return Optional.empty();
            }
            step = step(exchange.get(), response);
        }
        return concluded(step);
    }

    private Optional<SaslExchange> begin(String mechanism) {
        return sasl.begin(mechanism, connection.peer().address().getAddress(), connection.tls());
    }

    private static Step step(SaslExchange exchange, Optional<byte[]> response) throws IOException {
        try {
            return exchange.step(response);
        } catch (IOException e) {
            LOG.warn("sign-in could not be checked, the client was told to come later", e);
            return new Step.Failure(SaslExchange.Reason.LATER, Duration.ZERO);
        }
    }

    /// What the client answers to a challenge; empty when it cancelled, sent something else, or has
    /// gone.
    private Optional<byte[]> response() throws IOException {
        Optional<Line> line = line(responses);
        if (line.isEmpty()) {
            return Optional.empty();
        }
        if (!(line.get() instanceof Line.Text(byte[] octets))) {
            refuse("response longer than " + MAX_RESPONSE + " octets");
            return Optional.empty();
        }
        String response = new String(octets, StandardCharsets.ISO_8859_1);
        if (response.equals("*")) {
            refuse("sign-in cancelled");
            return Optional.empty();
        }
        return decoded(response);
    }

    private Optional<byte[]> decoded(String base64) throws IOException {
        try {
            return Optional.of(Base64.getDecoder().decode(base64));
        } catch (IllegalArgumentException e) {
            refuse("not base64");
            return Optional.empty();
        }
    }

    /// Opens the maildrop of whoever has signed in; the others hear why not (RFC 3206, RFC 2449
    /// §8.1).
    private Optional<Maildrop> concluded(Step last) throws IOException {
        if (last instanceof Step.Success(Account account)) {
            return opened(account);
        }
        if (last instanceof Step.Failure(SaslExchange.Reason why, Duration delay)) {
            LOG.info("{} sign-in failed: {}", client(), why.name().toLowerCase(Locale.ROOT));
            holdBack(delay);
            refuse(
                    switch (why) {
                        case REJECTED -> "[AUTH] wrong name or password";
                        case MALFORMED -> "name or password are not as they should be";
                        case LATER -> "[SYS/TEMP] no sign-in just now, try again later";
                    });
        }
        return Optional.empty();
    }

    private Optional<Maildrop> opened(Account account) throws IOException {
        Maildrops.Opening opening;
        try {
            opening = maildrops.open(account.address());
        } catch (IOException e) {
            LOG.warn(
                    "{} maildrop could not be opened, the client was told to come later",
                    account,
                    e);
            refuse("[SYS/TEMP] the maildrop cannot be opened just now, try again later");
            return Optional.empty();
        }
        switch (opening) {
            case Maildrops.Opening.Opened(Maildrop maildrop) -> {
                LOG.info("{} signed in from {}: {} messages", account, client(), maildrop.count());
                try {
                    ok("maildrop has", maildrop.count(), maildrop.octets());
                } catch (IOException | RuntimeException e) {
                    maildrop.close();
                    throw e;
                }
                return Optional.of(maildrop);
            }
            case Maildrops.Opening.InUse() -> refuse("[IN-USE] another session has this maildrop");
            case Maildrops.Opening.TooSoon() ->
                    refuse(
                            "[LOGIN-DELAY] at least "
                                    + rules.loginDelay().toSeconds()
                                    + " s between sign-ins");
            case Maildrops.Opening.Missing() -> refuse("[SYS/PERM] this account has no maildrop");
        }
        return Optional.empty();
    }

    /// RFC 2595 §4. What the client said before TLS is forgotten: it may have been somebody else's
    /// word.
    private void stls() throws IOException {
        if (!connection.canStartTls()) {
            refuse(connection.tls().isPresent() ? "TLS is on already" : "no TLS here");
            return;
        }
        reply.ok("begin TLS");
        connection.startTls();
        login = new byte[0];
        utf8 = false;
    }

    /// RFC 6856 §2: from here on messages go out with the UTF-8 that they have in their header.
    private void utf8() throws IOException {
        utf8 = true;
        reply.ok("UTF-8 it is");
    }

    /// Passwords go over TLS, or do not leave the machine.
    private boolean maySignIn() {
        return connection.tls().isPresent() || connection.peer().loopback();
    }

    private boolean refusedInTheClear() throws IOException {
        if (maySignIn()) {
            return false;
        }
        refuse(
                connection.canStartTls()
                        ? "sign-in needs TLS, say STLS first"
                        : "[SYS/PERM] sign-in needs TLS");
        return true;
    }

    private String client() {
        return connection.peer().address().getAddress().getHostAddress();
    }

    private void holdBack(Duration delay) throws IOException {
        try {
            pause.hold(delay);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a failed sign-in was held back");
        }
    }

    // ---- TRANSACTION, RFC 1939 §5

    /// Until QUIT, or until the client has gone.
    private void transaction(Maildrop maildrop) throws IOException {
        while (true) {
            Optional<Pop3Command> command = next();
            if (command.isEmpty()) {
                return;
            }
            switch (command.get()) {
                case Pop3Command.Stat() -> stat(maildrop);
                case Pop3Command.Scan(OptionalInt number) -> list(maildrop, number);
                case Pop3Command.Uidl(OptionalInt number) -> uidl(maildrop, number);
                case Pop3Command.Retr(int number) -> retr(maildrop, number);
                case Pop3Command.Top(int number, int lines) -> top(maildrop, number, lines);
                case Pop3Command.Dele(int number) -> dele(maildrop, number);
                case Pop3Command.Noop() -> reply.ok("still here");
                case Pop3Command.Rset() -> {
                    maildrop.unmark();
                    ok("maildrop has", maildrop.count(), maildrop.octets());
                }
                case Pop3Command.Capa() -> capa(false);
                case Pop3Command.Lang lang -> lang(lang);
                case Pop3Command.Quit() -> update(maildrop);
                case Pop3Command.Misused misused -> refuse("expected " + misused.usage());
                case Pop3Command.Unknown() -> refuse("no such command");
                default -> refuse("you are signed in already");
            }
        }
    }

    private void stat(Maildrop maildrop) throws IOException {
        reply.text("+OK ").number(maildrop.count()).space().number(maildrop.octets()).end();
        reply.flushLines();
    }

    private void list(Maildrop maildrop, OptionalInt which) throws IOException {
        if (which.isPresent()) {
            Optional<Message> message = wanted(maildrop, which.getAsInt());
            if (message.isPresent()) {
                reply.text("+OK ")
                        .number(which.getAsInt())
                        .space()
                        .number(message.get().octets())
                        .end();
                reply.flushLines();
            }
            return;
        }
        ok("", maildrop.count(), maildrop.octets());
        for (int number = 1; number <= maildrop.last(); number++) {
            Optional<Message> message = maildrop.message(number);
            if (message.isPresent()) {
                reply.number(number).space().number(message.get().octets()).end();
            }
        }
        reply.endOfLines();
    }

    private void uidl(Maildrop maildrop, OptionalInt which) throws IOException {
        if (which.isPresent()) {
            Optional<Message> message = wanted(maildrop, which.getAsInt());
            if (message.isPresent()) {
                reply.text("+OK ").number(which.getAsInt()).space().text(message.get().id()).end();
                reply.flushLines();
            }
            return;
        }
        reply.ok("unique ids follow");
        for (int number = 1; number <= maildrop.last(); number++) {
            Optional<Message> message = maildrop.message(number);
            if (message.isPresent()) {
                reply.number(number).space().text(message.get().id()).end();
            }
        }
        reply.endOfLines();
    }

    private void retr(Maildrop maildrop, int number) throws IOException {
        if (sent(maildrop, number, OptionalInt.empty())) {
            maildrop.retrieved(number);
        }
    }

    private void top(Maildrop maildrop, int number, int lines) throws IOException {
        sent(maildrop, number, OptionalInt.of(lines));
    }

    /// Sends a message or its top. Nothing is said before the message is open, so that a refusal is
    /// still possible.
    private boolean sent(Maildrop maildrop, int number, OptionalInt lines) throws IOException {
        Optional<Message> message = wanted(maildrop, number);
        if (message.isEmpty()) {
            return false;
        }
        InputStream octets;
        try {
            Optional<Content> content = maildrop.content(message.get());
            if (content.isEmpty()) {
                refuse("message was removed by another program");
                return false;
            }
            octets = opened(content.get());
        } catch (IOException e) {
            LOG.warn(
                    "{} message {} could not be read, the client was told to come later",
                    maildrop.owner(),
                    message.get().id(),
                    e);
            refuse("[SYS/TEMP] the message cannot be read just now, try again later");
            return false;
        }
        try (octets) {
            if (lines.isEmpty()) {
                reply.text("+OK ").number(message.get().octets()).text(" octets").end();
                reply.message(octets);
            } else {
                reply.ok("top of message follows");
                reply.message(new MessageTop(octets, lines.getAsInt()));
            }
        }
        return true;
    }

    private InputStream opened(Content content) throws IOException {
        InputStream octets = content.open();
        if (utf8) {
            return octets;
        }
        try {
            return Surrogate.of(octets);
        } catch (IOException | RuntimeException e) {
            octets.close();
            throw e;
        }
    }

    private void dele(Maildrop maildrop, int number) throws IOException {
        if (wanted(maildrop, number).isPresent()) {
            maildrop.mark(number);
            reply.ok("marked");
        }
    }

    /// The message, or a refusal when there is none: never had, or marked as deleted.
    private Optional<Message> wanted(Maildrop maildrop, int number) throws IOException {
        Optional<Message> message = maildrop.message(number);
        if (message.isEmpty()) {
            refuse("no such message");
        }
        return message;
    }

    // ---- UPDATE, RFC 1939 §6

    private void update(Maildrop maildrop) throws IOException {
        over = true;
        int gone;
        try {
            gone = maildrop.update(rules.removesRetrieved());
        } catch (IOException e) {
            LOG.warn(
                    "{} marked messages could not be removed, the client was told",
                    maildrop.owner(),
                    e);
            reply.err("[SYS/TEMP] marked messages are not removed");
            return;
        }
        LOG.info(
                "{} signed out: {} retrieved, {} removed",
                maildrop.owner(),
                maildrop.retrievals(),
                gone);
        reply.ok("goodbye");
    }

    // ---- what is the same before and after sign-in

    /// RFC 2449 §5 and §6.
    private void capa(boolean authorization) throws IOException {
        reply.ok("capabilities follow");
        if (maySignIn()) {
            reply.text("USER").end();
            reply.text("SASL ").text(String.join(" ", sasl.mechanisms(connection.tls()))).end();
        }
        if (authorization && connection.canStartTls()) {
            reply.text("STLS").end();
        }
        reply.text("TOP").end();
        reply.text("UIDL").end();
        reply.text("RESP-CODES").end();
        reply.text("AUTH-RESP-CODE").end();
        reply.text("PIPELINING").end();
        reply.text("UTF8 USER").end();
        reply.text("LANG").end();
        reply.text("LOGIN-DELAY ").number(rules.loginDelay().toSeconds()).end();
        reply.text("EXPIRE ");
        if (rules.expire().isPresent()) {
            reply.number(rules.expire().get().toDays()).end();
        } else {
            reply.text("NEVER").end();
        }
        reply.text("IMPLEMENTATION Pabal").end();
        reply.endOfLines();
    }

    /// RFC 6856 §3. We speak English, which is what `i-default` means as well (RFC 2277 §4.5).
    private void lang(Pop3Command.Lang command) throws IOException {
        if (command.range().isEmpty()) {
            reply.ok("languages follow");
            reply.text("i-default English").end();
            reply.text("en English").end();
            reply.endOfLines();
            return;
        }
        String range = command.range().get().toLowerCase(Locale.ROOT);
        if (range.equals("*") || range.equals("i-default")) {
            reply.ok("i-default default language");
        } else if (range.equals("en") || range.startsWith("en-")) {
            reply.ok("en English it is");
        } else {
            refuse("that language is not spoken here");
        }
    }

    private void ok(String text, int count, long octets) throws IOException {
        reply.text("+OK ").text(text).text(text.isEmpty() ? "" : " ").number(count);
        reply.text(count == 1 ? " message (" : " messages (").number(octets).text(" octets)").end();
        reply.flushLines();
    }

    /// The next command, or empty when the conversation is over; what had to be said about that has
    /// been said.
    private Optional<Pop3Command> next() throws IOException {
        while (!over && failures < rules.maxFailures()) {
            Optional<Line> line = line(commands);
            if (line.isEmpty()) {
                return Optional.empty();
            }
            if (line.get() instanceof Line.Text(byte[] octets)) {
                return Optional.of(Pop3Command.parse(octets));
            }
            refuse("command line longer than " + MAX_COMMAND + " octets");
        }
        if (!over) {
            reply.err("too many commands failed, goodbye");
        }
        return Optional.empty();
    }

    /// The next line, whole or too long; empty when there will be none.
    ///
    /// An idle client whose time is up gets no answer and nothing of its is removed (RFC 1939 §3):
    /// the time-out goes through to the transport, which closes.
    private Optional<Line> line(LineReader reader) throws IOException {
        if (!connection.awaitInput()) {
            over = true;
            if (connection.draining()) {
                reply.err("[SYS/TEMP] being updated, sign in again; nothing was removed");
            }
            return Optional.empty();
        }
        Optional<Line> line = reader.read();
        if (line.isEmpty()) {
            over = true;
        } else if (line.get() instanceof Line.Malformed) {
            over = true;
            reply.err("lines end with CR LF and have no CR, LF or NUL inside, goodbye");
            return Optional.empty();
        }
        return line;
    }

    private void refuse(String text) throws IOException {
        failures++;
        reply.err(text);
    }
}
