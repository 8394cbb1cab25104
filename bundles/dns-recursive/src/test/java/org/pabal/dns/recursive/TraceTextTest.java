package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

class TraceTextTest {

    private static final Question WWW = Kept.question("www.naver.test.", Type.A);
    private static final Question MAIL = Kept.question("mail.naver.test.", Type.A);

    private static final List<Step> STEPS =
            List.of(
                    step("cache", ".", "test. A", Step.What.REFERRAL, "to ., 1 name server", 0),
                    step(
                            "a.root.test. 127.0.0.2",
                            ".",
                            "test. A",
                            Step.What.REFERRAL,
                            "to test., 2 name servers",
                            12_000),
                    step(
                            "ns.nic.test. 127.0.0.3@1053",
                            "test.",
                            "naver.test. A",
                            Step.What.SILENCE,
                            "timed out after 376 ms",
                            376_000),
                    step(
                            "2001:db8::53",
                            "naver.test.",
                            "www.naver.test. A",
                            Step.What.ALIAS,
                            "of mail.naver.test.",
                            1_540),
                    step(
                            "own zone naver.test.",
                            "naver.test.",
                            "mail.naver.test. A",
                            Step.What.ANSWER,
                            "2 records",
                            0),
                    step(
                            "DNSSEC",
                            "naver.test.",
                            "mail.naver.test. A",
                            Step.What.VALIDATED,
                            "secure",
                            0));

    private static Step step(
            String whom, String zone, String question, Step.What what, String detail, int micros) {
        String[] words = question.split(" ");
        return new Step(
                whom,
                Kept.name(zone),
                Kept.question(words[0], Type.value(words[1])),
                what,
                detail,
                Duration.ofNanos(micros * 1_000L));
    }

    private static Finding finding(
            Question question, Finding.Kind kind, Security security, String... lines) {
        List<RRset> sets = Kept.sets(lines);
        return new Finding(
                question, kind, sets, List.of(), Name.root, security, Optional.empty(), 300, false);
    }

    private static TraceText text() {
        return new TraceText(
                WWW,
                STEPS,
                new Answer(
                        WWW,
                        List.of(
                                finding(
                                        WWW,
                                        Finding.Kind.ALIAS,
                                        Security.SECURE,
                                        "www.naver.test. 300 CNAME mail.naver.test."),
                                finding(
                                        MAIL,
                                        Finding.Kind.RECORDS,
                                        Security.SECURE,
                                        "mail.naver.test. 300 A 192.0.2.1",
                                        "mail.naver.test. 300 A 192.0.2.2"))),
                Duration.ofMillis(391));
    }

    @Test
    void everyStepIsALineInColumns() {
        assertEquals(
                """
                  1  www.naver.test. A?
                     cache .                                                 for test. A             → referral to ., 1 name server
                2-3  asked .              (a.root.test. 127.0.0.2)           for test. A             → referral to test., 2 name servers   12.0 ms
                  4  asked test.          (ns.nic.test. 127.0.0.3@1053)      for naver.test. A       → silence: timed out after 376 ms    376.0 ms
                5-6  asked naver.test.    (2001:db8::53)                     for www.naver.test. A   → alias of mail.naver.test.            1.5 ms
                     own zone naver.test.                                    for mail.naver.test. A  → answer, 2 records
                     DNSSEC naver.test.                                      for mail.naver.test. A  → validated: secure
                  7  www.naver.test. A: NOERROR, secure; 3 queries, 391.0 ms
                www.naver.test. 300 IN CNAME mail.naver.test.
                mail.naver.test. 300 IN A 192.0.2.1
                mail.naver.test. 300 IN A 192.0.2.2\
                """
                        .replaceAll(" +", " "),
                String.join("\n", text().lines()).replaceAll(" +", " "));
        List<String> steps = text().lines().subList(1, 7);
        assertEquals(
                1, steps.stream().map(line -> line.indexOf('→')).distinct().count(), "aligned");
        assertEquals(
                1, steps.stream().map(line -> line.indexOf(" for ")).distinct().count(), "aligned");
        assertEquals(
                1,
                steps.stream()
                        .filter(line -> line.endsWith(" ms"))
                        .map(String::length)
                        .distinct()
                        .count(),
                "aligned");
    }

    /// A host asks its local name server, and that the root, the servers of the top level, and
    /// those of the domain.
    @Test
    void theWalkOfTheLectureHasEightSteps() {
        Question mail = Kept.question("mail.naver.test.", Type.A);
        List<String> lines =
                new TraceText(
                                mail,
                                List.of(
                                        step(
                                                "a.root. 127.0.0.2",
                                                ".",
                                                "test. A",
                                                Step.What.REFERRAL,
                                                "to test., 1 name server",
                                                900),
                                        step(
                                                "ns.test. 127.0.0.3",
                                                "test.",
                                                "naver.test. A",
                                                Step.What.REFERRAL,
                                                "to naver.test., 1 name server",
                                                1_100),
                                        step(
                                                "ns.naver.test. 127.0.0.4",
                                                "naver.test.",
                                                "mail.naver.test. A",
                                                Step.What.ANSWER,
                                                "1 record",
                                                800)),
                                new Answer(
                                        mail,
                                        List.of(
                                                finding(
                                                        mail,
                                                        Finding.Kind.RECORDS,
                                                        Security.UNCHECKED,
                                                        "mail.naver.test. 60 A 192.0.2.10"))),
                                Duration.ofNanos(3_100_000))
                        .lines();
        assertEquals(
                List.of(
                        "  1  mail.naver.test. A?",
                        "2-3  asked .            (a.root. 127.0.0.2)         for test. A"
                                + "             → referral to test., 1 name server        0.9 ms",
                        "4-5  asked test.        (ns.test. 127.0.0.3)        for naver.test. A"
                                + "       → referral to naver.test., 1 name server  1.1 ms",
                        "6-7  asked naver.test.  (ns.naver.test. 127.0.0.4)  for mail.naver.test. A"
                                + "  → answer, 1 record                        0.8 ms",
                        "  8  mail.naver.test. A: NOERROR, unchecked; 3 queries, 3.1 ms",
                        "mail.naver.test. 60 IN A 192.0.2.10"),
                lines);
    }

    @Test
    void failuresSayWhy() {
        Finding failure =
                Finding.failure(WWW, Name.root, 5, new Reason(22, "no server of test. answers"));
        List<String> lines =
                new TraceText(
                                WWW,
                                List.of(),
                                new Answer(WWW, List.of(failure)),
                                Duration.ofMillis(1))
                        .lines();
        assertEquals(
                List.of(
                        "1  www.naver.test. A?",
                        "2  www.naver.test. A: SERVFAIL, unchecked, no server of test. answers;"
                                + " 0 queries, 1.0 ms"),
                lines);
    }

    @Test
    void jsonTellsTheSame() {
        assertEquals(
                """
                {"name":"www.naver.test.","type":"A","status":"NOERROR","security":"secure",\
                "stale":false,"milliseconds":391.0,
                "steps":[
                 {"step":1,"from":"cache","whom":"cache","zone":".","name":"test.","type":"A",\
                "result":"referral","detail":"to ., 1 name server","milliseconds":0.0},
                 {"step":2,"from":"wire","whom":"a.root.test. 127.0.0.2","zone":".",\
                "name":"test.","type":"A","result":"referral",\
                "detail":"to test., 2 name servers","milliseconds":12.0},
                 {"step":3,"from":"wire","whom":"ns.nic.test. 127.0.0.3@1053","zone":"test.",\
                "name":"naver.test.","type":"A","result":"silence",\
                "detail":"timed out after 376 ms","milliseconds":376.0},
                 {"step":4,"from":"wire","whom":"2001:db8::53","zone":"naver.test.",\
                "name":"www.naver.test.","type":"A","result":"alias",\
                "detail":"of mail.naver.test.","milliseconds":1.5},
                 {"step":5,"from":"here","whom":"own zone naver.test.","zone":"naver.test.",\
                "name":"mail.naver.test.","type":"A","result":"answer","detail":"2 records",\
                "milliseconds":0.0},
                 {"step":6,"from":"here","whom":"DNSSEC","zone":"naver.test.",\
                "name":"mail.naver.test.","type":"A","result":"validated","detail":"secure",\
                "milliseconds":0.0}],
                "answer":[
                 {"name":"www.naver.test.","type":"CNAME","ttl":300,"data":"mail.naver.test."},
                 {"name":"mail.naver.test.","type":"A","ttl":300,"data":"192.0.2.1"},
                 {"name":"mail.naver.test.","type":"A","ttl":300,"data":"192.0.2.2"}]}\
                """,
                text().json());
    }

    @Test
    void whatServersSayMovesNoCursorAndBreaksNoJson() {
        String nasty = "\u001b[2J\"\\\n</script>\u202e\u0000é" + "x".repeat(5_000);
        Finding failure = Finding.failure(WWW, Name.root, 5, new Reason(22, nasty));
        TraceText text =
                new TraceText(
                        WWW,
                        List.of(
                                new Step(
                                        "192.0.2.53",
                                        Name.root,
                                        WWW,
                                        Step.What.UNUSABLE,
                                        nasty,
                                        Duration.ZERO)),
                        new Answer(WWW, List.of(failure)),
                        Duration.ZERO);
        for (String line : text.lines()) {
            assertTrue(line.length() < 500, line.length() + " long");
            assertFalse(line.matches("(?s).*[\\p{Cntrl}\\p{Cf}].*"), line);
        }
        String json = text.json();
        assertTrue(
                json.contains(
                        "\"reason\":{\"code\":22,\"text\":\"\\u001b[2J\\\"\\\\\\u000a\\u003c/script>"
                            + "\\u202e\\u0000\\u00e9xxx"),
                json.substring(0, 300));
        assertEquals(4, json.lines().count());
    }
}
