package org.pabal.smtp;

import org.pabal.directory.Account;
import org.pabal.directory.SaslExchange;
import org.pabal.protocol.LineReader.Line;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;

/// What is said between AUTH and its answer, RFC 4954 §4: challenges and responses in base64, until
/// the mechanism knows.
///
/// Nothing of what the client says here is logged.
final class AuthConversation {

    private static final Logger LOG = LoggerFactory.getLogger(AuthConversation.class);

    /// How it ended.
    sealed interface Result {
        record SignedIn(Account account) implements Result {}

        /// @param delay how long to wait before the client is told
        /// @param last whether nothing that follows can be trusted
        record Failed(SmtpReply reply, Duration delay, boolean last) implements Result {
            private Failed(SmtpReply reply) {
                this(reply, Duration.ZERO, false);
            }
        }

        /// It is over, and the client with it.
        record Gone() implements Result {}
    }

    /// The way to the client.
    interface Client {
        /// Sends a challenge and brings what the client answers; empty when the conversation is
        /// over.
        Optional<Line> answers(SmtpReply challenge) throws IOException;
    }

    private final SaslExchange exchange;
    private final Client client;

    AuthConversation(SaslExchange exchange, Client client) {
        this.exchange = exchange;
        this.client = client;
    }

    /// @param initial what stood behind AUTH and the mechanism; `=` stands for a response without
    /// octets
    Result hold(Optional<String> initial) throws IOException {
        Optional<byte[]> response =
                initial.flatMap(text -> text.equals("=") ? Optional.of(new byte[0]) : base64(text));
        if (initial.isPresent() && response.isEmpty()) {
            return new Result.Failed(SmtpReply.NOT_BASE64);
        }
        while (true) {
            switch (step(response)) {
                case SaslExchange.Step.Success success -> {
                    return new Result.SignedIn(success.account());
                }
                case SaslExchange.Step.Failure failure -> {
                    SmtpReply reply =
                            switch (failure.why()) {
                                case REJECTED -> SmtpReply.REJECTED;
                                case MALFORMED -> SmtpReply.SIGN_IN_MALFORMED;
                                case LATER -> SmtpReply.SIGN_IN_LATER;
                            };
                    return new Result.Failed(reply, failure.delay(), false);
                }
                case SaslExchange.Step.Challenge challenge -> {
                    Optional<Line> line = client.answers(SmtpReply.challenge(challenge.octets()));
                    if (line.isEmpty()) {
                        return new Result.Gone();
                    }
                    if (!(line.get() instanceof Line.Text text)) {
                        return line.get() instanceof Line.TooLong
                                ? new Result.Failed(SmtpReply.AUTH_LINE_TOO_LONG)
                                : new Result.Failed(SmtpReply.BROKEN_LINE, Duration.ZERO, true);
                    }
                    String answer = new String(text.octets(), StandardCharsets.ISO_8859_1);
                    response = base64(answer);
                    if (response.isEmpty()) {
                        return new Result.Failed(
                                answer.equals("*") ? SmtpReply.CANCELLED : SmtpReply.NOT_BASE64);
                    }
                }
            }
        }
    }

    private SaslExchange.Step step(Optional<byte[]> response) {
        try {
            return exchange.step(response);
        } catch (IOException e) {
            LOG.warn(
                    "nobody can sign in, the directory cannot say: {}",
                    SmtpReply.plain(String.valueOf(e.getMessage())));
            return new SaslExchange.Step.Failure(SaslExchange.Reason.LATER, Duration.ZERO);
        }
    }

    private static Optional<byte[]> base64(String text) {
        try {
            return Optional.of(Base64.getDecoder().decode(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
