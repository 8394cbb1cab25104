package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Postfix on the other side, in both directions.
@Timeout(300)
class PostfixTest {

    private static final String MESSAGE =
            """
            From: Alice <alice@one.test>
            To: somebody
            Subject: %s
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Grüße, 안녕하세요.
            .a dot
            """;

    @TempDir Path scratch;

    @Test
    void exchangesMailWithUsOverTlsAndDaneInSevenBitsAndWithReports() throws Exception {
        Postfix.need();
        Tool.need("openssl");
        Authority authority = new Authority(scratch.resolve("keys"));
        Authority.Issued key = authority.issue("post", "post-mx.safe.test");
        try (SafeHouses safe = new SafeHouses(scratch)) {
            MailHouses houses = safe.houses;
            safe.start(
                    scratch,
                    """
                    post MX 10 post-mx
                    post-mx A 127.0.0.4
                    _%1$d._tcp.post-mx TLSA %2$s
                    other MX 10 other-mx
                    other-mx A 127.0.0.4
                    _%1$d._tcp.other-mx TLSA 3 1 1 %3$s
                    seven MX 10 seven-mx
                    seven-mx A 127.0.0.5
                    """
                            .formatted(houses.mailPort, key.tlsa(), "ab".repeat(32)));
            String relay = "[" + MailHouses.ONE + "]:" + houses.mailPort;
            try (Postfix post =
                            Postfix.start(
                                    scratch.resolve("post"),
                                    MailHouses.THIRD,
                                    houses.mailPort,
                                    "post.safe.test",
                                    relay,
                                    """
                                    smtpd_tls_security_level = may
                                    smtpd_tls_received_header = yes
                                    smtpd_tls_chain_files = %s
                                    smtp_tls_security_level = encrypt
                                    smtpd_recipient_restrictions =
                                      check_recipient_access
                                      inline:{{nobody@post.safe.test = 550 5.1.1 no such box}}
                                      permit_mynetworks, reject
                                    """
                                            .formatted(key.chain()));
                    Postfix seven =
                            Postfix.start(
                                    scratch.resolve("seven"),
                                    MailHouses.DEAD,
                                    houses.mailPort,
                                    "seven.safe.test",
                                    relay,
                                    "smtpd_discard_ehlo_keywords = 8bitmime, chunking,"
                                            + " smtputf8\n")) {
                safe.aliceSends(
                        MESSAGE.formatted("to all"),
                        Map.of("mail.smtp.dsn.notify", "SUCCESS,FAILURE"),
                        "bob@post.safe.test",
                        "nobody@post.safe.test",
                        "bob@seven.safe.test",
                        "bob@other.safe.test");
                taken(post, seven);
                refused(safe);
                String history = safe.onlyMessage();
                assertTrue(
                        Pattern.compile(
                                        "post-mx\\.safe\\.test \\S+\\s+TLSv1\\.3, dane"
                                                + "\\s+for <bob@post\\.safe\\.test>\\s+250 ")
                                .matcher(history)
                                .find(),
                        history);
                String other = safe.fate("bob@other.safe.test");
                assertTrue(other.startsWith("deferred: 451 4.7.5 other-mx.safe.test"), other);
                reported(houses);

                post.submit(
                        "bob@post.safe.test", "alice@one.test", MESSAGE.formatted("the way back"));
                String back = alice(houses, "Subject: the way back");
                assertTrue(back.contains("Return-Path: <bob@post.safe.test>"), back);
                assertTrue(back.contains("with ESMTPS "), back);
                assertTrue(back.contains("Grüße, 안녕하세요."), back);
                assertTrue(back.contains("\n.a dot\r\n"), back);
            }
        }
    }

    private static void taken(Postfix post, Postfix seven) throws Exception {
        String eight = post.awaitMail(1).getFirst();
        assertTrue(eight.contains("Content-Transfer-Encoding: 8bit"), eight);
        assertTrue(eight.contains("using TLSv1.3"), eight);
        assertTrue(eight.contains("\n.a dot\n"), eight);
        String ascii = seven.awaitMail(1).getFirst();
        assertTrue(ascii.contains("Content-Transfer-Encoding: quoted-printable"), ascii);
        assertTrue(ascii.contains("Gr=C3=BC=C3=9Fe"), ascii);
        assertTrue(ascii.contains("\n=2Ea dot\n"), ascii);
        assertTrue(ascii.chars().allMatch(c -> c < 128), ascii);
    }

    /// What Postfix refuses, we report.
    private static void refused(SafeHouses safe) throws Exception {
        String report = alice(safe.houses, "Final-Recipient: rfc822; nobody@post.safe.test");
        assertTrue(report.contains("Reporting-MTA: dns; mx.one.test"), report);
        assertTrue(report.contains("Action: failed"), report);
        assertTrue(report.contains("Remote-MTA: dns; post-mx.safe.test"), report);
        assertTrue(report.contains("Diagnostic-Code: smtp; 550"), report);
        assertTrue(report.contains("no such box"), report);
        assertFalse(report.contains("Action: relayed"), report);
    }

    /// What Postfix delivered, it reports itself.
    private static void reported(MailHouses houses) throws Exception {
        for (String host : List.of("mx.post.safe.test", "mx.seven.safe.test")) {
            String report = alice(houses, "Reporting-MTA: dns; " + host);
            assertTrue(report.contains("Action: delivered"), report);
            assertTrue(report.contains("rfc822;bob@" + host.substring(3)), report);
        }
    }

    private static String alice(MailHouses houses, String text) throws Exception {
        return MailHouses.await(
                text,
                () ->
                        houses.alicesMail().stream()
                                .filter(mail -> mail.contains(text))
                                .findFirst()
                                .orElse(""));
    }
}
