package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.NOON;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.mail.Attempt;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MemoryMailQueue;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class ReportsTest {

    private static final String TEXT = "From: alice@example.test\nSubject: lunch\n\nAt noon?\n";
    private static final String HOST = "mx.example.org [192.0.2.25]:25";
    private static final Status GREY =
            new Status(451, "4.7.1", HOST + " said: come back in 5 minutes");
    private static final Instant LATE = NOON.plus(Duration.ofHours(5));

    private final MovableClock clock = new MovableClock(NOON);
    private final MemoryMailQueue queue = new MemoryMailQueue(clock);
    private final Reports reports = reports(Duration.ofHours(4));

    private Reports reports(Duration delayNotice) {
        return new Reports(
                queue,
                new DeliveryReport.Writer("mx.example.test", "example.test"),
                RetrySchedule.DEFAULT,
                delayNotice,
                clock,
                () -> 0x1234_5678_9ABC_DEFL);
    }

    /// RFC 3461 §4.1, §5.2 and §6: what is asked for, what became of it, what is told. A dash in
    /// the first column is a sender that asked for nothing.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-                     | failed   | failed",
                "-                     | deferred | delayed",
                "-                     | here     | ",
                "-                     | listed   | ",
                "-                     | away     | ",
                "-                     | promised | ",
                "NEVER                 | failed   | ",
                "NEVER                 | deferred | ",
                "NEVER                 | here     | ",
                "NEVER                 | listed   | ",
                "NEVER                 | away     | ",
                "SUCCESS               | failed   | ",
                "SUCCESS               | deferred | ",
                "SUCCESS               | here     | delivered",
                "SUCCESS               | listed   | expanded",
                "SUCCESS               | away     | relayed",
                "SUCCESS               | promised | ",
                "FAILURE               | failed   | failed",
                "FAILURE               | deferred | ",
                "FAILURE               | here     | ",
                "FAILURE               | away     | ",
                "DELAY                 | failed   | ",
                "DELAY                 | deferred | delayed",
                "DELAY                 | here     | ",
                "success, failure      | failed   | failed",
                "SUCCESS,FAILURE       | deferred | ",
                "SUCCESS,FAILURE       | away     | relayed",
                "SUCCESS,DELAY         | failed   | ",
                "SUCCESS,DELAY         | here     | delivered",
                "FAILURE,DELAY         | deferred | delayed",
                "FAILURE,DELAY         | away     | ",
                "SUCCESS,FAILURE,DELAY | failed   | failed",
                "SUCCESS,FAILURE,DELAY | deferred | delayed",
                "SUCCESS,FAILURE,DELAY | listed   | expanded",
                "SUCCESS,FAILURE,DELAY | away     | relayed",
                "SUCCESS,FAILURE,DELAY | promised | ",
            })
    void whatIsAskedForIsTold(String notify, String outcome, String told) throws IOException {
        Map<String, String> asked = notify.equals("-") ? Map.of() : Map.of("NOTIFY", notify);
        QueueEntry entry = entry(TEXT, new Recipient(FAR, asked));
        tell(entry, outcome);
        assertEquals(Optional.ofNullable(told), field("Action").stream().findFirst());
        // Security row S16: and nothing of it when there is nobody.
        MemoryMailQueue nobodys = new MemoryMailQueue(clock);
        new Reports(
                        nobodys,
                        new DeliveryReport.Writer("mx.example.test", "example.test"),
                        RetrySchedule.DEFAULT,
                        Duration.ofHours(4),
                        clock,
                        () -> 1)
                .tell(
                        with(entry, new Envelope(Optional.empty(), entry.envelope().recipients())),
                        Map.of(FAR, outcome(outcome)),
                        ends(outcome),
                        LATE.plusSeconds(60),
                        List.of(attempt(LATE, GREY)));
        assertEquals(0, nobodys.entries().count());
    }

    // RFC 3464 §2.3
    @Test
    void refusalOfAnotherHostHasItsNameAndWords() throws IOException {
        Status why = new Status(550, "5.1.1", HOST + " said: <far@example.org>: who?");
        QueueEntry entry =
                entry(TEXT, new Recipient(FAR, Map.of("ORCPT", "rfc822;Far+2Baway@example.org")));
        reports.tell(
                entry,
                Map.of(FAR, new Outcome.Failed(why)),
                Map.of(),
                LATE,
                List.of(attempt(NOON.plusSeconds(3), why)));
        assertEquals(List.of("rfc822; Far+away@example.org"), field("Original-Recipient"));
        assertEquals(List.of("rfc822; far@example.org"), field("Final-Recipient"));
        assertEquals(List.of("5.1.1"), field("Status"));
        assertEquals(List.of("dns; mx.example.org"), field("Remote-MTA"));
        assertEquals(List.of("smtp; 550 5.1.1 <far@example.org>: who?"), field("Diagnostic-Code"));
        assertEquals(List.of("Sun, 22 Nov 2026 12:00:03 +0000"), field("Last-Attempt-Date"));
        assertEquals(List.of(), field("Will-Retry-Until"));
    }

    @Test
    void ownFindingIsNotPutIntoTheMouthOfAnother() throws IOException {
        Status none = new Status(550, "5.1.2", "example.org: there is no such domain");
        reports.tell(entry(TEXT, FAR), Map.of(FAR, new Outcome.Failed(none)), Map.of(), LATE);
        assertEquals(List.of(), field("Remote-MTA"));
        assertEquals(
                List.of("x-pabal; 550 5.1.2 example.org: there is no such domain"),
                field("Diagnostic-Code"));
    }

    @Test
    void findingAboutAHostNamesIt() throws IOException {
        Status tls = new Status(451, "4.7.5", "mx.example.org: its certificate is not the one");
        QueueEntry entry = history(entry(TEXT, FAR), attempt(NOON, tls));
        reports.tell(
                entry,
                Map.of(
                        FAR,
                        new Outcome.Failed(
                                new Status(554, "5.4.7", "the last reason was: " + tls))),
                Map.of(),
                LATE);
        assertEquals(List.of("dns; mx.example.org"), field("Remote-MTA"));
        assertTrue(field("Diagnostic-Code").getFirst().startsWith("x-pabal; 554 5.4.7 "));
    }

    @Test
    void whatIsGivenUpHasTheLastWordsOfTheHost() throws IOException {
        Status gone = new Status(554, "5.4.7", "not delivered within 5 d: " + GREY);
        reports.tell(entry(TEXT, FAR), Map.of(FAR, new Outcome.Failed(gone)), Map.of(), LATE);
        assertEquals(List.of("5.4.7"), field("Status"));
        assertEquals(List.of("dns; mx.example.org"), field("Remote-MTA"));
        assertEquals(List.of("smtp; 451 4.7.1 come back in 5 minutes"), field("Diagnostic-Code"));
    }

    @Test
    void hostThatPromisesNothingIsNamed() throws IOException {
        tell(entry(TEXT, new Recipient(FAR, Map.of("NOTIFY", "SUCCESS"))), "away");
        assertEquals(List.of("relayed"), field("Action"));
        assertEquals(List.of("2.6.0"), field("Status"));
        assertEquals(List.of("dns; mx.example.org"), field("Remote-MTA"));
        assertEquals(List.of("smtp; 250 2.6.0 queued as 77"), field("Diagnostic-Code"));
    }

    /// RFC 3461 §5.2.2 for a vendor's system, which is no host.
    @Test
    void whatIsNoHostIsNotNamed() throws IOException {
        reports.tell(
                entry(TEXT, new Recipient(FAR, Map.of("NOTIFY", "SUCCESS"))),
                Map.of(FAR, new Outcome.Delivered("fax number 12")),
                Map.of(),
                LATE);
        assertEquals(List.of("relayed"), field("Action"));
        assertEquals(List.of("2.0.0"), field("Status"));
        assertEquals(List.of(), field("Remote-MTA"));
        assertEquals(List.of(), field("Diagnostic-Code"));
    }

    /// RFC 3461 §6.2: each recipient has its own wishes and its own end.
    @Test
    void oneReportTellsOfAllWhoHaveSomethingToTell() throws IOException {
        Recipient bob = new Recipient(BOB, Map.of("NOTIFY", "SUCCESS"));
        Recipient far = new Recipient(FAR);
        Recipient never = new Recipient(address("never@example.org"), Map.of("NOTIFY", "NEVER"));
        Map<MailAddress, Outcome> outcomes = new HashMap<>();
        outcomes.put(BOB, outcome("here"));
        outcomes.put(FAR, outcome("failed"));
        outcomes.put(never.address(), outcome("failed"));
        reports.tell(entry(TEXT, bob, far, never), outcomes, ends("here", BOB), LATE);
        assertEquals(List.of("delivered", "failed"), field("Action"));
        assertFalse(report().contains("never@"));
        assertEquals(1, queue.entries().count());
    }

    @Test
    void moreThanAThousandFailuresAreMoreThanOneReport() throws IOException {
        Map<MailAddress, Outcome> outcomes = new LinkedHashMap<>();
        for (int i = 0; i < 1_001; i++) {
            outcomes.put(address("r" + i + "@example.org"), outcome("failed"));
        }
        reports.tell(
                entry(
                        TEXT,
                        outcomes.keySet().stream().map(Recipient::new).toArray(Recipient[]::new)),
                outcomes,
                Map.of(),
                LATE);
        List<String> told = queue.entries().map(ReportsTest::text).toList();
        assertEquals(2, told.size());
        assertTrue(told.getFirst().contains("; r999@example.org\r\n"));
        assertTrue(told.getLast().contains("; r1000@example.org\r\n"));
    }

    @Test
    void delayIsToldOnceHoweverOftenItIsTried() throws IOException {
        List<Attempt> history = new ArrayList<>();
        List<Duration> told = new ArrayList<>();
        // As planned, by hand in between, and again after a restart with the same history.
        for (int minutes : new int[] {0, 5, 15, 75, 155, 200, 239, 240, 241, 315, 555, 9_000}) {
            Duration after = Duration.ofMinutes(minutes);
            Attempt attempt = attempt(NOON.plus(after), GREY);
            QueueEntry entry =
                    new QueueEntry(
                            new QueueId("7F3K"),
                            entry(TEXT, FAR).envelope(),
                            MemoryContent.of(TEXT),
                            NOON,
                            history.size(),
                            NOON.plus(after),
                            false,
                            Map.of(),
                            history);
            reports(Duration.ofHours(4))
                    .tell(
                            entry,
                            Map.of(FAR, new Outcome.Deferred(GREY)),
                            Map.of(),
                            NOON.plus(after).plusSeconds(60),
                            List.of(attempt));
            if (queue.entries().count() > told.size()) {
                told.add(after);
            }
            history.add(attempt);
        }
        assertEquals(List.of(Duration.ofHours(4)), told);
        assertEquals(List.of("delayed"), field("Action"));
        assertEquals(List.of("4.7.1"), field("Status"));
        assertEquals(List.of("Fri, 27 Nov 2026 12:00:00 +0000"), field("Will-Retry-Until"));
    }

    @Test
    void mailThatWasToWaitIsNotLateBefore() throws IOException {
        Envelope held =
                new Envelope(
                        Optional.of(ALICE),
                        Map.of("HOLDUNTIL", "2026-11-22T16:30:00Z"),
                        List.of(new Recipient(FAR)));
        tell(with(entry(TEXT, FAR), held), "deferred");
        assertEquals(0, queue.entries().count());
    }

    @Test
    void noDelayIsToldWhereTheAdministratorWantsNone() throws IOException {
        reports(Duration.ZERO)
                .tell(
                        entry(TEXT, FAR),
                        Map.of(FAR, outcome("deferred")),
                        Map.of(),
                        LATE,
                        List.of(attempt(LATE, GREY)));
        assertEquals(0, queue.entries().count());
    }

    /// RFC 3834 §2, security row S16.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Precedence: bulk",
                "precedence : List",
                "PRECEDENCE:\n junk",
                "Auto-Submitted: auto-generated",
                "Auto-Submitted: auto-replied; owner-email=\"a@example.org\"",
                "List-Id: <pabal.example.org>",
            })
    void delayOfMassMailIsToldOnlyToWhoAsked(String field) throws IOException {
        String text = field + "\n" + TEXT;
        tell(entry(text, FAR), "deferred");
        assertEquals(0, queue.entries().count());
        tell(entry(text, new Recipient(FAR, Map.of("NOTIFY", "DELAY"))), "deferred");
        assertEquals(List.of("delayed"), field("Action"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Precedence: special-delivery",
                "Auto-Submitted: no",
                "Auto-Submitted: No (really)",
                "X: y\n\nPrecedence: bulk",
            })
    void delayOfAPersonsMailIsTold(String field) throws IOException {
        tell(entry(field + "\n" + TEXT, FAR), "deferred");
        assertEquals(List.of("delayed"), field("Action"));
    }

    /// RFC 5321 §4.5.5, security row S16.
    @Test
    void whatNobodyCanBeToldStandsInTheLog() {
        QueueEntry report =
                with(
                        entry(TEXT, FAR),
                        new Envelope(
                                Optional.empty(),
                                List.of(
                                        new Recipient(FAR, Map.of("NOTIFY", "NEVER")),
                                        new Recipient(BOB))));
        assertEquals(
                Optional.of(
                        "q7F3K from=<> to=<far@example.org> failed: 550 5.1.1 who?; dropped, for"
                                + " nobody is to be told"),
                Reports.lost(report, Map.of(FAR, outcome("failed"), BOB, outcome("here"))));
        assertEquals(Optional.empty(), Reports.lost(report, Map.of(FAR, outcome("deferred"))));
    }

    @Test
    void rewrittenSenderIsToldLikeAnyOther() throws IOException {
        MailAddress srs = address("SRS0=AAAAAAAA=JL=example.org=alice@example.test");
        tell(
                with(entry(TEXT, FAR), new Envelope(Optional.of(srs), List.of(new Recipient(FAR)))),
                "failed");
        QueueEntry report = queue.entries().findFirst().orElseThrow();
        assertEquals(List.of(srs), report.envelope().addresses());
        assertTrue(report().contains("To: <" + srs + ">\r\n"));
    }

    // RFC 3461 §5.2.7
    @Test
    void membersOfAnAliasKeepTheNameThatIsKnown() {
        MailAddress staff = address("a+b@example.test");
        assertEquals(
                Map.of("ORCPT", "rfc822;a+2Bb@example.test"),
                reports.parametersOfMembers(new Recipient(staff)));
        assertEquals(
                Map.of("ORCPT", "utf-8;\\x{D30C}@example.test"),
                reports.parametersOfMembers(new Recipient(address("파@example.test"))));
        assertEquals(
                Map.of("ORCPT", "rfc822;x", "NOTIFY", "NEVER"),
                reports.parametersOfMembers(
                        new Recipient(staff, Map.of("ORCPT", "rfc822;x", "NOTIFY", "SUCCESS"))));
    }

    private void tell(QueueEntry entry, String outcome) throws IOException {
        reports.tell(
                entry,
                Map.of(FAR, outcome(outcome)),
                ends(outcome),
                LATE.plusSeconds(60),
                List.of(attempt(LATE, GREY)));
    }

    private static Outcome outcome(String name) {
        return switch (name) {
            case "failed" -> new Outcome.Failed(new Status(550, "5.1.1", "who?"));
            case "deferred" -> new Outcome.Deferred(GREY);
            case "away" -> new Outcome.Delivered(HOST + " 250 2.6.0 queued as 77", false);
            case "promised" -> new Outcome.Delivered(HOST + " 250 2.6.0 queued as 77", true);
            default -> new Outcome.Delivered("mailbox bob@example.test");
        };
    }

    private static Map<MailAddress, Action> ends(String outcome) {
        return ends(outcome, FAR);
    }

    private static Map<MailAddress, Action> ends(String outcome, MailAddress recipient) {
        return switch (outcome) {
            case "here" -> Map.of(recipient, Action.DELIVERED);
            case "listed" -> Map.of(recipient, Action.EXPANDED);
            default -> Map.of();
        };
    }

    private static Attempt attempt(Instant at, Status reply) {
        return new Attempt(at, HOST, "", List.of(FAR), reply);
    }

    private static QueueEntry entry(String text, MailAddress to) {
        return entry(text, new Recipient(to));
    }

    private static QueueEntry entry(String text, Recipient... to) {
        return new QueueEntry(
                new QueueId("7F3K"),
                new Envelope(Optional.of(ALICE), List.of(to)),
                MemoryContent.of(text),
                NOON,
                0,
                NOON,
                false,
                Map.of());
    }

    private static QueueEntry with(QueueEntry entry, Envelope envelope) {
        return new QueueEntry(
                entry.id(), envelope, entry.content(), NOON, 0, NOON, false, Map.of());
    }

    private static QueueEntry history(QueueEntry entry, Attempt... attempts) {
        return new QueueEntry(
                entry.id(),
                entry.envelope(),
                entry.content(),
                NOON,
                attempts.length,
                NOON,
                false,
                Map.of(),
                List.of(attempts));
    }

    /// The values of a field of the last report, in order.
    private List<String> field(String name) {
        return report().lines()
                .filter(line -> line.startsWith(name + ": "))
                .map(line -> line.substring(name.length() + 2))
                .toList();
    }

    private String report() {
        return queue.entries().map(ReportsTest::text).reduce("", (earlier, later) -> later);
    }

    private static String text(QueueEntry entry) {
        return entry.content().toString();
    }

    private static MailAddress address(String text) {
        return MailAddress.parse(text).orElseThrow();
    }
}
