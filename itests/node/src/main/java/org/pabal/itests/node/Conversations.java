package org.pabal.itests.node;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Whole conversations that the tests hold again and again.
public final class Conversations {

    /// The server said goodbye in the words of its protocol: nothing was lost, come again.
    public static final class Goodbye extends IOException {
        private static final long serialVersionUID = 1L;

        Goodbye(String words) {
            super(words);
        }
    }

    private Conversations() {}

    /// Sends one message and returns when the server has answered for it.
    ///
    /// @throws Goodbye when the server said 421 instead
    public static void sendMail(InetSocketAddress smtp, String from, String to, String message)
            throws IOException {
        try (TextClient client = new TextClient(smtp)) {
            expect(client.reply(), "220");
            expect(client.ask("EHLO client.example.org"), "250");
            sendMail(client, from, to, message);
            client.send("QUIT");
            // The message is in: how the server says goodbye is its own affair now.
        }
    }

    /// The same on a connection that has said EHLO.
    ///
    /// @param message ends with CR LF
    public static void sendMail(TextClient client, String from, String to, String message)
            throws IOException {
        expect(client.ask("MAIL FROM:<" + from + ">"), "250");
        expect(client.ask("RCPT TO:<" + to + ">"), "250");
        expect(client.ask("DATA"), "354");
        expect(client.ask(message.replace("\r\n.", "\r\n..") + "."), "250");
    }

    /// All messages of an account, in order, left on the server.
    public static List<String> readMail(InetSocketAddress pop3, String login, String password)
            throws IOException {
        List<String> messages = new ArrayList<>();
        readMail(pop3, login, password, messages::add);
        return messages;
    }

    /// The same for more messages than should be in memory at once.
    public static void readMail(
            InetSocketAddress pop3, String login, String password, Consumer<String> reader)
            throws IOException {
        try (TextClient client = signIn(pop3, login, password)) {
            String stat = expect(client.ask("STAT"), "+OK");
            int count = Integer.parseInt(stat.split(" ")[1]);
            for (int number = 1; number <= count; number++) {
                expect(client.ask("RETR " + number), "+OK");
                reader.accept(client.lines());
            }
            expect(client.ask("QUIT"), "+OK");
        }
    }

    /// A POP3 conversation in its TRANSACTION state.
    public static TextClient signIn(InetSocketAddress pop3, String login, String password)
            throws IOException {
        TextClient client = new TextClient(pop3);
        try {
            expect(client.line(), "+OK");
            expect(client.ask("USER " + login), "+OK");
            expect(client.ask("PASS " + password), "+OK");
            return client;
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /// The reply, when it begins as it should.
    public static String expect(String reply, String start) throws IOException {
        if (reply.startsWith("421") || reply.startsWith("-ERR [SYS/TEMP]")) {
            throw new Goodbye(reply);
        }
        if (!reply.startsWith(start)) {
            throw new IOException("expected " + start + ", got: " + reply);
        }
        return reply;
    }
}
