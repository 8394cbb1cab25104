package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Conversations;
import org.pabal.testkit.ScriptedMailServer;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The journey of a mail between two servers: Alice hands it to hers, which finds Bob's by DNS and
/// brings it there, and Bob reads it from his own.
class TwoHousesTest {

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
                        grey MX 10 grey-mx
                        grey-mx A 127.0.0.4
                        none MX 0 .
                        inside MX 10 inside-mx
                        inside-mx A 224.0.0.1
                        dead A 127.0.0.5
                        """);
        houses.start();
        houses.two.shell("domain:add", "half.two.test");
        houses.two.shell("account:add", "carol@half.two.test", "pabal");
    }

    @AfterAll
    static void stop() throws Exception {
        houses.close();
    }

    @Test
    void goesFromOneServerToTheOther() throws Exception {
        houses.aliceSends(scratch, message("the journey"), "bob@two.test");
        String mail = bobReads("the journey");
        assertTrue(mail.startsWith("Return-Path: <alice@one.test>"), mail);
        assertTrue(mail.contains("by mx.two.test"), mail);
        assertTrue(mail.contains("with ESMTPS "), mail);
        assertTrue(mail.contains("by mx.one.test"), mail);
        assertTrue(mail.contains("with ESMTPSA "), mail);
        houses.one.awaitEmptyQueue();
    }

    @Test
    void takesTheSecondHostWhenTheFirstIsDead() throws Exception {
        houses.aliceSends(scratch, message("the second host"), "carol@half.two.test");
        MailHouses.await(
                "Subject: the second host",
                () ->
                        Conversations.readMail(
                                        houses.two.address("pop3"), "carol@half.two.test", "pabal")
                                .toString());
    }

    @Test
    void waitsUntilTheOtherServerIsBack() throws Exception {
        try (MailHouses apart = new MailHouses(scratch.resolve("apart"), "")) {
            apart.start();
            apart.two.stop();
            apart.aliceSends(scratch, message("patience"), "bob@two.test");
            String id = onlyId(apart);
            String waiting =
                    MailHouses.await("tried once", () -> apart.one.shell("queue:show", id));
            assertTrue(waiting.contains("<bob@two.test>"), waiting);
            apart.two.start();
            apart.one.shell("queue:retry", "all");
            MailHouses.await("Subject: patience", () -> apart.bobsMail().toString());
            apart.one.awaitEmptyQueue();
        }
    }

    @Test
    void tellsAliceWhatWillNeverArrive() throws Exception {
        houses.aliceSends(scratch, message("to nobody"), "nobody@two.test");
        String report = aliceReads("Subject: to nobody");
        assertTrue(report.contains("multipart/report; report-type=delivery-status"), report);
        assertTrue(report.contains("Final-Recipient: rfc822; nobody@two.test"), report);
        assertTrue(report.contains("Action: failed"), report);
        assertTrue(report.contains("Status: 5.1.1"), report);
        assertTrue(report.contains("Remote-MTA: dns; mx.two.test"), report);
        assertTrue(report.contains("Diagnostic-Code: smtp; 550"), report);
        houses.one.awaitEmptyQueue();
    }

    @Test
    void saysThatADomainTakesNoMail() throws Exception {
        houses.aliceSends(scratch, message("to none"), "anybody@none.two.test");
        assertTrue(aliceReads("Subject: to none").contains("Status: 5.1.10"));
        houses.aliceSends(scratch, message("to nowhere"), "anybody@nowhere.two.test");
        assertTrue(aliceReads("Subject: to nowhere").contains("Status: 5.1.2"));
        houses.aliceSends(scratch, message("to many"), "anybody@inside.two.test");
        assertTrue(aliceReads("Subject: to many").contains("Status: 5.4.4"));
    }

    @Test
    void comesBackToAServerThatSaysNotYet() throws Exception {
        try (ScriptedMailServer grey =
                new ScriptedMailServer(MailHouses.THIRD, houses.mailPort)
                        .reply("RCPT TO:", "450 4.7.1 not yet", "250 2.1.5 now")) {
            houses.aliceSends(scratch, message("not yet"), "dave@grey.two.test");
            String mail = grey.awaitMails(1).getFirst().text();
            assertTrue(mail.contains("Subject: not yet"), mail);
            assertTrue(mail.contains("\r\n.with a dot\r\n"), mail);
            houses.one.awaitEmptyQueue();
        }
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

    private static String bobReads(String subject) throws Exception {
        return MailHouses.await(
                "Subject: " + subject, () -> with(houses.bobsMail(), "Subject: " + subject));
    }

    private static String aliceReads(String text) throws Exception {
        return MailHouses.await(text, () -> with(houses.alicesMail(), text));
    }

    private static String with(List<String> mails, String text) {
        return mails.stream().filter(mail -> mail.contains(text)).findFirst().orElse("");
    }

    private static String onlyId(MailHouses of) throws Exception {
        String list = of.one.shell("queue:list");
        Matcher id = Pattern.compile("(?m)^([0-9A-Z]{12}) ").matcher(list);
        assertTrue(id.find(), list);
        return id.group(1);
    }
}
