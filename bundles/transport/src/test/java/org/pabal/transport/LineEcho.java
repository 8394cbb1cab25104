package org.pabal.transport;

import org.pabal.protocol.Connection;
import org.pabal.protocol.StreamProtocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// A protocol for tests: answers each line with the line, `peer` with who talks, `starttls` with
/// TLS.
class LineEcho implements StreamProtocol {

    final String answer;
    final AtomicInteger running = new AtomicInteger();
    final CountDownLatch begun = new CountDownLatch(1);
    volatile boolean endedByDraining;

    LineEcho() {
        this("");
    }

    /// @param answer put before every line
    LineEcho(String answer) {
        this.answer = answer;
    }

    @Override
    public void converse(Connection connection) throws IOException {
        running.incrementAndGet();
        begun.countDown();
        try {
            say(connection, "hello");
            while (connection.awaitInput()) {
                String line = line(connection);
                switch (line) {
                    case "peer" -> say(connection, connection.peer() + " " + connection.local());
                    case "quit" -> {
                        say(connection, "bye");
                        return;
                    }
                    case "fault" -> throw new IllegalStateException("asked for");
                    case "starttls" -> {
                        say(connection, "go ahead " + connection.canStartTls());
                        connection.startTls();
                    }
                    default -> say(connection, answer + line);
                }
            }
            endedByDraining = connection.draining();
            if (connection.draining()) {
                say(connection, "421 shutting down");
            }
        } finally {
            running.decrementAndGet();
        }
    }

    static void say(Connection connection, String line) throws IOException {
        connection.output().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    static String line(Connection connection) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = connection.input().read();
                octet != '\n';
                octet = connection.input().read()) {
            if (octet < 0) {
                throw new IOException("the client left within a line");
            }
            if (octet != '\r') {
                line.write(octet);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }
}
