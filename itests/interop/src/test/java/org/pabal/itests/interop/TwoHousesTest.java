package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.mail.BodyPart;
import jakarta.mail.Session;
import jakarta.mail.internet.ContentType;
import jakarta.mail.internet.InternetHeaders;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.TextClient;
import org.pabal.testkit.ScriptedMailServer;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The journey of a mail between two servers: Alice hands it to hers, which finds Bob's by DNS and
/// brings it there, and Bob reads it from his own. And what becomes of it when the other server is
/// down, slow, choosy or not there at all.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TwoHousesTest {

    /// So many messages for a hundred domains; 10,000 with `-Pfull`.
    private static final int CROWD = Integer.getInteger("pabal.crowd", 1_000);

    private static final int DOMAINS = 100;

    /// For what leaves messages behind that wait.
    private static final int LAST = Integer.MAX_VALUE;

    @TempDir static Path scratch;

    private static MailHouses houses;

    @BeforeAll
    static void start() throws Exception {
        Tool.need("curl");
        houses =
                new MailHouses(
                        scratch,
                        """
                        half MX 10 dead
                        half MX 20 mx
                        third A 127.0.0.4
                        grey MX 10 third
                        far MX 10 third
                        none MX 0 .
                        inside MX 10 inside-mx
                        inside-mx A 224.0.0.1
                        dead A 127.0.0.5
                        silent A 127.0.0.6
                        """
                                + IntStream.range(0, DOMAINS)
                                        .mapToObj(n -> "d%d MX 10 %s\n".formatted(n, host(n)))
                                        .collect(Collectors.joining()));
        houses.start();
        MailHouses.shell(houses.two, "domain:add half.two.test");
        MailHouses.shell(houses.two, "account:add carol@half.two.test pabal");
        MailHouses.shell(houses.one, "alias:add friends@one.test bob@two.test");
        MailHouses.shell(houses.one, "alias:add moved@one.test nobody@two.test");
    }

    @AfterAll
    static void stop() throws Exception {
        if (houses != null) {
            houses.close();
        }
    }

    @Test
    void goesFromOneServerToTheOther() throws Exception {
        houses.aliceSends(scratch, message("the journey"), "bob@two.test");
        String mail = bobReads("Subject: the journey");
        assertTrue(mail.startsWith("Return-Path: <alice@one.test>"), mail);
        assertTrue(mail.contains("by mx.two.test"), mail);
        assertTrue(mail.contains("with ESMTPS "), mail);
        assertTrue(mail.contains("by mx.one.test"), mail);
        assertTrue(mail.contains("with ESMTPSA "), mail);
        assertTrue(mail.contains("\r\n.with a dot\r\n"), mail);
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void findsTheAccountOfASubaddress() throws Exception {
        houses.aliceSends(scratch, message("to a tag"), "bob+tag@two.test");
        bobReads("Subject: to a tag");
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void takesTheSecondHostWhenTheFirstIsDead() throws Exception {
        houses.aliceSends(scratch, message("the second host"), "carol@half.two.test");
        houses.arrived(
                "Subject: the second host",
                () -> houses.mail(MailHouses.TWO, "carol@half.two.test"));
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void waitsUntilTheOtherServerIsBackAndSaysWhy() throws Exception {
        houses.aliceSends(scratch, message("before"), "bob@two.test");
        bobReads("Subject: before");
        houses.two.stop();
        String id;
        try {
            houses.aliceSends(scratch, message("patience"), "bob@two.test", "bob+too@two.test");
            id = MailHouses.idOf(houses.one, "bob@two.test");
            String waits = houses.awaitTried(houses.one, id);
            String host = "mx.two.test [" + MailHouses.TWO + "]:" + houses.mailPort;
            assertTrue(waits.contains("from       <alice@one.test>"), waits);
            assertTrue(waits.contains("to         <bob@two.test>"), waits);
            assertTrue(waits.contains("deferred: 451 4.4.1 " + host), waits);
            assertTrue(waits.contains("Connection refused"), waits);
            assertTrue(waits.contains("tried once") || waits.contains(" times"), waits);
        } finally {
            houses.two.start();
        }
        MailHouses.shell(houses.one, "queue:retry " + id);
        bobReads("Subject: patience");
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void waitsForADomainWhoseNameServerIsDown() throws Exception {
        houses.aliceSends(scratch, message("to three"), "dave@three.test");
        String id = MailHouses.idOf(houses.one, "dave@three.test");
        String waits = houses.awaitTried(houses.one, id);
        assertTrue(
                waits.contains("deferred: 451 4.4.3 DNS cannot say who takes mail for three.test"),
                waits);
        MailHouses.shell(houses.one, "queue:remove " + id);
    }

    @Test
    void tellsAliceWhatWillNeverArrive() throws Exception {
        houses.aliceSends(scratch, message("to nobody"), "nobody@two.test");
        MimeMessage report = parsed(aliceReads("Subject: to nobody"));
        ContentType type = new ContentType(report.getContentType());
        assertTrue(type.match("multipart/report"), type.toString());
        assertEquals("delivery-status", type.getParameter("report-type"));
        assertEquals("<>", report.getHeader("Return-Path", null));
        assertEquals("1.0", report.getHeader("MIME-Version", null));
        assertTrue(report.getHeader("Auto-Submitted", null).startsWith("auto-"));
        assertTrue(report.getHeader("To", null).contains("alice@one.test"));
        assertTrue(report.getSentDate() != null && report.getMessageID() != null);

        MimeMultipart parts = (MimeMultipart) report.getContent();
        assertTrue(parts.isComplete());
        assertEquals(3, parts.getCount());
        assertTrue(parts.getBodyPart(0).isMimeType("text/plain"));
        String words = (String) parts.getBodyPart(0).getContent();
        assertTrue(words.contains("nobody@two.test"), words);
        assertTrue(parts.getBodyPart(1).isMimeType("message/delivery-status"));
        // RFC 3464 §2.1: fields of the message, then those of each recipient
        try (InputStream status = parts.getBodyPart(1).getInputStream()) {
            InternetHeaders ofMessage = new InternetHeaders(status);
            InternetHeaders ofRecipient = new InternetHeaders(status);
            assertEquals("dns; mx.one.test", ofMessage.getHeader("Reporting-MTA", null));
            assertEquals("rfc822; nobody@two.test", ofRecipient.getHeader("Final-Recipient", null));
            assertEquals("failed", ofRecipient.getHeader("Action", null));
            assertEquals("5.1.1", ofRecipient.getHeader("Status", null));
            assertEquals("dns; mx.two.test", ofRecipient.getHeader("Remote-MTA", null));
            String said = ofRecipient.getHeader("Diagnostic-Code", null);
            assertTrue(said.startsWith("smtp; 550 5.1.1 "), said);
            assertFalse(new InternetHeaders(status).getAllHeaders().hasMoreElements());
        }
        assertEquals("to nobody", returned(parts.getBodyPart(2)).getHeader("Subject", null));
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void writesReportsThatMuttShowsAsSuch() throws Exception {
        Tool.need("mutt");
        Tool.need("script");
        houses.aliceSends(scratch, message("for mutt"), "nobody@two.test");
        aliceReads("Subject: for mutt");
        Path shown = scratch.resolve("shown");
        Path settings =
                Files.writeString(
                        scratch.resolve("muttrc"),
                        "set folder="
                                + scratch
                                + " mbox_type=mbox move=no mark_old=no wait_key=no quit=yes\n"
                                + "set display_filter='tee "
                                + shown
                                + "'\n"
                                + "push '<search>~s Undelivered ~B \"for mutt\"<enter>"
                                + "<display-message><exit><exit>'\n");
        // mutt wants a terminal, and script gives it one
        Tool.Result mutt =
                Tool.run(
                        scratch,
                        Map.of("HOME", scratch.toString(), "TERM", "xterm"),
                        List.of(
                                "script",
                                "-qec",
                                "mutt -n -R -F "
                                        + settings
                                        + " -f "
                                        + MailHouses.maildir(houses.one, "one.test", "alice"),
                                "/dev/null"));
        assertTrue(Files.exists(shown), mutt.output());
        String text = Files.readString(shown);
        Matcher part = Pattern.compile("-- Type: ([a-z0-9/-]+)").matcher(text);
        List<String> types = part.results().map(found -> found.group(1)).toList();
        assertEquals(3, types.size(), text);
        assertEquals(List.of("text/plain", "message/delivery-status"), types.subList(0, 2), text);
        assertTrue(text.contains("Final-Recipient: rfc822; nobody@two.test"), text);
        assertTrue(text.contains("Action: failed"), text);
        assertTrue(text.contains("Subject: for mutt"), text);
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void saysThatADomainTakesNoMail() throws Exception {
        houses.aliceSends(
                scratch,
                message("to none"),
                "anybody@none.two.test",
                "anybody@nowhere.two.test",
                "anybody@inside.two.test");
        Map<String, String> expected =
                Map.of(
                        "anybody@none.two.test", "5.1.10",
                        "anybody@nowhere.two.test", "5.1.2",
                        "anybody@inside.two.test", "5.4.4");
        String report = aliceReads("Subject: to none");
        expected.forEach(
                (recipient, status) ->
                        assertTrue(
                                Pattern.compile(
                                                "Final-Recipient: rfc822; %s\r\n(?:[^\r]+\r\n)*?Status: %s\r\n"
                                                        .formatted(
                                                                Pattern.quote(recipient),
                                                                Pattern.quote(status)))
                                        .matcher(report)
                                        .find(),
                                () -> recipient + ": " + status + " is not in " + report));
        houses.awaitEmptyQueue(houses.one);
    }

    @Test
    void comesBackToAServerThatSaysNotYet() throws Exception {
        try (ScriptedMailServer grey =
                third().reply("RCPT TO:", "450 4.7.1 not yet", "250 2.1.5 now")) {
            houses.aliceSends(scratch, message("not yet"), "dave@grey.two.test");
            String mail = grey.awaitMails(1).getFirst().text();
            assertTrue(mail.contains("Subject: not yet"), mail);
            assertTrue(mail.contains("\r\n.with a dot\r\n"), mail);
            houses.awaitEmptyQueue(houses.one);
            assertEquals(1, grey.mails().size());
            assertEquals(
                    2, grey.commands().stream().filter(each -> each.startsWith("RCPT")).count());
        }
        String log = houses.one.output();
        assertTrue(
                Pattern.compile("to=<dave@grey.two.test> deferred: 450 4.7.1 .*not yet; retry ")
                        .matcher(log)
                        .find(),
                log);
    }

    @Test
    void forwardsInItsOwnNameAndBringsReportsBack() throws Exception {
        try (ScriptedMailServer far = third()) {
            Conversations.sendMail(
                    houses.door(),
                    "Stranger@far.two.test",
                    "friends@one.test",
                    message("to friends").replace("\n", "\r\n"));
            String mail = bobReads("Subject: to friends");
            Matcher sender =
                    Pattern.compile(
                                    "^Return-Path:"
                                        + " <(SRS0=[^>]+=far\\.two\\.test=Stranger@one\\.test)>")
                            .matcher(mail);
            assertTrue(sender.find(), mail);

            // Whoever has Bob's mail reports to that sender.
            Conversations.sendMail(
                    houses.door(), "", sender.group(1), message("a report").replace("\n", "\r\n"));
            ScriptedMailServer.Mail back = far.awaitMails(1).getFirst();
            assertEquals(List.of("<Stranger@far.two.test>"), addresses(back.to()));
            assertEquals(List.of("<>"), addresses(List.of(back.from())));
            assertTrue(back.text().contains("Subject: a report"), back.text());

            // What cannot be sent on is told to him who wrote it.
            Conversations.sendMail(
                    houses.door(),
                    "Stranger@far.two.test",
                    "moved@one.test",
                    message("to one who moved").replace("\n", "\r\n"));
            ScriptedMailServer.Mail report = far.awaitMails(2).getLast();
            assertEquals(List.of("<Stranger@far.two.test>"), addresses(report.to()));
            assertEquals(List.of("<>"), addresses(List.of(report.from())));
            assertTrue(report.text().contains("Action: failed"), report.text());
            assertTrue(
                    report.text().contains("Original-Recipient: rfc822; moved@one.test")
                            || report.text().contains("Original-Recipient: rfc822;moved@one.test"),
                    report.text());
            houses.awaitEmptyQueue(houses.one);
        }
    }

    @Test
    void hearsOfSuccessFromTheLastServer() throws Exception {
        houses.aliceSubmits(
                message("tell me"), " RET=HDRS ENVID=e7", "bob@two.test", " NOTIFY=SUCCESS");
        bobReads("Subject: tell me");
        String report = aliceReads("Subject: tell me");
        assertTrue(report.contains("Reporting-MTA: dns; mx.two.test"), report);
        assertTrue(report.contains("Original-Envelope-Id: e7"), report);
        assertTrue(report.contains("Final-Recipient: rfc822; bob@two.test"), report);
        assertTrue(report.contains("Action: delivered"), report);
        houses.awaitEmptyQueue(houses.two);
        houses.awaitEmptyQueue(houses.one);
        assertEquals(
                1,
                houses.alicesMail().stream().filter(each -> each.contains("tell me")).count(),
                "one report, not one from each server");
    }

    @Test
    void keepsMailUntilItsSenderWantsItSent() throws Exception {
        Instant before = Instant.now();
        houses.aliceSubmits(message("in a moment"), " HOLDFOR=1", "bob@two.test", "");
        String id = houses.aliceSubmits(message("tomorrow"), " HOLDFOR=86400", "bob@two.test", "");
        bobReads("Subject: in a moment");
        assertTrue(Duration.between(before, Instant.now()).compareTo(Duration.ofSeconds(1)) >= 0);
        String waits = MailHouses.shell(houses.one, "queue:show " + id);
        assertTrue(waits.contains("hold until "), waits);
        assertTrue(waits.contains("state      waits, released at "), waits);
        assertTrue(waits.contains("not tried yet"), waits);
        String retried = MailHouses.shell(houses.one, "queue:retry " + id);
        assertTrue(retried.contains("its sender wants it held"), retried);
        MailHouses.shell(houses.one, "queue:remove " + id);
        houses.awaitEmptyQueue(houses.one);
    }

    /// A hundred domains, of which ten have a host that refuses connections and ten one that never
    /// answers. All is in the queue before the first message goes.
    @Test
    @Order(LAST)
    void servesEightyDomainsAtFullSpeedBesideTwentyDeadOnes() throws Exception {
        int live = CROWD / DOMAINS * 80;
        Duration alone = crowd(TwoHousesTest::alive, live);
        List<Socket> callers = new ArrayList<>();
        try (ServerSocket silent =
                new ServerSocket(houses.mailPort, 1, InetAddress.ofLiteral(MailHouses.SILENT))) {
            fill(silent, callers);
            Duration beside = crowd(n -> true, live);
            List<String> waiting =
                    houses.until(
                                    list -> list.lines().count() == CROWD - live + 1,
                                    "only what is for dead domains in the queue",
                                    () -> MailHouses.shell(houses.one, "queue:list"))
                            .lines()
                            .filter(line -> line.contains("@"))
                            .toList();
            for (int n = 0; n < DOMAINS; n++) {
                String domain = "@d" + n + ".two.test>";
                assertEquals(
                        alive(n) ? 0 : CROWD / DOMAINS,
                        waiting.stream().filter(line -> line.contains(domain)).count(),
                        domain);
            }
            String refused = MailHouses.idOf(houses.one, "m8@d8.two.test");
            System.out.printf(
                    "%d messages for 80 domains: %d a second alone, %d a second beside 20 dead"
                            + " domains with %d messages%n",
                    live, rate(live, alone), rate(live, beside), CROWD - live);
            assertTrue(
                    beside.compareTo(alone.multipliedBy(5).plusSeconds(5)) < 0,
                    beside + " beside dead domains, " + alone + " alone");
            String why = houses.awaitTried(houses.one, refused);
            assertTrue(why.contains("Connection refused"), why);
        } finally {
            for (Socket caller : callers) {
                caller.close();
            }
        }
    }

    private static long rate(int messages, Duration time) {
        return messages * 1_000L / Math.max(1, time.toMillis());
    }

    private static String host(int domain) {
        return switch (domain % 10) {
            case 8 -> "dead";
            case 9 -> "silent";
            default -> "third";
        };
    }

    private static boolean alive(int domain) {
        return host(domain).equals("third");
    }

    /// From the moment when delivery starts with a queue that is full until all that can arrive
    /// has arrived, each message once.
    private static Duration crowd(IntPredicate domains, int live) throws Exception {
        String delivery = bundle("org.pabal.delivery");
        MailHouses.shell(houses.one, "stop " + delivery);
        try (ScriptedMailServer sink = third().keywords("PIPELINING", "8BITMIME", "SIZE")) {
            fillQueue(domains);
            long start = System.nanoTime();
            MailHouses.shell(houses.one, "start " + delivery);
            List<ScriptedMailServer.Mail> mails = sink.awaitMails(live);
            Duration time = Duration.ofNanos(System.nanoTime() - start);
            Set<String> recipients =
                    mails.stream().flatMap(mail -> mail.to().stream()).collect(Collectors.toSet());
            assertEquals(live, mails.size());
            assertEquals(live, recipients.size());
            houses.until(
                    list -> waitingForLiving(list) == 0,
                    "an end of what is for hosts that live",
                    () -> MailHouses.shell(houses.one, "queue:list"));
            return time;
        }
    }

    private static long waitingForLiving(String list) {
        return Pattern.compile("to <m\\d+@d(\\d+)\\.two\\.test>")
                .matcher(list)
                .results()
                .filter(found -> alive(Integer.parseInt(found.group(1))))
                .count();
    }

    private static void fillQueue(IntPredicate domains) throws Exception {
        int clients = 8;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int client = 0; client < clients; client++) {
                int first = client;
                all.add(
                        threads.submit(
                                () -> {
                                    submitEach(first, clients, domains);
                                    return null;
                                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
        }
    }

    private static void submitEach(int first, int step, IntPredicate domains) throws Exception {
        try (TextClient client = houses.alice()) {
            for (int n = first; n < CROWD; n += step) {
                int domain = n % DOMAINS;
                if (domains.test(domain)) {
                    String to = "m%d@d%d.two.test".formatted(n, domain);
                    MailHouses.submit(client, message("one of many"), "", to, "");
                }
            }
        }
    }

    /// The number of a bundle: `start` takes a name for an address from which to install.
    private static String bundle(String name) throws Exception {
        String list = MailHouses.shell(houses.one, "lb -s " + name);
        Matcher id =
                Pattern.compile("(?m)^\\s*(\\d+)\\|.*\\|" + Pattern.quote(name) + " \\(")
                        .matcher(list);
        assertTrue(id.find(), list);
        return id.group(1);
    }

    /// Nobody ever accepts what calls here, and when the kernel has no more room for those who
    /// wait, it does not even answer.
    private static void fill(ServerSocket silent, List<Socket> callers) throws Exception {
        for (int i = 0; i < 100; i++) {
            Socket caller = new Socket();
            callers.add(caller);
            try {
                caller.connect(
                        new InetSocketAddress(silent.getInetAddress(), silent.getLocalPort()), 300);
            } catch (SocketTimeoutException e) {
                return;
            }
        }
        throw new AssertionError("the queue of callers has no end");
    }

    private static ScriptedMailServer third() throws Exception {
        return new ScriptedMailServer(MailHouses.THIRD, houses.mailPort);
    }

    /// Without parameters.
    private static List<String> addresses(List<String> paths) {
        return paths.stream().map(path -> path.strip().split(" ")[0]).toList();
    }

    private static String message(String subject) {
        return """
        From: Alice <alice@one.test>
        To: somebody
        Subject: %s

        Good day.
        .with a dot
        """
                .formatted(subject);
    }

    private static MimeMessage parsed(String mail) throws Exception {
        return new MimeMessage(
                Session.getInstance(new Properties()),
                new ByteArrayInputStream(mail.getBytes(StandardCharsets.UTF_8)));
    }

    /// The header of the message that a report gives back, whole or not.
    private static InternetHeaders returned(BodyPart part) throws Exception {
        assertTrue(
                part.isMimeType("text/rfc822-headers") || part.isMimeType("message/rfc822"),
                part.getContentType());
        try (InputStream in = part.getInputStream()) {
            return new InternetHeaders(in);
        }
    }

    private static String bobReads(String text) throws Exception {
        return houses.arrived(text, houses::bobsMail);
    }

    private static String aliceReads(String text) throws Exception {
        return houses.arrived(text, houses::alicesMail);
    }
}
