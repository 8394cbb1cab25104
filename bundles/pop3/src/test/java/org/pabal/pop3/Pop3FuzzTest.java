package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Peer;
import org.pabal.testkit.Fuzz;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

import javax.net.ssl.SSLSession;

/// Whole sessions with bent input: they end, every line they say is one of ours, and nothing of the
/// client's comes back.
class Pop3FuzzTest {

    @Test
    void endsWhateverAStrangerSends() throws Exception {
        Fuzz.run(Path.of("src/test/resources/fuzz"), Pop3FuzzTest::session);
    }

    private static void session(byte[] input) throws Exception {
        House house = new House();
        Plain connection = new Plain(input);
        try {
            house.protocol().converse(connection);
        } catch (IOException endOfEndlessLine) {
            assertTrue(
                    endOfEndlessLine.getMessage().startsWith("a line of more than"),
                    endOfEndlessLine.toString());
        }
        String said = connection.said.toString(StandardCharsets.UTF_8);
        assertTrue(said.isEmpty() || said.endsWith("\r\n"));
        for (String line : said.split("\r\n")) {
            assertTrue(line.chars().noneMatch(c -> c < ' ' || c == 127), line);
        }
        // Whatever happened, the maildrops are free again
        for (var owner : java.util.List.of(House.ALICE, House.BOB, House.CAROL)) {
            assertTrue(
                    house.maildrops.open(owner) instanceof Maildrops.Opening.Opened,
                    owner.toString());
        }
    }

    /// A client that has sent everything before it reads.
    private static final class Plain implements Connection {

        private final InputStream in;
        private final ByteArrayOutputStream said = new ByteArrayOutputStream();

        Plain(byte[] input) {
            in = new ByteArrayInputStream(input);
        }

        @Override
        public Peer peer() {
            return new Peer(local(), "pop3");
        }

        @Override
        public InetSocketAddress local() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 110);
        }

        @Override
        public InputStream input() {
            return in;
        }

        @Override
        public OutputStream output() {
            return said;
        }

        @Override
        public boolean awaitInput() throws IOException {
            return in.available() > 0;
        }

        @Override
        public void patience(Duration limit) {}

        @Override
        public Optional<SSLSession> tls() {
            return Optional.empty();
        }

        @Override
        public boolean canStartTls() {
            return true;
        }

        @Override
        public void startTls() {}

        @Override
        public boolean draining() {
            return false;
        }

        @Override
        public boolean awaitInput(BooleanSupplier news) throws IOException {
            return awaitInput();
        }

        @Override
        public void wake() {}

        @Override
        public void leaveToSuccessor() {
            throw new IllegalStateException("no successor is to come");
        }
    }
}
