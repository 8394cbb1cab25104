package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.Resolver;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MemoryMailQueue;
import org.pabal.testkit.MovableClock;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/// The example is that of RFC 8460, Appendix B.
class TlsReportsTest {

    private static final Instant NOON = Instant.parse("2016-04-01T12:00:00Z");
    private static final Instant MIDNIGHT = Instant.parse("2016-04-02T00:00:00Z");
    private static final String DOMAIN = "company-y.example";
    private static final TlsReport.Writer WRITER =
            new TlsReport.Writer(
                    "Company-X",
                    "mx.company-x.example",
                    "company-x.example",
                    new MailAddress("sts-reporting", "company-x.example"),
                    Optional.of("2001:db8:abcd:12::1"));
    private static final TlsPolicy POLICY =
            new TlsPolicy(
                    "sts",
                    DOMAIN,
                    List.of(
                            "version: STSv1",
                            "mode: testing",
                            "mx: *.mail.company-y.example",
                            "max_age: 86400"),
                    List.of("*.mail.company-y.example"));
    private static final String BY_MAIL =
            """
            _smtp._tls.company-y.example. 60 IN TXT "v=TLSRPTv1;rua=mailto:reports@company-y.example"
            """;
    private static final String BY_WEB =
            """
            _smtp._tls.company-y.example. 60 IN TXT "v=TLSRPTv1;rua=https://tls.company-y.example/v1"
            """;

    @TempDir Path directory;

    private final MovableClock clock = new MovableClock(NOON);
    private final MemoryMailQueue queue = new MemoryMailQueue(clock);
    private final Post post = new Post();
    private final List<String> posted = post.uris;

    @Test
    void messageIsThatOfTheStandard() throws IOException {
        TlsCounts counts = appendixB();
        TlsReports reports = reports(counts, new CannedResolver(BY_MAIL));
        assertEquals(0, reports.due(MIDNIGHT.minusSeconds(1)));
        clock.advance(Duration.ofHours(17));
        assertEquals(1, reports.due(clock.instant()));
        QueueEntry entry = queue.entries().findFirst().orElseThrow();
        assertEquals(Optional.empty(), entry.envelope().sender());
        assertEquals(List.of(new MailAddress("reports", DOMAIN)), entry.envelope().addresses());
        assertTrue(TlsReport.isOne(entry.envelope()));
        String message = MemoryContent.copyOf(entry.content()).toString().replace("\r\n", "\n");
        assertTrue(
                message.contains(
                        "Subject: Report Domain: company-y.example\n"
                            + " Submitter: company-x.example\n"
                            + " Report-ID: <2016-04-01.company-y.example@mx.company-x.example>\n"),
                message);
        assertTrue(message.contains("\nTLS-Report-Domain: company-y.example\n"));
        assertTrue(message.contains("\nTLS-Report-Submitter: company-x.example\n"));
        assertTrue(message.contains("\nTLS-Required: No\n"));
        assertTrue(message.contains("\nContent-Type: multipart/report; report-type=\"tlsrpt\";\n"));
        assertTrue(
                message.contains(
                        "\tfilename=\"company-x.example!company-y.example!1459468800!1459555199"
                                + ".json.gz\"\n"));
        assertTrue(message.lines().allMatch(line -> line.length() <= 100));
        String[] parts = message.split("\n--=_[^\n]*\n");
        String encoded = parts[2].substring(parts[2].indexOf("\n\n") + 2).strip();
        assertEquals(
                Files.readString(Path.of("src/test/resources/reports/tls.json")),
                unpacked(Base64.getMimeDecoder().decode(encoded)));
        assertEquals(0, reports.due(clock.instant()));
        assertEquals(List.of(), counts.days());
    }

    @Test
    void reportIsPostedWhereTheDomainSaysSo() throws IOException {
        TlsCounts counts = appendixB();
        TlsReports reports = reports(counts, new CannedResolver(BY_WEB));
        clock.advance(Duration.ofHours(17));
        assertEquals(1, reports.due(clock.instant()));
        assertEquals(List.of("https://tls.company-y.example/v1"), posted);
        assertEquals("application/tlsrpt+gzip", post.type);
        assertTrue(unpacked(post.body).contains("\"organization-name\": \"Company-X\""));
        assertEquals(0, queue.entries().count());
    }

    // RFC 8460 §5.5
    @Test
    void refusedReportIsTriedForADayAndLessAndLessOften() {
        TlsCounts counts = appendixB();
        post.status = 503;
        TlsReports reports = reports(counts, new CannedResolver(BY_WEB));
        clock.advance(Duration.ofHours(12));
        for (int minute = 0; minute < 40 * 60; minute++) {
            clock.advance(Duration.ofMinutes(1));
            assertEquals(0, reports.due(clock.instant()));
        }
        assertTrue(posted.size() >= 4 && posted.size() <= 8, posted::toString);
        assertEquals(List.of(), counts.days());
    }

    @Test
    void whoDoesNotAskGetsNothing() {
        TlsCounts counts = appendixB();
        TlsReports reports =
                reports(counts, new CannedResolver("example.org. 60 IN A 192.0.2.1\n"));
        clock.advance(Duration.ofHours(17));
        assertEquals(0, reports.due(clock.instant()));
        assertEquals(0, queue.entries().count());
        assertEquals(List.of(), counts.days());
    }

    @Test
    void whoCannotBeAskedIsAskedLater() {
        TlsCounts counts = appendixB();
        Resolver down =
                new CannedResolver(BY_MAIL)
                        .unavailable("_smtp._tls.company-y.example.", "timed out");
        clock.advance(Duration.ofHours(17));
        assertEquals(0, reports(counts, down).due(clock.instant()));
        assertEquals(1, reports(counts, new CannedResolver(BY_MAIL)).due(clock.instant()));
    }

    @Test
    void destinationsThatAreNoneHurtNobody() {
        TlsCounts counts = appendixB();
        String record =
                """
                _smtp._tls.company-y.example. 60 IN TXT "v=TLSRPTv1;rua=mailto:%zz, mailto:, http://a.example/, nonsense, mailto:reports%40company-y.example?subject=x"
                """;
        clock.advance(Duration.ofHours(17));
        post.status = 404;
        assertEquals(1, reports(counts, new CannedResolver(record)).due(clock.instant()));
        assertEquals(1, queue.entries().count());
    }

    // RFC 8460 §4.1
    @Test
    void reportsAreSpreadOverFourHours() {
        TlsCounts counts = new TlsCounts(directory, clock);
        StringBuilder records = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            counts.succeeded(TlsPolicy.none("d" + i + ".example"));
            records.append("_smtp._tls.d")
                    .append(i)
                    .append(".example. 60 IN TXT \"v=TLSRPTv1;rua=mailto:a@d.example\"\n");
        }
        TlsReports reports = reports(counts, new CannedResolver(records.toString()));
        clock.advance(Duration.ofHours(12));
        Set<Integer> sent = new HashSet<>();
        int all = 0;
        for (int hour = 0; hour < 5; hour++) {
            int now = reports.due(clock.instant());
            all += now;
            sent.add(hour == 0 || now == 0 ? -1 : hour);
            clock.advance(Duration.ofHours(1));
        }
        assertEquals(50, all);
        assertEquals(Set.of(-1, 1, 2, 3, 4), sent);
    }

    @Test
    void whatStrangersSayStaysInItsString() {
        TlsCounts counts = new TlsCounts(directory, clock);
        counts.failed(
                POLICY,
                TlsResult.VALIDATION_FAILURE,
                "mx\"},{\\",
                "192.0.2.1",
                "\u2028\r\n\0\ud800\" 한");
        String json = report(counts).json();
        assertTrue(json.contains("\"receiving-mx-hostname\": \"mx\\\"},{\\\\\""), json);
        assertTrue(json.contains("\"failure-reason-code\": \"?????\\\" \\ud55c\""), json);
        assertTrue(json.chars().allMatch(c -> c == '\n' || c >= ' ' && c < 127), json);
    }

    @Test
    void mailThatIsNoReportIsNone() {
        Envelope forged =
                new Envelope(
                        Optional.of(new MailAddress("a", "example.org")),
                        Map.of("ENVID", "tlsrpt-2016-04-01"),
                        List.of());
        assertFalse(TlsReport.isOne(forged));
        assertFalse(TlsReport.isOne(new Envelope(Optional.empty(), List.of())));
    }

    @Test
    void sameReportIsTheSameOctets() {
        TlsReport report = report(appendixB());
        assertArrayEquals(report.compressed(), report.compressed());
        assertEquals("2016-04-01.company-y.example@mx.company-x.example", report.id());
    }

    private TlsCounts appendixB() {
        TlsCounts counts = new TlsCounts(directory, clock);
        for (int i = 0; i < 5326; i++) {
            counts.succeeded(POLICY);
        }
        String host = "mx1.mail.company-y.example";
        for (int i = 0; i < 100; i++) {
            counts.failed(POLICY, TlsResult.CERTIFICATE_EXPIRED, host, "", "");
        }
        for (int i = 0; i < 200; i++) {
            counts.failed(
                    POLICY,
                    TlsResult.STARTTLS_NOT_SUPPORTED,
                    "mx2.mail.company-y.example",
                    "203.0.113.56",
                    "");
        }
        for (int i = 0; i < 3; i++) {
            counts.failed(
                    POLICY,
                    TlsResult.VALIDATION_FAILURE,
                    "mx-backup.mail.company-y.example",
                    "203.0.113.58",
                    "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED");
        }
        return counts;
    }

    private TlsReport report(TlsCounts counts) {
        var day = counts.days().getFirst();
        return new TlsReport(WRITER, DOMAIN, day, counts.sessions(day, DOMAIN));
    }

    private TlsReports reports(TlsCounts counts, Resolver resolver) {
        return new TlsReports(counts, WRITER, queue, resolver, post, clock, new Random(7));
    }

    private static String unpacked(byte[] octets) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(octets))) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static final class Post implements WebClient {

        final List<String> uris = new ArrayList<>();
        int status = 201;
        String type = "";
        byte[] body = {};

        @Override
        public Answer get(URI uri) throws IOException {
            throw new IOException("nobody asks");
        }

        @Override
        public Answer post(URI uri, String mediaType, byte[] octets) {
            uris.add(uri.toString());
            type = mediaType;
            body = octets;
            return new Answer(status, "", new byte[0]);
        }
    }
}
