package org.pabal.delivery;

import org.pabal.mail.Status;
import org.pabal.smtp.client.ClientPatience;
import org.pabal.smtp.client.Reply;
import org.pabal.smtp.client.SmtpConversation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Reaches one of the hosts of a next hop: each in turn, each of its addresses in turn, until one
/// greets us and the connection is what the recipients' domain wants it to be.
///
/// TLS that nobody insists on and that fails is left out at the second try (RFC 7435 §3); TLS that
/// somebody insists on and that fails makes the host one that cannot be reached.
final class Dialer {

    private static final Logger log = LoggerFactory.getLogger(Dialer.class);

    /// How many addresses are tried for one message.
    private static final int MAX_TRIES = 10;

    /// After that no further address is tried: whoever has many and answers none of them in time
    /// must not hold a connection for hours.
    private static final long LONGEST = Duration.ofMinutes(5).toNanos();

    private static final int SUBMISSIONS = 465;

    /// What came of it.
    sealed interface Result {
        record Open(OpenConnection connection) implements Result {}

        /// It says of itself that it takes no mail, or there is no such host; 4xx where that cannot
        /// be known just now.
        record Nobody(Status why) implements Result {}

        /// All that could be tried failed, for now.
        record Unreachable(Status why) implements Result {}
    }

    /// Takes each try that failed.
    @FunctionalInterface
    interface Told {
        void tell(String where, String tls, Status why);
    }

    /// @param name what we call ourselves
    /// @param sources addresses to connect from, the first of the right family; none for the
    ///     system's choice
    /// @param connect how long the other host may take to accept a connection
    record Manner(
            String name,
            List<InetAddress> sources,
            Duration connect,
            ClientPatience patience,
            int maxMessages) {}

    private final MailHostLookup lookup;
    private final TlsPolicies policies;
    private final ClientTls tls;
    private final TlsLedger ledger;
    private final Manner manner;

    Dialer(
            MailHostLookup lookup,
            TlsPolicies policies,
            ClientTls tls,
            TlsLedger ledger,
            Manner manner) {
        this.lookup = lookup;
        this.policies = policies;
        this.tls = tls;
        this.ledger = ledger;
        this.manner = manner;
    }

    /// @param domain of the recipients
    /// @param wish of the message
    Result dial(NextHop hop, String domain, TlsWish wish, Told told) throws InterruptedIOException {
        return switch (lookup.find(hop)) {
            case MailHosts.Nobody(Status why) -> {
                told.tell("", "", why);
                yield new Result.Nobody(why);
            }
            case MailHosts.Unknown(Status why) -> {
                told.tell("", "", why);
                yield new Result.Nobody(why);
            }
            case MailHosts.Found found -> new Search(hop, domain, wish, told).among(found);
        };
    }

    /// One look for a host that can be talked to.
    private final class Search {

        private final NextHop hop;
        private final String domain;
        private final boolean requireTls;
        private final boolean ratherArrive;
        private final TlsWish wish;
        private final Told told;
        private Status last = new Status(451, "4.4.1", "no host could be tried");
        private boolean allRefuseForGood = true;
        private int tries;
        private final long begun = System.nanoTime();

        Search(NextHop hop, String domain, TlsWish wish, Told told) {
            this.hop = hop;
            this.domain = domain;
            this.requireTls = wish == TlsWish.REQUIRED;
            this.ratherArrive = wish == TlsWish.RATHER_ARRIVE;
            this.wish = wish;
            this.told = told;
        }

        Result among(MailHosts.Found found) throws InterruptedIOException {
            for (MailHost host : found.hosts()) {
                switch (choice(found, host)) {
                    case TlsChoice.Avoid(Status why, TlsResult result, TlsPolicy policy) -> {
                        ledger.failed(policy, result, host.name(), "", why.text());
                        failed(host.name(), "", why);
                    }
                    case TlsChoice.Use use -> {
                        for (InetAddress address : host.addresses()) {
                            if (tries++ >= MAX_TRIES || System.nanoTime() - begun > LONGEST) {
                                break;
                            }
                            Optional<OpenConnection> open = tried(host, address, use);
                            if (open.isPresent()) {
                                return new Result.Open(open.get());
                            }
                        }
                    }
                }
            }
            return allRefuseForGood
                    ? new Result.Nobody(last)
                    : new Result.Unreachable(notNow(last));
        }

        private TlsChoice choice(MailHosts.Found found, MailHost host) {
            if (wish.waivesPoliciesOf(hop)) {
                return new TlsChoice.Use(new TlsRule.Opportunistic(), TlsPolicy.none(domain));
            }
            return switch (hop) {
                case NextHop.Exchangers _ -> policies.choose(domain, found, host, requireTls);
                case NextHop.Server server -> policies.choose(server, host, requireTls);
            };
        }

        /// A message may waive its own safety, but not that of our password.
        private Optional<OpenConnection> tried(
                MailHost host, InetAddress address, TlsChoice.Use use)
                throws InterruptedIOException {
            String where = where(host, address);
            try {
                return open(host, address, use, where, true);
            } catch (TlsFailure e) {
                failedTls(use, e, host, address);
                if (use.rule().mandatory()) {
                    // RFC 8689 §4.2.1: who demands TLS is told at once
                    String text = where + ": TLS: " + message(e);
                    failed(
                            where,
                            "",
                            requireTls
                                    ? new Status(550, "5.7.10", text)
                                    : new Status(451, "4.7.5", text));
                    return Optional.empty();
                }
                log.info("{}: TLS failed, goes on without: {}", where, message(e));
                return withoutTls(host, address, use, where);
            } catch (IOException e) {
                stopWhenInterrupted(e);
                failed(where, "", unreachable(where, e));
                return Optional.empty();
            }
        }

        private Optional<OpenConnection> withoutTls(
                MailHost host, InetAddress address, TlsChoice.Use use, String where)
                throws InterruptedIOException {
            try {
                return open(host, address, use, where, false);
            } catch (IOException e) {
                stopWhenInterrupted(e);
                failed(where, "", unreachable(where, e));
                return Optional.empty();
            }
        }

        private Optional<OpenConnection> open(
                MailHost host,
                InetAddress address,
                TlsChoice.Use use,
                String where,
                boolean withTls)
                throws IOException {
            Socket socket = connected(address, host.port());
            SmtpConversation conversation = null;
            try {
                String words = "";
                boolean fromTheStart = hop instanceof NextHop.Server && host.port() == SUBMISSIONS;
                if (fromTheStart) {
                    // RFC 8314 §3.3
                    socket.setSoTimeout((int) manner.patience().greeting().toMillis());
                    ClientTls.Secured secured = tls.secure(socket, host, use.rule());
                    socket = secured.socket();
                    words = secured.words();
                }
                conversation =
                        new SmtpConversation(socket, manner.name(), lmtp(), manner.patience());
                Reply reply = conversation.begin();
                if (!reply.ok()) {
                    refused(where, words, reply);
                    conversation.quit();
                    return Optional.empty();
                }
                boolean secured = fromTheStart;
                if (!fromTheStart && withTls) {
                    Optional<ClientTls.Secured> done = startTls(conversation, socket, host, use);
                    if (done.isPresent()) {
                        secured = true;
                        words = done.get().words();
                        reply = conversation.secured(done.get().socket());
                        if (!reply.ok()) {
                            refused(where, words, reply);
                            conversation.quit();
                            return Optional.empty();
                        }
                        count(use, done.get(), host, address);
                    }
                }
                return ready(conversation, use, where, words, secured);
            } catch (IOException | RuntimeException e) {
                if (conversation != null) {
                    conversation.close();
                }
                socket.close();
                throw e;
            }
        }

        private Optional<ClientTls.Secured> startTls(
                SmtpConversation conversation, Socket socket, MailHost host, TlsChoice.Use use)
                throws IOException {
            if (!conversation.capabilities().startTls()) {
                if (use.rule().mandatory() || use.rule() instanceof TlsRule.Tested) {
                    throw new TlsFailure(
                            TlsResult.STARTTLS_NOT_SUPPORTED, "STARTTLS is not offered", null);
                }
                return Optional.empty();
            }
            Reply reply = conversation.startTls();
            if (!reply.ok()) {
                throw new TlsFailure(
                        TlsResult.STARTTLS_NOT_SUPPORTED,
                        "STARTTLS was refused: " + reply.status(),
                        null);
            }
            return Optional.of(tls.secure(socket, host, use.rule()));
        }

        private void count(
                TlsChoice.Use use, ClientTls.Secured secured, MailHost host, InetAddress address) {
            secured.complaint()
                    .ifPresentOrElse(
                            complaint -> failedTls(use, complaint, host, address),
                            () -> {
                                if (!ratherArrive) {
                                    ledger.succeeded(use.policy());
                                }
                            });
        }

        // RFC 8460 §3: sessions that carry reports are not reported
        private void failedTls(
                TlsChoice.Use use, TlsFailure failure, MailHost host, InetAddress address) {
            if (!ratherArrive) {
                ledger.failed(
                        use.policy(),
                        failure.result(),
                        host.name(),
                        address.getHostAddress(),
                        message(failure));
            }
        }

        /// All is said but our name there, and whether a message that insists on TLS may go.
        private Optional<OpenConnection> ready(
                SmtpConversation conversation,
                TlsChoice.Use use,
                String where,
                String words,
                boolean secured)
                throws IOException {
            boolean verified =
                    secured
                            && (use.rule() instanceof TlsRule.Dane
                                    || use.rule() instanceof TlsRule.Verified)
                            && conversation.capabilities().requireTls();
            if (requireTls && !verified) {
                // RFC 8689 §4.2.1
                failed(
                        where,
                        words,
                        secured
                                ? new Status(
                                        550,
                                        "5.7.30",
                                        where
                                                + " does not support REQUIRETLS, which the message"
                                                + " demands")
                                : new Status(
                                        550,
                                        "5.7.10",
                                        where + " has no TLS, which the message demands"));
                conversation.quit();
                return Optional.empty();
            }
            if (hop instanceof NextHop.Server server && server.login().isPresent()) {
                Reply reply = conversation.signIn(server.login().get());
                if (!reply.ok()) {
                    // Our own mistake, which an administrator mends: mail waits for that.
                    failed(
                            where,
                            words,
                            notNow(
                                    new Status(
                                            reply.code(),
                                            reply.enhanced(),
                                            where + " does not let us in: " + reply.text())));
                    log.error(
                            "{}: cannot sign in as {}: {}; look at smart-host-login and"
                                    + " smart-host-password",
                            where,
                            server.login().get(),
                            reply.status());
                    conversation.quit();
                    return Optional.empty();
                }
            }
            return Optional.of(
                    new OpenConnection(
                            conversation,
                            where,
                            words,
                            verified,
                            !ratherArrive,
                            manner.maxMessages()));
        }

        /// A host that has something against us from the start; another may have not. RFC 7504: 521
        /// from all of them is final.
        private void refused(String where, String words, Reply reply) {
            Status said =
                    new Status(reply.code(), reply.enhanced(), where + " said: " + reply.text());
            failed(where, words, reply.code() == 521 ? said : notNow(said));
        }

        private void failed(String where, String words, Status why) {
            told.tell(where, words, why);
            allRefuseForGood &= why.permanent();
            last = why;
        }

        private Socket connected(InetAddress address, int port) throws IOException {
            Socket socket = new Socket();
            try {
                Optional<InetAddress> source =
                        manner.sources().stream()
                                .filter(
                                        from ->
                                                from instanceof Inet6Address
                                                        == address instanceof Inet6Address)
                                .findFirst();
                if (source.isPresent()) {
                    bind(socket, source.get());
                }
                socket.setTcpNoDelay(true);
                socket.connect(
                        new InetSocketAddress(address, port), (int) manner.connect().toMillis());
                return socket;
            } catch (IOException e) {
                socket.close();
                throw new NoAnswer(e);
            } catch (RuntimeException e) {
                socket.close();
                throw e;
            }
        }

        private static void bind(Socket socket, InetAddress source) throws IOException {
            try {
                socket.bind(new InetSocketAddress(source, 0));
            } catch (IOException e) {
                throw new IOException(
                        "cannot be called from source-address "
                                + source.getHostAddress()
                                + ": "
                                + e.getMessage(),
                        e);
            }
        }

        private boolean lmtp() {
            return hop instanceof NextHop.Server server && server.lmtp();
        }
    }

    private static String where(MailHost host, InetAddress address) {
        String text = address.getHostAddress();
        return host.name().startsWith("[")
                ? "[" + text + "]:" + host.port()
                : host.name() + " [" + text + "]:" + host.port();
    }

    /// RFC 3463 §3.5 tells X.4.1, no answer from the host, from X.4.2, a conversation that broke
    /// off.
    private static final class NoAnswer extends IOException {

        private static final long serialVersionUID = 1;

        NoAnswer(IOException why) {
            super(RemoteCourier.plain(why), why);
        }
    }

    private static Status unreachable(String where, IOException e) {
        return new Status(
                451, e instanceof NoAnswer ? "4.4.1" : "4.4.2", where + ": " + message(e));
    }

    private static Status notNow(Status why) {
        if (!why.permanent()) {
            return why;
        }
        String enhanced = why.enhanced().isEmpty() ? "" : "4" + why.enhanced().substring(1);
        return new Status(451, enhanced, why.code() + " " + why.text());
    }

    private static String message(IOException e) {
        return RemoteCourier.plain(e);
    }

    private static void stopWhenInterrupted(IOException e) throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            InterruptedIOException stopped = new InterruptedIOException("told to stop");
            stopped.initCause(e);
            throw stopped;
        }
    }
}
