package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.service.command.Descriptor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class ResolverShellTest {

    private static final Question WWW = Kept.question("www.example.org.", Type.A);

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    private final RecordCache cache = new RecordCache(CacheSettings.defaults(), clock);
    private final Map<Question, Finding> world = new HashMap<>();
    private final List<Request.Wish> wishes = new ArrayList<>();
    private final ResolverShell shell =
            new ResolverShell(this::shellRecursorFake, cache, cache::flush, () -> List.of("udp 1"));

    private Answer shellRecursorFake(Question question, Request request) {
        wishes.add(request.wish());
        boolean fresh = request.wish().refresh();
        request.trace()
                .accept(
                        new Step(
                                fresh ? "ns.example.org. 192.0.2.53" : "cache",
                                Kept.ORG,
                                question,
                                Step.What.ANSWER,
                                "",
                                Duration.ofMillis(fresh ? 3 : 0)));
        return new Answer(question, List.of(world.get(question)));
    }

    private static Finding finding(
            Question question, Finding.Kind kind, Security security, String... lines) {
        Optional<Reason> reason =
                security == Security.BOGUS || kind == Finding.Kind.FAILURE
                        ? Optional.of(new Reason(6, "no key matches"))
                        : Optional.empty();
        return new Finding(
                question,
                kind,
                Kept.sets(lines),
                List.of(),
                Kept.ORG,
                security,
                reason,
                300,
                false);
    }

    private void there(Finding finding) {
        world.put(finding.question(), finding);
    }

    @Test
    void looksUpRecords() throws IOException {
        there(
                finding(
                        WWW,
                        Finding.Kind.RECORDS,
                        Security.SECURE,
                        "www.example.org. 300 A 192.0.2.1"));
        assertEquals(
                List.of("www.example.org. 300 IN A 192.0.2.1", "secure"),
                shell.lookup("www.example.org"));
    }

    @Test
    void looksUpWhatIsNotThere() throws IOException {
        Question mx = Kept.question("www.example.org.", Type.MX);
        there(finding(mx, Finding.Kind.NO_RECORD, Security.INSECURE));
        assertEquals(
                List.of("www.example.org. MX: no such record, insecure"),
                shell.lookup("www.example.org", "mx"));
        there(finding(WWW, Finding.Kind.NO_NAME, Security.SECURE));
        assertEquals(
                List.of("www.example.org.: no such name, secure"),
                shell.lookup("www.example.org."));
    }

    @Test
    void aLookupThatFailsSaysWhyInOneLine() {
        there(
                finding(
                        WWW,
                        Finding.Kind.RECORDS,
                        Security.BOGUS,
                        "www.example.org. 300 A 192.0.2.1"));
        assertEquals(
                "www.example.org. A: bogus: no key matches",
                assertThrows(IOException.class, () -> shell.lookup("www.example.org"))
                        .getMessage());
        there(finding(WWW, Finding.Kind.FAILURE, Security.UNCHECKED));
        assertEquals(
                "www.example.org. A: not available: no key matches",
                assertThrows(IOException.class, () -> shell.lookup("www.example.org"))
                        .getMessage());
    }

    @Test
    void tracesWhatAClientWouldGetNow() {
        there(
                finding(
                        WWW,
                        Finding.Kind.RECORDS,
                        Security.SECURE,
                        "www.example.org. 300 A 192.0.2.1"));
        List<String> lines = shell.trace("www.example.org");
        assertEquals("1  www.example.org. A?", lines.getFirst());
        assertEquals("   cache example.org.  for www.example.org. A  → answer", lines.get(1));
        assertTrue(lines.get(2).startsWith("2  www.example.org. A: NOERROR, secure; 0 queries, "));
        assertEquals("www.example.org. 300 IN A 192.0.2.1", lines.get(3));
        assertEquals(List.of(Request.Wish.NOTHING), wishes);
    }

    @Test
    void tracesAFreshWalkWhenItIsToldTo() {
        there(finding(WWW, Finding.Kind.NO_NAME, Security.SECURE));
        assertEquals(
                "2-3  asked example.org.  (ns.example.org. 192.0.2.53)  for www.example.org. A"
                        + "  → answer  3.0 ms",
                shell.trace("www.example.org", "A", "--fresh").get(1));
        assertEquals(List.of(Request.Wish.REFRESH), wishes);
    }

    @Test
    void tracesAsJson() {
        there(finding(WWW, Finding.Kind.NO_NAME, Security.SECURE));
        for (List<String> lines :
                List.of(
                        shell.trace("www.example.org", "--json"),
                        shell.trace("www.example.org", "--json", "A"),
                        shell.trace("www.example.org", "A", "--json"))) {
            assertTrue(
                    lines.getFirst()
                            .startsWith(
                                    "{\"name\":\"www.example.org.\",\"type\":\"A\","
                                            + "\"status\":\"NXDOMAIN\",\"security\":\"secure\""),
                    lines.getFirst());
        }
    }

    @Test
    void showsWhatIsKnownAtAName() {
        cache.keep(
                finding(
                        WWW,
                        Finding.Kind.RECORDS,
                        Security.SECURE,
                        "www.example.org. 300 A 192.0.2.1",
                        "www.example.org. 300 A 192.0.2.2"));
        Question other = Kept.question("www.example.org.", 65_280);
        cache.keep(finding(other, Finding.Kind.NO_RECORD, Security.INSECURE));
        clock.advance(Duration.ofSeconds(13));
        assertEquals(
                List.of(
                        "A           287 s  secure     192.0.2.1, 192.0.2.2",
                        "TYPE65280    287 s  insecure   no such record"),
                shell.cache("WWW.example.org"));
        clock.advance(Duration.ofSeconds(300));
        assertEquals(
                "A           stale  secure     192.0.2.1, 192.0.2.2",
                shell.cache("www.example.org").getFirst());
        assertThrows(IllegalArgumentException.class, () -> shell.cache("other.example.com"));
    }

    @Test
    void tellsOfTheCache() {
        cache.keep(finding(WWW, Finding.Kind.NO_RECORD, Security.SECURE));
        assertEquals("entries    1", shell.cache().getFirst());
        assertEquals(5, shell.cache().size());
        assertEquals(List.of("udp 1"), shell.statistics());
    }

    @Test
    void forgetsWhatItIsToldTo() {
        cache.keep(finding(WWW, Finding.Kind.NO_RECORD, Security.SECURE));
        assertEquals("0 findings at and below example.com. forgotten", shell.flush("example.com"));
        assertEquals("1 findings at and below example.org. forgotten", shell.flush("example.org"));
        assertEquals("0 findings at and below . forgotten", shell.flush());
        assertEquals(Optional.empty(), cache.find(WWW));
    }

    @Test
    void writesTheCacheToAFileAndReadsItAgain(@TempDir Path folder) throws IOException {
        String file = folder.resolve("cache.txt").toString();
        cache.keep(
                finding(
                        WWW,
                        Finding.Kind.RECORDS,
                        Security.SECURE,
                        "www.example.org. 300 A 192.0.2.1"));
        assertEquals("1 findings and delegations written", shell.export(file));
        assertThrows(IllegalArgumentException.class, () -> shell.export(file));
        shell.flush();
        assertEquals(List.of("1 findings and delegations read"), shell._import(file));
        assertEquals(
                List.of("A           300 s  unchecked  192.0.2.1"), shell.cache("www.example.org"));
        assertEquals(
                "0 findings and delegations written",
                shell.export(folder.resolve("other.txt").toString(), "example.com"));
        Files.writeString(folder.resolve("bad.txt"), ";; what?\n");
        List<String> bad = shell._import(folder.resolve("bad.txt").toString());
        assertEquals("0 findings and delegations read", bad.getFirst());
        assertEquals(2, bad.size());
        assertThrows(IllegalArgumentException.class, () -> shell._import(folder + "/none"));
    }

    @Test
    void saysWhatWasExpected() {
        for (String[] bad :
                List.of(
                        new String[] {"a..b"},
                        new String[] {"a", "WHAT"},
                        new String[] {"a", "A", "MX"},
                        new String[] {"a", "--jason"})) {
            String[] more = Arrays.copyOfRange(bad, 1, bad.length);
            String message =
                    assertThrows(IllegalArgumentException.class, () -> shell.trace(bad[0], more))
                            .getMessage();
            assertTrue(message.contains("expected") && message.contains("example"), message);
        }
    }

    @Test
    void everyCommandHasADescriptionWithAnExample() {
        for (Method method : ResolverShell.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers())) {
                assertTrue(
                        method.getAnnotation(Descriptor.class)
                                .value()
                                .contains(
                                        "Example: resolver:" + method.getName().replace("_", "")));
            }
        }
    }
}
