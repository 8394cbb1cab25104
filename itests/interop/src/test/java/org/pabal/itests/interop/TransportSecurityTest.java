package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.ScriptedMailServer;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// What other domains published about TLS is obeyed, and mail rather waits than goes otherwise:
/// DANE in a zone that DNSSEC proves, MTA-STS with policies that come by HTTPS, REQUIRETLS; and
/// they hear of it (security row S24).
///
/// One message goes to a domain for each case, so that the history of that message tells of all.
@Timeout(300)
class TransportSecurityTest {

    /// Hosts are at the same address where it is only their names that differ.
    private static final String RECORDS =
            """
            right MX 10 right-mx
            right-mx A 127.0.0.4
            _%1$d._tcp.right-mx TLSA %2$s
            _smtp._tls.right TXT "v=TLSRPTv1; rua=mailto:bob@two.test"
            wrong MX 10 wrong-mx
            wrong-mx A 127.0.0.4
            _%1$d._tcp.wrong-mx TLSA 3 1 1 %3$s
            _smtp._tls.wrong TXT "v=TLSRPTv1; rua=mailto:bob@two.test"
            bogus MX 10 bogus-mx
            bogus-mx A 127.0.0.4
            _%1$d._tcp.bogus-mx TLSA %2$s
            stripped MX 10 stripped-mx
            stripped-mx A 127.0.0.5
            _%1$d._tcp.stripped-mx TLSA %2$s
            proud MX 10 proud-mx
            proud-mx A 127.0.0.7
            _%1$d._tcp.proud-mx TLSA %2$s
            """;

    private static final String STS_RECORDS =
            """
            %1$s MX 10 %1$s-mx
            %1$s-mx A 127.0.0.4
            _mta-sts.%1$s TXT "v=STSv1; id=1;"
            mta-sts.%1$s A 127.0.0.4
            """;

    private static final List<String> STS_DOMAINS =
            List.of("kept", "forged", "tested", "unnamed", "large", "moved", "strange");

    @TempDir static Path scratch;

    private static SafeHouses safe;
    private static ScriptedMailServer host;
    private static ScriptedMailServer clear;
    private static ScriptedMailServer proud;
    private static HttpsServer web;
    private static Path offset;
    private static final Map<String, String> fates = new HashMap<>();
    private static String history;
    private static String log;

    @BeforeAll
    static void start() throws Exception {
        Tool.need("openssl");
        safe = new SafeHouses(scratch);
        Authority authority = new Authority(scratch.resolve("keys"));
        Authority.Issued key =
                authority.issue(
                        "hosts",
                        "kept-mx.safe.test",
                        "unnamed-mx.safe.test",
                        "mta-sts.kept.safe.test",
                        "mta-sts.forged.safe.test",
                        "mta-sts.tested.safe.test",
                        "mta-sts.unnamed.safe.test",
                        "mta-sts.large.safe.test",
                        "mta-sts.moved.safe.test");
        int port = safe.houses.mailPort;
        host = new ScriptedMailServer(MailHouses.THIRD, port).startTls(key.context());
        clear = new ScriptedMailServer(MailHouses.DEAD, port);
        proud =
                new ScriptedMailServer("127.0.0.7", port)
                        .startTls(key.context())
                        .keywords("REQUIRETLS");
        serve(key);
        StringBuilder records =
                new StringBuilder(RECORDS.formatted(port, key.tlsa(), "ab".repeat(32)));
        STS_DOMAINS.forEach(domain -> records.append(STS_RECORDS.formatted(domain)));
        String delivery = "org.pabal.delivery.cfg";
        safe.houses.one.set(delivery, "trusted-certificates", authority.certificate().toString());
        safe.houses.one.set(delivery, "mta-sts-port", "" + web.getAddress().getPort());
        safe.houses.one.set(delivery, "tls-reports", "true");
        offset = safe.houses.one.withClock();
        safe.start(scratch, records.toString());
        String[] all =
                Stream.concat(
                                Stream.of("right", "wrong", "bogus", "stripped"),
                                STS_DOMAINS.stream())
                        .map(TransportSecurityTest::bob)
                        .toArray(String[]::new);
        safe.aliceSends(message("to all"), Map.of(), all);
        for (String each : all) {
            fates.put(each, safe.fate(each));
        }
        history = safe.onlyMessage();
        log = safe.houses.one.output();
    }

    /// The policies of all domains, told apart by the name that was asked for.
    private static void serve(Authority.Issued key) throws Exception {
        Map<String, String> policies = new HashMap<>();
        policies.put("kept", policy("enforce", "kept-mx.safe.test"));
        policies.put("forged", policy("enforce", "forged-mx.safe.test"));
        policies.put("tested", policy("testing", "tested-mx.safe.test"));
        policies.put("unnamed", policy("enforce", "other-mx.safe.test"));
        policies.put("strange", policy("enforce", "other-mx.safe.test"));
        policies.put(
                "large",
                policy("enforce", "other-mx.safe.test")
                        + "mx: another-mx.safe.test\n".repeat(65_536 / 25));
        web = HttpsServer.create(new InetSocketAddress(MailHouses.THIRD, 0), 50);
        web.setHttpsConfigurator(new HttpsConfigurator(key.context()));
        web.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        web.createContext(
                "/",
                exchange -> {
                    String asked = exchange.getRequestHeaders().getFirst("Host");
                    String domain = asked.split("\\.")[1];
                    boolean moved =
                            domain.equals("moved")
                                    && exchange.getRequestURI()
                                            .getPath()
                                            .equals("/.well-known/mta-sts.txt");
                    byte[] body =
                            policies.getOrDefault(domain, policies.get("unnamed"))
                                    .getBytes(StandardCharsets.US_ASCII);
                    exchange.getResponseHeaders().set("Content-Type", "text/plain");
                    if (moved) {
                        exchange.getResponseHeaders().set("Location", "/elsewhere.txt");
                    }
                    exchange.sendResponseHeaders(moved ? 301 : 200, body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        web.start();
    }

    private static String policy(String mode, String host) {
        return "version: STSv1\nmode: %s\nmax_age: 86400\nmx: %s\n".formatted(mode, host);
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable each : new AutoCloseable[] {safe, host, clear, proud}) {
            if (each != null) {
                each.close();
            }
        }
        if (web != null) {
            web.stop(0);
        }
    }

    @Test
    void deliversToTheHostThatDaneProves() throws Exception {
        assertDelivered("right");
        assertTried("right", "TLSv1\\.3, dane", "250");
        assertTrue(arrivedByTls("right"));
    }

    @Test
    void defersWhatDaneForbids() throws Exception {
        assertDeferred("wrong", "4.7.5", "TLS");
        assertDeferred("bogus", "4.7.5", "the TLSA records _");
        assertDeferred("stripped", "4.7.5", "STARTTLS is not offered");
        assertEquals(List.of(), clear.mails());
        for (String domain : List.of("wrong", "bogus")) {
            assertFalse(arrived(domain), domain);
        }
    }

    @Test
    void deliversToTheHostThatAPolicyNames() throws Exception {
        assertDelivered("kept");
        assertTried("kept", "TLSv1\\.3, verified", "250");
        assertTrue(arrivedByTls("kept"));
    }

    @Test
    void defersWhatAPolicyForbids() throws Exception {
        assertDeferred("forged", "4.7.5", "forged-mx.safe.test");
        assertDeferred("unnamed", "4.7.5", "does not name unnamed-mx.safe.test");
        for (String domain : List.of("forged", "unnamed")) {
            assertFalse(arrived(domain), domain);
        }
    }

    @Test
    void failsNoMailForAPolicyThatIsOnlyTested() throws Exception {
        assertDelivered("tested");
        assertTrue(arrivedByTls("tested"));
    }

    /// Too large, behind a redirection, and with the certificate of another host.
    @Test
    void passesOverPoliciesThatCannotBeHad() throws Exception {
        for (String domain : List.of("large", "moved", "strange")) {
            assertDelivered(domain);
            assertTrue(arrivedByTls(domain), domain);
        }
        assertTrue(log.contains("mta-sts.moved.safe.test: answers 301"), log);
        assertTrue(log.contains("MTA-STS policy of strange.safe.test: sts-webpki-invalid"), log);
        assertTrue(
                Pattern.compile("MTA-STS policy of large\\.safe\\.test: sts-policy-\\S+")
                        .matcher(log)
                        .find(),
                log);
    }

    @Test
    void sendsWhatRequiresTlsOnlyToAHostThatPromisesIt() throws Exception {
        safe.aliceSends(
                message("required"),
                Map.of("mail.smtp.mailextension", "REQUIRETLS"),
                bob("right"),
                bob("proud"),
                "bob@two.test");
        ScriptedMailServer.Mail mail = proud.awaitMails(1).getFirst();
        assertTrue(mail.from().contains(" REQUIRETLS"), mail.from());
        assertTrue(mail.tls());
        String without = bounce(bob("right"));
        assertTrue(without.contains("Status: 5.7.30"), without);
        assertTrue(without.contains("does not support REQUIRETLS"), without);
        String unproved = bounce("bob@two.test");
        assertTrue(unproved.contains("Status: 5.7.10"), unproved);
        assertFalse(host.mails().stream().anyMatch(m -> m.text().contains("Subject: required")));
    }

    /// RFC 8460: once the day is over, and only who asked for it.
    @Test
    void tellsOthersOfTheirTls() throws Exception {
        safe.houses.one.stop();
        Files.writeString(offset, "" + 28 * 3_600);
        safe.houses.one.start();
        String right = reportOn("right.safe.test");
        assertTrue(right.contains("\"policy-type\":\"tlsa\""), right);
        assertTrue(right.contains("\"policy-domain\":\"right.safe.test\""), right);
        assertTrue(right.contains("\"total-failure-session-count\":0"), right);
        assertFalse(right.contains("\"total-successful-session-count\":0"), right);
        String wrong = reportOn("wrong.safe.test");
        assertTrue(wrong.contains("\"total-successful-session-count\":0"), wrong);
        assertTrue(wrong.contains("\"result-type\":\"validation-failure\""), wrong);
        assertTrue(wrong.contains("\"receiving-mx-hostname\":\"wrong-mx.safe.test\""), wrong);
    }

    /// The JSON of the report that bob gets on a domain, without white space.
    private static String reportOn(String domain) throws Exception {
        String text = "TLS-Report-Domain: " + domain;
        String report =
                MailHouses.await(
                        text,
                        () ->
                                safe.houses.bobsMail().stream()
                                        .filter(mail -> mail.contains(text))
                                        .findFirst()
                                        .orElse(""));
        Matcher part =
                Pattern.compile(
                                "application/tlsrpt\\+gzip.*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)\r\n--",
                                Pattern.DOTALL)
                        .matcher(report);
        assertTrue(part.find(), report);
        return unzipped(Base64.getMimeDecoder().decode(part.group(1))).replaceAll("\\s", "");
    }

    private static String unzipped(byte[] octets) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(octets))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void assertDelivered(String domain) {
        String fate = fates.get(bob(domain));
        assertTrue(fate.startsWith("delivered: "), fate);
    }

    private static void assertDeferred(String domain, String enhanced, String why) {
        String fate = fates.get(bob(domain));
        assertTrue(fate.startsWith("deferred: 451 " + enhanced + " "), fate);
        assertTrue(fate.contains(why), fate);
        Matcher shown =
                Pattern.compile("to +<" + Pattern.quote(bob(domain)) + ">\\n +deferred: ([^\\n]*)")
                        .matcher(history);
        assertTrue(shown.find(), history);
        assertTrue(shown.group(1).contains(why), history);
    }

    private static void assertTried(String domain, String tls, String reply) {
        assertTrue(
                Pattern.compile(
                                domain
                                        + "-mx\\.safe\\.test \\S+\\s+"
                                        + tls
                                        + "\\s+for <"
                                        + bob(domain)
                                        + ">\\s+"
                                        + reply)
                        .matcher(history)
                        .find(),
                history);
    }

    private static Optional<ScriptedMailServer.Mail> mail(String domain) {
        return host.mails().stream()
                .filter(mail -> mail.to().toString().contains(bob(domain)))
                .findFirst();
    }

    private static boolean arrived(String domain) {
        return mail(domain).isPresent();
    }

    private static boolean arrivedByTls(String domain) {
        return mail(domain).map(ScriptedMailServer.Mail::tls).orElse(false);
    }

    private static String bob(String domain) {
        return "bob@" + domain + "." + SafeHouses.ZONE;
    }

    private static String bounce(String recipient) throws Exception {
        String text = "Final-Recipient: rfc822; " + recipient;
        String report =
                MailHouses.await(
                        text,
                        () ->
                                safe.houses.alicesMail().stream()
                                        .filter(mail -> mail.contains(text))
                                        .findFirst()
                                        .orElse(""));
        int from = report.indexOf(text);
        int to = report.indexOf("\r\n\r\n", from);
        return report.substring(from, to);
    }

    private static String message(String subject) {
        return "From: Alice <alice@one.test>\nTo: somebody\nSubject: %s\n\nGood day.\n"
                .formatted(subject);
    }
}
