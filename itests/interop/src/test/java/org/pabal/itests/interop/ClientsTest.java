package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.mail.Address;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Flags;
import jakarta.mail.Folder;
import jakarta.mail.Message;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.Store;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;

import org.eclipse.angus.mail.pop3.POP3Folder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.interop.Tool.Result;
import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;
import org.pabal.itests.node.TextClient;
import org.xbill.DNS.Lookup;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/// Alice writes, Bob reads, the name resolves: with the clients that people have.
class ClientsTest {

    @TempDir static Path scratch;

    private static Node node;
    private static InetSocketAddress smtp;
    private static InetSocketAddress submission;
    private static InetSocketAddress pop3;
    private static InetSocketAddress dns;

    @BeforeAll
    static void startNode() throws Exception {
        node = Node.init(scratch.resolve("node"));
        node.start();
        node.shell("account:add", "alice@example.test", "pabal");
        node.shell("account:add", "bob@example.test", "pabal");
        smtp = node.address("smtp");
        submission = node.address("submission");
        pop3 = node.address("pop3");
        dns = node.address("dns");
    }

    @AfterAll
    static void stopNode() throws Exception {
        node.close();
    }

    @BeforeEach
    void emptyBobsMailbox() throws Exception {
        try (TextClient client = Conversations.signIn(pop3, "bob", "pabal")) {
            int count = Integer.parseInt(client.ask("STAT").split(" ")[1]);
            for (int number = 1; number <= count; number++) {
                client.ask("DELE " + number);
            }
            Conversations.expect(client.ask("QUIT"), "+OK");
        }
    }

    // ---- Angus Mail: always

    @Test
    void angusSubmitsOverStartTlsAndReadsByPop3() throws Exception {
        angusSend("alice@example.test", "pabal", "bob@example.test");
        awaitMail(1);
        try (Store store = angusStore("bob", "pabal");
                Folder inbox = store.getFolder("INBOX")) {
            inbox.open(Folder.READ_WRITE);
            assertEquals(1, inbox.getMessageCount());
            Message message = inbox.getMessage(1);
            assertEquals("Hello from Angus", message.getSubject());
            assertEquals("The relay runs.\r\n", message.getContent());
            assertFalse(assertInstanceOf(POP3Folder.class, inbox).getUID(message).isEmpty());
            message.setFlag(Flags.Flag.DELETED, true);
        }
        assertEquals(0, mail().size(), "download and delete");
    }

    @Test
    void angusLearnsWhatIsWrong() throws Exception {
        assertThrows(
                AuthenticationFailedException.class,
                () -> angusSend("alice@example.test", "wrong", "bob@example.test"));
        assertThrows(AuthenticationFailedException.class, () -> angusStore("bob", "wrong"));
        SendFailedException refused =
                assertThrows(
                        SendFailedException.class,
                        () -> angusSend("alice@example.test", "pabal", "nobody@example.test"));
        assertTrue(refused.getMessage().contains("Invalid Addresses"), refused.getMessage());
    }

    @Test
    void dnsjavaFindsTheMailExchanger() throws Exception {
        SimpleResolver resolver = new SimpleResolver(dns);
        resolver.setTimeout(Duration.ofSeconds(10));
        for (boolean tcp : new boolean[] {false, true}) {
            resolver.setTCP(tcp);
            Lookup lookup = new Lookup(Name.fromString("example.test."), Type.MX);
            lookup.setResolver(resolver);
            lookup.setCache(null);
            Record[] found = lookup.run();
            assertEquals(Lookup.SUCCESSFUL, lookup.getResult(), lookup.getErrorString());
            assertEquals(
                    "mx.example.test.",
                    assertInstanceOf(MXRecord.class, found[0]).getTarget().toString());
        }
    }

    // ---- programs, where they are installed

    @Test
    void curlSendsAndReadsOctetForOctet() throws Exception {
        Tool.need("curl");
        String message =
                "From: <alice@example.test>\r\n"
                        + "To: <bob@example.test>\r\n"
                        + "Subject: curl\r\n\r\n"
                        + ".dots\r\n"
                        + "..more dots\r\n"
                        + ".\r\n"
                        + "\ttab, trailing space \r\n\r\n"
                        + "Grüße, 파발\r\n";
        Path file = Files.writeString(scratch.resolve("message.eml"), message);
        Result sent =
                curl(
                        "--url",
                        "smtp://127.0.0.1:" + smtp.getPort(),
                        "--mail-from",
                        "alice@example.test",
                        "--mail-rcpt",
                        "bob@example.test",
                        "-T",
                        file.toString());
        assertEquals(0, sent.exit(), sent.output());
        awaitMail(1);
        Result read =
                curl(
                        "--url",
                        "pop3://127.0.0.1:" + pop3.getPort() + "/1",
                        "--user",
                        "bob@example.test:pabal");
        assertEquals(0, read.exit(), read.output());
        String header = read.output().substring(0, read.output().length() - message.length());
        assertEquals(message, read.output().substring(header.length()));
        assertTrue(header.startsWith("Return-Path: <alice@example.test>\r\n"), header);
        assertTrue(header.contains("\r\nReceived: from "), header);
        assertEquals(1, mail().size(), "download and keep");
    }

    @Test
    void curlSubmitsOverStartTls() throws Exception {
        Tool.need("curl");
        Path file =
                Files.writeString(
                        scratch.resolve("submitted.eml"),
                        "From: alice@example.test\r\nSubject: submitted\r\n\r\nHello.\r\n");
        for (String mechanism : new String[] {"PLAIN", "LOGIN"}) {
            Result sent =
                    curl(
                            "--url",
                            "smtp://127.0.0.1:" + submission.getPort(),
                            "--ssl-reqd",
                            "--insecure",
                            "--login-options",
                            "AUTH=" + mechanism,
                            "--user",
                            "alice@example.test:pabal",
                            "--mail-from",
                            "alice@example.test",
                            "--mail-rcpt",
                            "bob@example.test",
                            "-T",
                            file.toString());
            assertEquals(0, sent.exit(), mechanism + ": " + sent.output());
        }
        awaitMail(2);
    }

    @Test
    void swaksIsToldThatNobodyMayRelay() throws Exception {
        Tool.need("swaks");
        Result refused =
                Tool.run(
                        scratch,
                        Map.of(),
                        List.of(
                                "swaks",
                                "--server",
                                "127.0.0.1:" + smtp.getPort(),
                                "--from",
                                "stranger@example.net",
                                "--to",
                                "victim@example.org"));
        assertEquals(24, refused.exit(), refused.output());
        assertTrue(refused.output().contains("550 5.7.1"), refused.output());
        Result sent =
                Tool.run(
                        scratch,
                        Map.of(),
                        List.of(
                                "swaks",
                                "--server",
                                "127.0.0.1:" + submission.getPort(),
                                "--tls",
                                "--auth",
                                "PLAIN",
                                "--auth-user",
                                "alice",
                                "--auth-password",
                                "pabal",
                                "--from",
                                "alice@example.test",
                                "--to",
                                "bob@example.test"));
        assertEquals(0, sent.exit(), sent.output());
        awaitMail(1);
    }

    @Test
    void fetchmailDownloadsAndDeletes() throws Exception {
        Tool.need("fetchmail");
        Conversations.sendMail(
                smtp,
                "alice@example.org",
                "bob@example.test",
                "Subject: fetch me\r\n\r\nHello.\r\n");
        awaitMail(1);
        Path settings = scratch.resolve("fetchmailrc");
        Files.writeString(
                settings,
                "poll 127.0.0.1 service "
                        + pop3.getPort()
                        + " protocol pop3 uidl auth password\n"
                        + "  user \"bob@example.test\" password \"pabal\" sslproto \"\" mda \"cat >"
                        + " "
                        + scratch.resolve("fetched")
                        + "\"\n");
        Files.setPosixFilePermissions(settings, PosixFilePermissions.fromString("rw-------"));
        Result fetched =
                Tool.run(
                        scratch,
                        Map.of(
                                "HOME",
                                scratch.toString(),
                                "FETCHMAILHOME",
                                scratch.toString(),
                                "USER",
                                "bob",
                                "LOGNAME",
                                "bob"),
                        List.of(
                                "fetchmail",
                                "-f",
                                settings.toString(),
                                "-i",
                                scratch.resolve("fetchids").toString()));
        assertEquals(0, fetched.exit(), fetched.output());
        assertTrue(
                Files.readString(scratch.resolve("fetched"), StandardCharsets.ISO_8859_1)
                        .contains("Hello."));
        assertEquals(0, mail().size());
    }

    @Test
    void muttOpensTheMaildir() throws Exception {
        Tool.need("mutt");
        Tool.need("script");
        Conversations.sendMail(
                smtp,
                "alice@example.org",
                "bob@example.test",
                "From: alice@example.org\r\nSubject: seen by mutt\r\n\r\nHello.\r\n");
        awaitMail(1);
        Path maildir;
        try (var folders = Files.walk(node.directory().resolve("data"))) {
            maildir =
                    folders.filter(
                                    f ->
                                            f.endsWith("new")
                                                    && f.toString().contains("bob")
                                                    && !f.getParent()
                                                            .getFileName()
                                                            .toString()
                                                            .startsWith("."))
                            .findFirst()
                            .orElseThrow()
                            .getParent();
        }
        Path copy = scratch.resolve("seen-by-mutt");
        Path settings =
                Files.writeString(
                        scratch.resolve("muttrc"),
                        "set folder="
                                + scratch
                                + " mbox_type=mbox confirmappend=no confirmcreate=no move=no"
                                + " mark_old=no wait_key=no\n"
                                + "push '<copy-message>"
                                + copy
                                + "<enter><exit>'\n");
        // mutt wants a terminal, and script gives it one
        Result mutt =
                Tool.run(
                        scratch,
                        Map.of("HOME", scratch.toString(), "TERM", "xterm"),
                        List.of(
                                "script",
                                "-qec",
                                "mutt -n -R -F " + settings + " -f " + maildir,
                                "/dev/null"));
        assertTrue(Files.exists(copy), mutt.output());
        assertTrue(Files.readString(copy).contains("Subject: seen by mutt"));
    }

    @Test
    void digAsksByUdpAndTcp() throws Exception {
        Tool.need("dig");
        for (String way : new String[] {"+notcp", "+tcp"}) {
            Result mx = dig(way, "example.test", "MX");
            assertTrue(
                    mx.output().contains("status: NOERROR") && mx.output().contains(" aa"),
                    mx.output());
            assertTrue(mx.output().contains("10 mx.example.test."), mx.output());
            Result none = dig(way, "nobody.example.test", "A");
            assertTrue(
                    none.output().contains("status: NXDOMAIN") && none.output().contains("SOA"),
                    none.output());
            assertTrue(dig(way, "example.org", "A").output().contains("status: REFUSED"));
        }
    }

    private static Result dig(String... arguments) throws Exception {
        List<String> command =
                new java.util.ArrayList<>(List.of("dig", "@127.0.0.1", "-p", "" + dns.getPort()));
        command.addAll(List.of(arguments));
        return Tool.run(scratch, Map.of(), command);
    }

    private static Result curl(String... arguments) throws Exception {
        List<String> command =
                new java.util.ArrayList<>(List.of("curl", "--silent", "--show-error"));
        command.addAll(List.of(arguments));
        return Tool.run(scratch, Map.of(), command);
    }

    private static List<String> mail() throws Exception {
        return Conversations.readMail(pop3, "bob", "pabal");
    }

    /// Delivery follows the 250 within moments; POP3 shows what was there at sign-in, so ask again.
    private static void awaitMail(int count) throws Exception {
        for (int tries = 0; tries < 200; tries++) {
            if (mail().size() >= count) {
                return;
            }
        }
        throw new AssertionError(
                "no mail for bob; queue:\n"
                        + node.shell("queue:list")
                        + "\nlog:\n"
                        + node.output());
    }

    private static void angusSend(String login, String password, String to) throws Exception {
        Properties properties = new Properties();
        properties.putAll(
                Map.of(
                        "mail.smtp.host", "127.0.0.1",
                        "mail.smtp.port", "" + submission.getPort(),
                        "mail.smtp.auth", "true",
                        "mail.smtp.starttls.enable", "true",
                        "mail.smtp.starttls.required", "true",
                        "mail.smtp.ssl.trust", "*",
                        "mail.smtp.ssl.checkserveridentity", "false",
                        "mail.smtp.timeout", "30000"));
        Session session = Session.getInstance(properties);
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress("alice@example.test"));
        message.setRecipients(Message.RecipientType.TO, new Address[] {new InternetAddress(to)});
        message.setSubject("Hello from Angus");
        message.setText("The relay runs.\r\n");
        message.saveChanges();
        try (Transport transport = session.getTransport("smtp")) {
            transport.connect(login, password);
            transport.sendMessage(message, message.getAllRecipients());
        }
    }

    private static Store angusStore(String login, String password) throws Exception {
        Properties properties = new Properties();
        properties.putAll(
                Map.of(
                        "mail.pop3.starttls.enable", "true",
                        "mail.pop3.starttls.required", "true",
                        "mail.pop3.ssl.trust", "*",
                        "mail.pop3.ssl.checkserveridentity", "false",
                        "mail.pop3.timeout", "30000"));
        Store store = Session.getInstance(properties).getStore("pop3");
        try {
            store.connect("127.0.0.1", pop3.getPort(), login, password);
        } catch (jakarta.mail.MessagingException e) {
            store.close();
            throw e;
        }
        return store;
    }
}
