package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.pabal.protocol.Connection;
import org.pabal.protocol.LineReader;
import org.pabal.protocol.LineReader.Line;
import org.pabal.protocol.StreamProtocol;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

class DialogueTest {

    /// Says what it hears, and where from.
    private static void echo(Connection connection) throws IOException {
        say(
                connection,
                "hello "
                        + connection.peer().address().getAddress().getHostAddress()
                        + " "
                        + connection.peer().listener());
        LineReader lines = new LineReader(connection.input(), 100);
        try {
            while (connection.awaitInput()) {
                Optional<Line> line = lines.read();
                if (line.isEmpty()) {
                    return;
                }
                switch (line.get()) {
                    case Line.Text(byte[] octets) when new String(octets).equals("STARTTLS") -> {
                        say(connection, connection.canStartTls() ? "ready" : "no");
                        connection.startTls();
                        lines = new LineReader(connection.input(), 100);
                    }
                    case Line.Text(byte[] octets) when new String(octets).equals("QUIT") -> {
                        say(connection, "bye");
                        return;
                    }
                    case Line.Text(byte[] octets) -> {
                        say(
                                connection,
                                (connection.tls().isPresent() ? "tls-" : "plain-")
                                        + new String(octets, StandardCharsets.UTF_8));
                        connection.patience(Duration.ofMinutes(1));
                    }
                    case Line.TooLong _ -> say(connection, "too long");
                    case Line.Malformed _ -> say(connection, "malformed");
                }
            }
            if (connection.draining()) {
                say(connection, "going down");
            }
        } catch (SocketTimeoutException e) {
            say(connection, "too slow");
        }
    }

    private static void say(Connection connection, String line) throws IOException {
        connection.output().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    @TestFactory
    Stream<DynamicTest> playsEveryFileOfAFolder() throws IOException {
        return Dialogue.tests(Path.of("src/test/resources/dialogues"), () -> DialogueTest::echo);
    }

    @Test
    void saysWhichLineDidNotFit() {
        AssertionError error =
                assertThrows(
                        AssertionError.class,
                        () -> Dialogue.of("S~ hello.*\nC: a\nS: b\n").play(DialogueTest::echo));
        assertEquals(
                "dialogue line 3 (S: b): expected `b` but the server said `plain-a`",
                error.getMessage());
    }

    @Test
    void failsWhenTheServerGoesOnInsteadOfClosing() {
        Dialogue dialogue = Dialogue.of("S~ hello.*\nC: a\nC: QUIT\n-- close\n");
        assertThrows(AssertionError.class, () -> dialogue.play(DialogueTest::echo));
    }

    @Test
    void failsWhenTheProtocolThrowsWhatItMayNot() {
        StreamProtocol broken =
                connection -> {
                    throw new IllegalStateException("broken");
                };
        AssertionError error =
                assertThrows(AssertionError.class, () -> Dialogue.of("S: hello\n").play(broken));
        assertEquals("broken", error.getSuppressed()[0].getMessage());
    }

    @Test
    void refusesLinesThatItDoesNotKnow() {
        assertThrows(IllegalArgumentException.class, () -> Dialogue.of("X: what\n"));
        assertThrows(IllegalArgumentException.class, () -> Dialogue.of("C:what\n"));
    }

    @Test
    void playsOverTheWire() throws Exception {
        try (ServerSocket server =
                new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            Thread serving =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try (Socket client = server.accept()) {
                                            TestConnection connection = new TestConnection();
                                            Thread.ofVirtual()
                                                    .start(
                                                            () -> {
                                                                try (OutputStream to =
                                                                        connection.toServer()) {
                                                                    client.getInputStream()
                                                                            .transferTo(to);
                                                                } catch (IOException e) {
                                                                    connection.close();
                                                                }
                                                            });
                                            echo(connection);
                                            connection.finish();
                                            connection
                                                    .fromServer()
                                                    .transferTo(client.getOutputStream());
                                        } catch (IOException e) {
                                            throw new java.io.UncheckedIOException(e);
                                        }
                                    });
            Dialogue.of("C: a\nC: QUIT\nS: hello 127.0.0.1 test\nS* plain.*\nS: bye\n-- close\n")
                    .play((InetSocketAddress) server.getLocalSocketAddress());
            serving.join();
        }
    }

    @Test
    void startTlsDropsWhatWasSentTooEarly() throws Exception {
        Dialogue.of(
                        "-- allow starttls\n"
                                + "S~ hello.*\n"
                                + "C: STARTTLS\n"
                                + "C: EARLY\n"
                                + "S: ready\n"
                                + "-- starttls\n"
                                + "C: late\n"
                                + "S: tls-late\n"
                                + "C: QUIT\n"
                                + "S: bye\n"
                                + "-- close\n")
                .play(DialogueTest::echo);
        assertTrue(new TestConnection().tls().isEmpty());
    }
}
