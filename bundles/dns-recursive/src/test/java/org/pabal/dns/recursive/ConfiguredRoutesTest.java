package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Authority;
import org.pabal.settings.Settings;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

class ConfiguredRoutesTest {

    @TempDir Path home;

    private final Map<String, String> values = new HashMap<>();
    private final Set<Name> ours = new TreeSet<>();
    private final Set<String> changed = new TreeSet<>();
    private boolean authorityRuns = true;
    private long nanos;
    private Routes routes = Routes.FROM_THE_ROOT;

    @BeforeEach
    void configure() {
        values.put("forward", ". 192.0.2.1, example.org 192.0.2.2, deep.own.example 192.0.2.3");
        values.put("stub", "stub.example.org 192.0.2.4, own.example 192.0.2.5");
        ours.add(RouteSettingsTest.name("own.example"));
        ours.add(RouteSettingsTest.name("ours.stub.example.org"));
    }

    /// Speaks for the nearest of some zones, as it would over the network also for the DS of an
    /// apex.
    private final class FakeAuthority implements Authority {
        @Override
        public Optional<Name> zone(Name name, int type) {
            for (int label = 0; label < name.labels(); label++) {
                Name each = label == 0 ? name : new Name(name, label);
                if (ours.contains(each)) {
                    return Optional.of(each);
                }
            }
            return Optional.empty();
        }

        @Override
        public Message answer(Message query) {
            throw new AssertionError("a way is not walked when it is looked for");
        }
    }

    private void start() {
        routes =
                new ConfiguredRoutes(
                        RouteSettings.of(Settings.of(values), home),
                        () -> authorityRuns ? Optional.of(new FakeAuthority()) : Optional.empty(),
                        names -> names.forEach(name -> changed.add(name.toString())),
                        () -> nanos);
    }

    private Route route(String name, int type) {
        return routes.route(new Question(RouteSettingsTest.name(name), type));
    }

    private Finding local(String name, String type) {
        return assertInstanceOf(Route.Local.class, route(name, Type.value(type))).finding();
    }

    private String text(String name, String type) {
        return switch (route(name, Type.value(type))) {
            case Route.Walk walk -> "walk";
            case Route.Forward forward -> "forward " + forward.zone();
            case Route.Stub stub -> "stub " + stub.zone();
            case Route.Own own -> "own " + own.zone();
            case Route.Local local -> text(local.finding());
        };
    }

    private static String text(Finding finding) {
        return finding.records().isEmpty()
                ? finding.kind() + " " + finding.zone()
                : finding.set().rrs(false).stream()
                        .map(Record::rdataToString)
                        .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource({
        "www.example.com, A, forward .",
        "., NS, forward .",
        "org, DS, forward .",
        "example.org, A, forward example.org.",
        "WWW.Example.Org, MX, forward example.org.",
        "notexample.org, A, forward .",
        "stub.example.org, A, stub stub.example.org.",
        "a.b.stub.example.org, AAAA, stub stub.example.org.",
        "ours.stub.example.org, A, own ours.stub.example.org.",
        "x.ours.stub.example.org, A, own ours.stub.example.org.",
        "own.example, A, own own.example.",
        "www.own.example, A, own own.example.",
        "deep.own.example, A, forward deep.own.example.",
        "x.deep.own.example, A, forward deep.own.example."
    })
    void theClosestZoneCountsAndAmongEqualsOurs(String name, String type, String expected) {
        start();
        assertEquals(expected, text(name, type));
    }

    @ParameterizedTest
    @CsvSource({
        "example.org, forward .",
        "www.example.org, forward example.org.",
        "stub.example.org, forward example.org.",
        "ours.stub.example.org, stub stub.example.org.",
        "own.example, forward .",
        "www.own.example, own own.example.",
        "deep.own.example, own own.example.",
        "., forward ."
    })
    void aDelegationSignerIsAtTheParent(String name, String expected) {
        start();
        assertEquals(expected, text(name, "DS"));
    }

    @Test
    void withoutAnAuthorityItsZonesAreElsewhere() {
        authorityRuns = false;
        start();
        assertEquals("stub own.example.", text("www.own.example", "A"));
    }

    @Test
    void withoutSettingsEverythingIsWalked() {
        values.clear();
        ours.clear();
        start();
        for (String name : List.of("www.example.org", ".", "mail.naver.test", "test", "a.local")) {
            assertEquals("walk", text(name, "A"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, A, 127.0.0.1",
        "LOCALHOST, AAAA, 0:0:0:0:0:0:0:1",
        "a.b.localhost, A, 127.0.0.1",
        "localhost, MX, NO_RECORD localhost.",
        "invalid, A, NO_RECORD invalid.",
        "www.invalid, A, NO_NAME invalid.",
        "hidden.onion, AAAA, NO_NAME onion.",
        "printer.home.arpa, A, NO_NAME home.arpa.",
        "_dns.resolver.arpa, SVCB, NO_NAME resolver.arpa.",
        "home.arpa, SOA, home.arpa. nobody.invalid. 1 3600 1200 604800 10800",
        "home.arpa, NS, home.arpa.",
        "home.arpa, DS, walk",
        "1.0.0.127.in-addr.arpa, PTR, localhost.",
        "2.0.0.127.in-addr.arpa, PTR, NO_NAME 127.in-addr.arpa.",
        "1.2.3.10.in-addr.arpa, PTR, NO_NAME 10.in-addr.arpa.",
        "1.2.16.172.in-addr.arpa, PTR, NO_NAME 16.172.in-addr.arpa.",
        "1.2.31.172.in-addr.arpa, PTR, NO_NAME 31.172.in-addr.arpa.",
        "1.2.32.172.in-addr.arpa, PTR, walk",
        "1.2.15.172.in-addr.arpa, PTR, walk",
        "172.in-addr.arpa, NS, walk",
        "1.0.168.192.in-addr.arpa, PTR, NO_NAME 168.192.in-addr.arpa.",
        "1.2.64.100.in-addr.arpa, PTR, NO_NAME 64.100.in-addr.arpa.",
        "1.2.127.100.in-addr.arpa, PTR, NO_NAME 127.100.in-addr.arpa.",
        "1.2.128.100.in-addr.arpa, PTR, walk",
        "1.2.0.192.in-addr.arpa, PTR, NO_NAME 2.0.192.in-addr.arpa.",
        "8.8.8.8.in-addr.arpa, PTR, walk",
        "1.d.f.ip6.arpa, PTR, NO_NAME d.f.ip6.arpa.",
        "1.a.e.f.ip6.arpa, PTR, NO_NAME a.e.f.ip6.arpa.",
        "ip6.arpa, NS, walk"
    })
    void specialNamesAreAnsweredHere(String name, String type, String expected) {
        values.clear();
        ours.clear();
        start();
        assertEquals(expected, text(name, type));
    }

    @Test
    void anEmptyZoneSaysForHowLongItIsEmpty() {
        start();
        Finding finding = local("1.2.3.10.in-addr.arpa", "PTR");
        assertEquals(10_800, finding.ttl());
        assertEquals(Type.SOA, finding.proof().getFirst().getType());
        assertEquals(Security.INSECURE, finding.security());
    }

    @ParameterizedTest
    @CsvSource({
        "forward, . 192.0.2.1, NO_NAME 10.in-addr.arpa.",
        "forward, 10.in-addr.arpa 192.0.2.1, forward 10.in-addr.arpa.",
        "forward, in-addr.arpa 192.0.2.1, forward in-addr.arpa.",
        "stub, 2.3.10.in-addr.arpa 192.0.2.1, stub 2.3.10.in-addr.arpa.",
        "not-special, 10.in-addr.arpa, walk",
        "not-special, arpa, walk",
        "not-special, ., walk",
        "not-special, home.arpa, NO_NAME 10.in-addr.arpa."
    })
    void whoSaysWhereASpecialNameIsToBeFoundIsHeard(String key, String value, String expected) {
        values.clear();
        ours.clear();
        values.put(key, value);
        start();
        assertEquals(expected, text("1.2.3.10.in-addr.arpa", "PTR"));
    }

    @Test
    void ourOwnReverseZoneIsAnsweredButNotARootOfOurs() {
        values.clear();
        ours.clear();
        ours.add(Name.root);
        start();
        assertEquals("NO_NAME 10.in-addr.arpa.", text("1.2.3.10.in-addr.arpa", "PTR"));
        assertEquals("own .", text("mail.naver.test", "A"));
        ours.add(RouteSettingsTest.name("3.10.in-addr.arpa"));
        assertEquals("own 3.10.in-addr.arpa.", text("1.2.3.10.in-addr.arpa", "PTR"));
    }

    private static final String LOCAL =
            """
            ; what this house knows
            router.example.org. 60 A 192.0.2.10
            router.example.org. 60 A 192.0.2.11
            $ORIGIN dev.example.
            *        A 127.0.0.1
            db 30    CNAME router.example.org.
            a.b      TXT "hello"
            $ORIGIN corp.example.
            www      A 192.0.2.12
            a.ent    A 192.0.2.13
            """;

    private void localData() throws IOException {
        Files.writeString(home.resolve("local.zone"), LOCAL);
        values.put("local-data", "local.zone");
        values.put("local-zones", "corp.example");
        start();
    }

    @ParameterizedTest
    @CsvSource({
        "router.example.org, A, 192.0.2.10 192.0.2.11",
        "ROUTER.example.org, A, 192.0.2.10 192.0.2.11",
        "router.example.org, AAAA, NO_RECORD router.example.org.",
        "router.example.org, ANY, 192.0.2.10 192.0.2.11",
        "router.example.org, DNSKEY, forward example.org.",
        "router.example.org, DS, forward example.org.",
        "x.router.example.org, A, forward example.org.",
        "anything.dev.example, A, 127.0.0.1",
        "anything.dev.example, TXT, NO_RECORD anything.dev.example.",
        "any.thing.dev.example, A, 127.0.0.1",
        "dev.example, A, forward .",
        "b.dev.example, A, forward .",
        "c.b.dev.example, A, forward .",
        "db.dev.example, A, router.example.org.",
        "db.dev.example, CNAME, router.example.org.",
        "www.corp.example, A, 192.0.2.12",
        "www.corp.example, MX, NO_RECORD corp.example.",
        "www.corp.example, DS, NO_RECORD corp.example.",
        "ent.corp.example, A, NO_RECORD corp.example.",
        "no.corp.example, A, NO_NAME corp.example.",
        "corp.example, A, NO_RECORD corp.example.",
        "corp.example, DNSKEY, NO_RECORD corp.example.",
        "corp.example, DS, forward ."
    })
    void localDataAnswersForItsNames(String name, String type, String expected) throws IOException {
        localData();
        assertEquals(expected, text(name, type));
    }

    @Test
    void aLocalAliasIsAnAlias() throws IOException {
        localData();
        Finding finding = local("DB.dev.example", "AAAA");
        assertEquals(Finding.Kind.ALIAS, finding.kind());
        assertEquals("router.example.org.", finding.target().toString());
        assertEquals(30, finding.ttl());
        assertEquals(Finding.Kind.RECORDS, local("db.dev.example", "CNAME").kind());
    }

    @Test
    void aWildcardsRecordsAreTheNamesThatWasAsked() throws IOException {
        localData();
        RRset set = local("x.y.dev.example", "A").set();
        assertEquals("x.y.dev.example.", set.getName().toString());
        assertEquals(3600, set.getTTL());
    }

    @Test
    void aForwardZoneBelowAWildcardOrALocalZoneIsCloser() throws IOException {
        values.put("forward", "deep.dev.example 192.0.2.1, far.corp.example 192.0.2.1");
        localData();
        assertEquals("forward deep.dev.example.", text("x.deep.dev.example", "A"));
        assertEquals("forward far.corp.example.", text("x.far.corp.example", "A"));
        assertEquals("127.0.0.1", text("x.flat.dev.example", "A"));
    }

    @Test
    void anExactNameIsCloserThanAnyZone() throws IOException {
        ours.add(RouteSettingsTest.name("router.example.org"));
        localData();
        assertEquals("192.0.2.10 192.0.2.11", text("router.example.org", "A"));
    }

    private static final String HOSTS =
            """
            # the usual
            127.0.0.1   localhost
            ::1         localhost ip6-localhost
            127.0.1.1   box.example.org box   # Debian's
            192.0.2.20  printer.example.org printer
            192.0.2.21  printer.example.org
            192.0.2.20  other.example.org
            2001:db8::20 printer.example.org
            fe80::1%lo0 scoped
            0.0.0.0     ads.example
            nonsense
            300.1.1.1   bad.example
            192.0.2.22  a..b good.example
            192.0.2.23
            """;

    @ParameterizedTest
    @CsvSource({
        "printer.example.org, A, 192.0.2.20 192.0.2.21",
        "printer.example.org, AAAA, 2001:db8:0:0:0:0:0:20",
        "printer.example.org, MX, NO_RECORD printer.example.org.",
        "printer, A, 192.0.2.20",
        "box, A, 127.0.1.1",
        "1.1.0.127.in-addr.arpa, PTR, box.example.org.",
        "20.2.0.192.in-addr.arpa, PTR, printer.example.org.",
        "21.2.0.192.in-addr.arpa, PTR, printer.example.org.",
        "0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa, PTR,"
                + " printer.example.org.",
        "ads.example, A, 0.0.0.0",
        "0.0.0.0.in-addr.arpa, PTR, NO_NAME 0.in-addr.arpa.",
        "scoped, AAAA, fe80:0:0:0:0:0:0:1",
        "bad.example, A, forward .",
        "good.example, A, 192.0.2.22",
        "localhost, A, 127.0.0.1",
        "localhost, AAAA, 0:0:0:0:0:0:0:1",
        "ip6-localhost, AAAA, 0:0:0:0:0:0:0:1"
    })
    void hostsFilesAnswerForNamesAndAddresses(String name, String type, String expected)
            throws IOException {
        Files.writeString(home.resolve("hosts"), HOSTS);
        values.put("hosts", "hosts");
        start();
        assertEquals(expected, text(name, type));
    }

    private Path changing() throws IOException {
        Path file = home.resolve("hosts");
        write(file, "192.0.2.1 one.example\n192.0.2.2 two.example\n", 1);
        values.put("hosts", "hosts");
        start();
        return file;
    }

    private static void write(Path file, String text, int second) throws IOException {
        Files.writeString(file, text);
        Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(second)));
    }

    private void aWhileLater() {
        nanos += LocalFiles.PERIOD.toNanos();
    }

    @Test
    void aFileThatChangedIsReadAgainAfterAFewSeconds() throws IOException {
        Path file = changing();
        write(file, "192.0.2.3 one.example\n192.0.2.2 two.example\n192.0.2.4 new.example\n", 2);
        assertEquals("192.0.2.1", text("one.example", "A"));
        nanos += LocalFiles.PERIOD.toNanos() - 1;
        assertEquals("192.0.2.1", text("one.example", "A"));
        nanos += 1;
        assertEquals("192.0.2.3", text("one.example", "A"));
        assertEquals("192.0.2.4", text("new.example", "A"));
        assertEquals(
                Set.of(
                        "one.example.",
                        "new.example.",
                        "1.2.0.192.in-addr.arpa.",
                        "3.2.0.192.in-addr.arpa.",
                        "4.2.0.192.in-addr.arpa."),
                changed);
    }

    @Test
    void aFileThatIsTheSameIsLeftAlone() throws IOException {
        Path file = changing();
        // the same size and time: what it says is not looked at
        write(file, "192.0.2.9 one.example\n192.0.2.2 two.example\n", 1);
        aWhileLater();
        assertEquals("192.0.2.1", text("one.example", "A"));
        assertTrue(changed.isEmpty());
    }

    @Test
    void aFileThatIsGoneChangesNothingUntilItIsBack() throws IOException {
        Path file = changing();
        Files.delete(file);
        aWhileLater();
        assertEquals("192.0.2.1", text("one.example", "A"));
        write(file, "192.0.2.7 one.example\n", 3);
        aWhileLater();
        assertEquals("192.0.2.7", text("one.example", "A"));
        assertEquals("forward .", text("two.example", "A"));
    }

    @Test
    void localDataThatBecomesNonsenseChangesNothingUntilItIsMended() throws IOException {
        localData();
        Path file = home.resolve("local.zone");
        write(file, "router.example.org. 60 A 192.0.2.99\nnonsense", 2);
        aWhileLater();
        assertEquals("192.0.2.10 192.0.2.11", text("router.example.org", "A"));
        write(file, "router.example.org. 60 A 192.0.2.99\n", 3);
        aWhileLater();
        assertEquals("192.0.2.99", text("router.example.org", "A"));
        assertEquals("NO_NAME corp.example.", text("www.corp.example", "A"));
    }

    /// Knows the names that a test says, by one type, and keeps what it is told to forget.
    private static final class FakeCache implements Cache {

        private final Set<Question> known = new HashSet<>();
        private final List<String> flushed = new ArrayList<>();

        @Override
        public Optional<Finding> find(Question question) {
            return known.contains(question)
                    ? Optional.of(
                            FindingsByRoutes.failure(question.name().toString(), question.type()))
                    : Optional.empty();
        }

        @Override
        public Optional<Finding> stale(Question question) {
            return Optional.empty();
        }

        @Override
        public void keep(Finding finding) {}

        @Override
        public Optional<Delegation> delegation(Name name) {
            return Optional.empty();
        }

        @Override
        public void keep(Delegation delegation) {}

        @Override
        public int flush(Name name) {
            flushed.add(name.toString());
            return 1;
        }
    }

    @Test
    void aCacheForgetsWhatItHasOfNamesThatChanged() {
        FakeCache cache = new FakeCache();
        cache.known.add(new Question(FindingsByRoutes.name("a.example"), Type.MX));
        ConfiguredRoutes.forgetting(cache)
                .accept(
                        Set.of(
                                FindingsByRoutes.name("a.example"),
                                FindingsByRoutes.name("b.example")));
        assertEquals(List.of("a.example."), cache.flushed);
    }

    @Test
    void aCacheForgetsManyNamesAtOnce() {
        FakeCache cache = new FakeCache();
        Set<Name> names = new TreeSet<>();
        for (int i = 0; i < 101; i++) {
            names.add(FindingsByRoutes.name(i + ".example"));
        }
        names.forEach(name -> cache.known.add(new Question(name, Type.A)));
        ConfiguredRoutes.forgetting(cache).accept(names);
        assertEquals(List.of("."), cache.flushed);
    }

    @Test
    void oneThreadReadsWhileOthersGoOn() throws Exception {
        Path file = changing();
        StringBuilder many = new StringBuilder("192.0.2.3 one.example\n");
        for (int i = 0; i < 20_000; i++) {
            many.append("0.0.0.0 ads").append(i).append(".example\n");
        }
        write(file, many.toString(), 2);
        aWhileLater();
        List<Thread> threads = new ArrayList<>();
        Set<String> said = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 4; i++) {
            threads.add(Thread.startVirtualThread(() -> said.add(text("one.example", "A"))));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals("192.0.2.3", text("one.example", "A"));
        assertTrue(Set.of("192.0.2.1", "192.0.2.3").containsAll(said), said.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {".", "a", "*.", "*.dev.example", "\\000.dev.example", "in-addr.arpa"})
    void everyNameHasAWay(String name) throws IOException {
        localData();
        for (int type : new int[] {Type.A, Type.DS, Type.ANY, Type.NSEC3, 65_280}) {
            assertNotNull(routes.route(new Question(RouteSettingsTest.name(name), type)));
        }
    }
}
