package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.pabal.testkit.TestConnection;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The client's end of a session, for tests that need two of them or look at the mailbox in
/// between.
final class Client implements AutoCloseable {

    final TestConnection connection;
    private final CompletableFuture<String> end = new CompletableFuture<>();

    Client(House house) throws IOException {
        this(house, new TestConnection());
    }

    Client(House house, TestConnection connection) throws IOException {
        this.connection = connection;
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                house.protocol().converse(connection);
                                connection.finish();
                                end.complete("returned");
                            } catch (IOException e) {
                                connection.close();
                                end.complete(e.toString());
                            } catch (Throwable e) {
                                connection.close();
                                end.completeExceptionally(e);
                            }
                        });
        assertEquals("+OK mail.example.test POP3 ready", line());
    }

    /// Signs in with the password that everybody in the house has.
    Client signIn(String login) throws IOException {
        assertEquals("+OK password, please", say("USER " + login));
        String reply = say("PASS pabal");
        assertTrue(reply.startsWith("+OK "), reply);
        return this;
    }

    /// Sends a command and answers the first line of the reply.
    String say(String command) throws IOException {
        connection.toServer().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
        connection.toServer().flush();
        return line();
    }

    String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = connection.fromServer().read();
                octet >= 0 && octet != '\n';
                octet = connection.fromServer().read()) {
            line.write(octet);
        }
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    /// All octets until the server closes.
    String rest() throws IOException {
        return new String(connection.fromServer().readAllBytes(), StandardCharsets.UTF_8);
    }

    /// The client's time is up, now or as soon as the session waits for it again.
    void timeIsUp() {
        connection.patience(Duration.ZERO);
        connection.expire();
    }

    /// Hangs up, if that is not done, and waits until the session is over; answers how it ended.
    String end() throws Exception {
        connection.close();
        return end.get(30, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        connection.close();
        end.join();
    }
}
