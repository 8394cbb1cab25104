package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.net.Socket;
import java.util.List;

@Timeout(60)
class ScriptedMailServerTest {

    private static String told(ScriptedMailServer server, String... lines) throws IOException {
        try (Socket socket =
                new Socket(server.address().getAddress(), server.address().getPort())) {
            String all = String.join("\r\n", lines) + "\r\n";
            socket.getOutputStream().write(all.getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @Test
    void keepsAMessageWithoutTheDotsThatDataAdds() throws Exception {
        try (var server = new ScriptedMailServer().keywords("SIZE 1000", "PIPELINING")) {
            String said =
                    told(
                            server,
                            "EHLO a.example",
                            "MAIL FROM:<a@example.org> SIZE=9",
                            "RCPT TO:<b@example.org>",
                            "DATA",
                            "..",
                            "x",
                            ".",
                            "QUIT");

            assertEquals(
                    """
                    220 mail.example.org ready
                    250-mail.example.org
                    250-SIZE 1000
                    250 PIPELINING
                    250 2.1.0 sender ok
                    250 2.1.5 recipient ok
                    354 go ahead
                    250 2.0.0 queued
                    221 2.0.0 bye
                    """
                            .replace("\n", "\r\n"),
                    said);
            ScriptedMailServer.Mail mail = server.awaitMails(1).getFirst();
            assertEquals(".\r\nx\r\n", mail.text());
            assertEquals("<a@example.org> SIZE=9", mail.from());
            assertEquals(List.of("<b@example.org>"), mail.to());
            assertFalse(mail.chunked());
            assertEquals(1, server.connections());
            assertTrue(server.sessions().getFirst().pipelined().contains("DATA"));
        }
    }

    @Test
    void putsChunksTogether() throws Exception {
        try (var server = new ScriptedMailServer().keywords("CHUNKING")) {
            told(
                    server,
                    "EHLO a.example",
                    "MAIL FROM:<>",
                    "RCPT TO:<b@example.org>",
                    "BDAT 4",
                    "a\r\n.BDAT 2 LAST",
                    "",
                    "QUIT");

            ScriptedMailServer.Mail mail = server.awaitMails(1).getFirst();
            assertEquals("a\r\n.\r\n", mail.text());
            assertTrue(mail.chunked());
        }
    }

    @Test
    void answersByRulesInTurnAndHangsUp() throws Exception {
        try (var server =
                new ScriptedMailServer()
                        .reply("", "554 go away", "220 well then")
                        .reply("NOOP", "250 one", "421 bye\n" + ScriptedMailServer.HANG_UP)) {
            assertEquals("554 go away\r\n221 2.0.0 bye\r\n", told(server, "QUIT"));
            Socket socket = new Socket(server.address().getAddress(), server.port());
            socket.getOutputStream().write("NOOP\r\nnoop\r\nQUIT\r\n".getBytes(UTF_8));
            socket.shutdownOutput();
            String said = new String(socket.getInputStream().readAllBytes(), UTF_8);
            socket.close();
            assertEquals("220 well then\r\n250 one\r\n421 bye\r\n", said);
        }
    }

    @Test
    void overLmtpEachRecipientHasItsReply() throws Exception {
        try (var server =
                new ScriptedMailServer().lmtp().reply(". <b@", "452 4.2.2 <b> is over quota")) {
            String said =
                    told(
                            server,
                            "LHLO a.example",
                            "MAIL FROM:<>",
                            "RCPT TO:<a@example.org>",
                            "RCPT TO:<b@example.org>",
                            "DATA",
                            ".",
                            "QUIT");

            assertTrue(
                    said.contains(
                            "250 2.1.5 <a@example.org> ok\r\n452 4.2.2 <b> is over quota\r\n"),
                    said);
            assertEquals(List.of("<a@example.org>"), server.awaitMails(1).getFirst().to());
        }
    }
}
