package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.testkit.Fuzz;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/// Conversations with a server that says anything, not minding what it was asked.
@Timeout(120)
class ConversationFuzzTest {

    private static final Set<String> OURS =
            Set.of("EHLO", "HELO", "LHLO", "AUTH", "MAIL", "RCPT", "RSET", "QUIT");

    @Test
    void whateverAServerSaysEveryRecipientHasAnOutcomeOrTheConversationIsOver() throws Exception {
        Duration time = Duration.ofSeconds(Long.getLong("pabal.fuzz.seconds", 1));
        Fuzz.run(
                Path.of("src/test/resources/fuzz/servers"),
                time,
                input -> {
                    converse(input, false);
                    converse(input, true);
                });
    }

    private static void converse(byte[] said, boolean lmtp) throws IOException {
        Canned socket = new Canned(said);
        try (var conversation =
                new SmtpConversation(
                        socket, "client.example.org", lmtp, Post.PATIENCE, () -> "nonce")) {
            conversation.begin();
            if (!conversation.capabilities().mechanisms().isEmpty()) {
                conversation.signIn(new Login("user", "pencil"));
            }
            for (int i = 0; i < 3 && conversation.reusable(); i++) {
                Map<MailAddress, Outcome> outcomes =
                        Post.send(conversation, "b@example.net", "c@example.net");
                // the first is always tried, unless a limit of the whole session is reached
                assertTrue(
                        outcomes.containsKey(Post.address("b@example.net"))
                                || conversation.capabilities().limit("RCPTDOMAINMAX").isPresent());
            }
            conversation.quit();
        } catch (IOException e) {
            assertFalse(e.getMessage().chars().anyMatch(Character::isISOControl), e.getMessage());
        }
        for (String line : socket.out.toString(StandardCharsets.UTF_8).split("\r\n")) {
            if (line.startsWith("MAIL") || line.startsWith("RCPT")) {
                assertTrue(line.contains("@example."), line);
            }
            assertTrue(
                    OURS.stream().anyMatch(line::startsWith)
                            || !line.contains(":<")
                            || line.isEmpty(),
                    line);
        }
    }

    /// A connection to a server whose words are all there from the beginning.
    private static final class Canned extends Socket {

        private final ByteArrayInputStream in;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Canned(byte[] said) {
            this.in = new ByteArrayInputStream(said);
        }

        @Override
        public InputStream getInputStream() {
            return new InputStream() {
                @Override
                public int read() {
                    return in.read();
                }

                /// One line a time, as if the server waited for us.
                @Override
                public int read(byte[] into, int offset, int length) {
                    int number = 0;
                    while (number < length) {
                        int octet = in.read();
                        if (octet < 0) {
                            return number == 0 ? -1 : number;
                        }
                        into[offset + number++] = (byte) octet;
                        if (octet == '\n') {
                            break;
                        }
                    }
                    return number;
                }

                @Override
                public int available() {
                    return 0;
                }
            };
        }

        @Override
        public OutputStream getOutputStream() {
            return out;
        }

        @Override
        public InetAddress getInetAddress() {
            return InetAddress.getLoopbackAddress();
        }

        @Override
        public void setTcpNoDelay(boolean on) {}

        @Override
        public void setSoTimeout(int millis) {}
    }
}
