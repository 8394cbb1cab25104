package org.pabal.itests.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Hands messages to a server as fast as it takes them, signed in where it wants that.
///
/// ```
/// java MailLoad.java PORT MESSAGES SESSIONS OCTETS FROM TO [LOGIN PASSWORD]
/// ```
/// A `%` in the recipient stands for the number of the message.
final class MailLoad {

    private static final AtomicInteger next = new AtomicInteger();

    private MailLoad() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        int messages = Integer.parseInt(arguments[1]);
        int sessions = Integer.parseInt(arguments[2]);
        String text = text(Integer.parseInt(arguments[3]), arguments[4]);
        List<Thread> threads = new ArrayList<>();
        AtomicInteger failed = new AtomicInteger();
        for (int i = 0; i < sessions; i++) {
            threads.add(
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            session(port, messages, text, arguments);
                                        } catch (IOException e) {
                                            System.err.println(e);
                                            failed.incrementAndGet();
                                        }
                                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.exit(failed.get() == 0 ? 0 : 1);
    }

    private static String text(int octets, String from) {
        StringBuilder text = new StringBuilder("From: <" + from + ">\r\nSubject: load\r\n\r\n");
        while (text.length() < octets) {
            text.append("All work and no play makes Jack a dull boy, says the proverb.\r\n");
        }
        return text.append(".\r\n").toString();
    }

    private static void session(int port, int messages, String text, String[] arguments)
            throws IOException {
        try (Socket socket = new Socket()) {
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress("127.0.0.1", port));
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.ISO_8859_1));
            OutputStream out = socket.getOutputStream();
            expect(in, "220");
            ask(in, out, "EHLO load.bench.test\r\n", "250");
            if (arguments.length > 6) {
                String plain = "\0" + arguments[6] + "\0" + arguments[7];
                String word =
                        Base64.getEncoder().encodeToString(plain.getBytes(StandardCharsets.UTF_8));
                ask(in, out, "AUTH PLAIN " + word + "\r\n", "235");
            }
            for (int number = next.incrementAndGet();
                    number <= messages;
                    number = next.incrementAndGet()) {
                out.write(
                        ("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n"
                                        .formatted(
                                                arguments[4],
                                                arguments[5].replace("%", "" + number)))
                                .getBytes(StandardCharsets.US_ASCII));
                expect(in, "250");
                expect(in, "250");
                expect(in, "354");
                ask(in, out, text, "250");
            }
            ask(in, out, "QUIT\r\n", "221");
        }
    }

    private static void ask(BufferedReader in, OutputStream out, String line, String code)
            throws IOException {
        out.write(line.getBytes(StandardCharsets.US_ASCII));
        expect(in, code);
    }

    private static void expect(BufferedReader in, String code) throws IOException {
        String line = in.readLine();
        while (line != null && line.startsWith(code + "-")) {
            line = in.readLine();
        }
        if (line == null || !line.startsWith(code)) {
            throw new IOException("expected " + code + ", got: " + line);
        }
    }
}
