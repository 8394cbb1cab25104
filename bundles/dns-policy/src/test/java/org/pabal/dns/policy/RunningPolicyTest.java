package org.pabal.dns.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.service.command.Descriptor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneStore;
import org.pabal.testkit.ResponsePolicyContract;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class RunningPolicyTest {

    private static final InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.7");
    private static final Name ADS = Name.fromConstantString("ads.example.org.");
    private static final String SOA =
            "@ 60 SOA ns.example. who.example. %d 60 60 60 60\n@ NS ns.example.\n";

    @TempDir private Path home;

    private PolicySettings settings(String... pairs) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("service.pid", "org.pabal.dns.policy~ads");
        for (int i = 0; i < pairs.length; i += 2) {
            properties.put(pairs[i], pairs[i + 1]);
        }
        return PolicySettings.of(properties, home);
    }

    private void write(String text, long second) throws IOException {
        Path file = home.resolve("ads.txt");
        Files.writeString(file, text);
        Files.setLastModifiedTime(file, FileTime.fromMillis(second * 1000));
    }

    private RunningPolicy listed(String text, String... pairs) throws IOException {
        write(text, 1);
        String[] all = new String[pairs.length + 2];
        System.arraycopy(pairs, 0, all, 2, pairs.length);
        all[0] = "list";
        all[1] = "ads.txt";
        PolicySettings settings = settings(all);
        RunningPolicy policy = new RunningPolicy(settings, Rules.none("none"), Optional.empty());
        new ListFile(settings, (PolicySettings.OfList) settings.source(), policy::rules);
        return policy;
    }

    private static Ruling ruling(ResponsePolicy policy, String name, int type) {
        return policy.question(Name.fromConstantString(name + '.'), type, CLIENT);
    }

    @Nested
    class OfAList implements ResponsePolicyContract {
        @Override
        public ResponsePolicy policy() throws IOException {
            return listed("||ads.example.org^\n");
        }

        @Override
        public Name known() {
            return ADS;
        }
    }

    @Nested
    class OfAListWithAddresses implements ResponsePolicyContract {
        @Override
        public ResponsePolicy policy() throws IOException {
            return listed("ads.example.org\n", "answer", "0.0.0.0, ::", "aliases", "true");
        }

        @Override
        public Name known() {
            return ADS;
        }
    }

    @Nested
    class OfAZone implements ResponsePolicyContract {
        @Override
        public ResponsePolicy policy() {
            PolicySettings settings = settings("zone", "rpz.example");
            return new RunningPolicy(
                    settings,
                    PolicyZone.of(
                            MemoryZone.of(
                                    "rpz.example",
                                    SOA.formatted(1)
                                            + """
                                            ads.example.org A 192.0.2.1
                                            32.9.2.0.192.rpz-ip CNAME .
                                            """),
                            settings.action(),
                            settings.why()),
                    Optional.empty());
        }

        @Override
        public Name known() {
            return ADS;
        }
    }

    @Test
    void aListAnswersAsItIsTold() throws IOException {
        assertEquals(
                new Ruling.NoName("policy ads"),
                ruling(listed("ads.example.org\n"), "ads.example.org", Type.A));
        assertEquals(
                new Ruling.NoRecord("policy ads"),
                ruling(listed("ads.example.org\n", "answer", "nodata"), "ads.example.org", Type.A));
        RunningPolicy sink = listed("ads.example.org\n", "answer", "192.0.2.80, 2001:db8::80");
        Ruling.Instead four =
                assertInstanceOf(Ruling.Instead.class, ruling(sink, "ads.example.org", Type.A));
        assertEquals("192.0.2.80", four.records().first().rdataToString());
        assertEquals(60, four.records().getTTL());
        Ruling.Instead six =
                assertInstanceOf(Ruling.Instead.class, ruling(sink, "ads.example.org", Type.AAAA));
        assertEquals(Type.AAAA, six.records().getType());
        assertEquals(
                new Ruling.NoRecord("policy ads"), ruling(sink, "ads.example.org", Type.HTTPS));
    }

    @Test
    void whatIsAllowedIsNotBlocked() throws IOException {
        RunningPolicy policy = listed("||example.org^\n", "allow", "good.example.org");
        assertEquals(Ruling.NONE, ruling(policy, "www.good.example.org", Type.A));
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "www.example.org", Type.A));
    }

    @Test
    void aListLooksAtAliasesWhenItIsTold() throws IOException {
        Name asked = Name.fromConstantString("www.example.com.");
        RRset alias = new RRset(new CNAMERecord(asked, DClass.IN, 60, ADS));
        assertEquals(
                Ruling.NONE,
                listed("ads.example.org\n").answer(asked, Type.A, CLIENT, List.of(alias)));
        RunningPolicy policy = listed("ads.example.org\n", "aliases", "true");
        assertTrue(policy.judgesAnswers());
        assertEquals(
                new Ruling.NoName("policy ads"),
                policy.answer(asked, Type.A, CLIENT, List.of(alias)));
    }

    @Test
    void aDisabledPolicyOnlyCounts() throws IOException {
        RunningPolicy policy = listed("ads.example.org\n", "action", "disabled");
        assertEquals(Ruling.NONE, ruling(policy, "ads.example.org", Type.A));
        assertTrue(policy.line().endsWith("asked 1, would be no such name 1"), policy.line());
    }

    @Test
    void aFileThatHasChangedIsReadWhenItHasSettled() throws IOException {
        write("ads.example.org\n", 1);
        PolicySettings settings = settings("list", "ads.txt");
        RunningPolicy policy = new RunningPolicy(settings, Rules.none("none"), Optional.empty());
        ListFile file =
                new ListFile(settings, (PolicySettings.OfList) settings.source(), policy::rules);
        write("other.example.org\n", 2);
        file.look();
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "ads.example.org", Type.A));
        file.look();
        assertEquals(Ruling.NONE, ruling(policy, "ads.example.org", Type.A));
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "other.example.org", Type.A));
        Rules before = policy.rules();
        file.look();
        assertEquals(before, policy.rules());
    }

    @Test
    void aFileThatIsGoneStaysInForce() throws IOException {
        write("ads.example.org\n", 1);
        PolicySettings settings = settings("list", "ads.txt");
        RunningPolicy policy = new RunningPolicy(settings, Rules.none("none"), Optional.empty());
        ListFile file =
                new ListFile(settings, (PolicySettings.OfList) settings.source(), policy::rules);
        Files.delete(home.resolve("ads.txt"));
        file.look();
        file.look();
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "ads.example.org", Type.A));
        write("other.example.org\n", 3);
        file.look();
        file.look();
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "other.example.org", Type.A));
    }

    @Test
    void theWatchEndsWithTheFile() throws IOException {
        write("ads.example.org\n", 1);
        PolicySettings settings = settings("list", "ads.txt");
        new ListFile(settings, (PolicySettings.OfList) settings.source(), rules -> {})
                .start()
                .close();
    }

    @Test
    void aZoneIsFollowedFromVersionToVersion() throws IOException {
        PolicySettings settings = settings("zone", "rpz.example");
        RunningPolicy policy = new RunningPolicy(settings, Rules.none("none"), Optional.empty());
        Name origin = Name.fromConstantString("rpz.example.");
        ZoneRules rules = new ZoneRules(settings, origin, policy::rules);
        MemoryZoneStore store = new MemoryZoneStore(rules);
        assertEquals(Ruling.NONE, ruling(policy, "ads.example.org", Type.A));
        store.publish(MemoryZone.of("other.example", SOA.formatted(1) + "ads.example.org CNAME ."));
        assertEquals(Ruling.NONE, ruling(policy, "ads.example.org", Type.A));
        store.publish(MemoryZone.of("rpz.example", SOA.formatted(1) + "ads.example.org CNAME ."));
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "ads.example.org", Type.A));
        rules.found(MemoryZone.of("rpz.example", SOA.formatted(0))); // an older one, found late
        assertInstanceOf(Ruling.NoName.class, ruling(policy, "ads.example.org", Type.A));
        store.publish(MemoryZone.of("rpz.example", SOA.formatted(2) + "x.example CNAME ."));
        assertEquals(Ruling.NONE, ruling(policy, "ads.example.org", Type.A));
        store.withdraw(origin);
        assertEquals(Ruling.NONE, ruling(policy, "x.example", Type.A));
        assertEquals(
                "ads: order 100, zone rpz.example. is not here; asked 6, no such name 2",
                policy.line());
    }

    @Test
    void theShellListsInOrderAndExplains() throws IOException {
        PolicyShell shell = new PolicyShell();
        assertEquals(
                List.of("no policies; a file etc/org.pabal.dns.policy~NAME.cfg makes one"),
                shell.list());
        RunningPolicy second = listed("||example.org^\n", "answer", "192.0.2.80");
        shell.add(second);
        RunningPolicy first = listed("ads.example.org\n", "order", "5");
        shell.add(first);
        assertEquals(List.of(first.line(), second.line()), shell.list());
        assertEquals("ads: order 5, list ads.txt, 1 names; asked 0", first.line());
        assertEquals(
                List.of(
                        "ads: no such name, by ads.example.org.",
                        "ads: answered otherwise, by what is below example.org.: A 192.0.2.80"),
                shell.explain("ADS.example.org"));
        assertEquals(
                List.of("no policy says anything of www.example.com."),
                shell.explain("www.example.com", "MX", "192.0.2.1"));
        assertEquals("ads: order 5, list ads.txt, 1 names; asked 0", first.line());
        for (String[] bad :
                List.of(
                        new String[] {"a..b", "A", "::1"},
                        new String[] {"a", "WHAT", "::1"},
                        new String[] {"a", "A", "localhost"})) {
            assertThrows(
                    IllegalArgumentException.class, () -> shell.explain(bad[0], bad[1], bad[2]));
        }
    }

    @Test
    void everyCommandHasADescriptionWithAnExample() {
        for (Method method : PolicyShell.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !method.getName().contains("Policy")) {
                assertTrue(
                        method.getAnnotation(Descriptor.class)
                                .value()
                                .contains("Example: policy:" + method.getName()));
            }
        }
    }

    @Test
    void settingsThatCannotBeUsedSayWhatWasExpected() {
        for (String[] bad :
                List.of(
                        new String[] {},
                        new String[] {"zone", "rpz.example", "list", "x.txt"},
                        new String[] {"zone", "a..b"},
                        new String[] {"zone", "rpz.example", "action", "explode"},
                        new String[] {"zone", "rpz.example", "answer", "nodata"},
                        new String[] {"list", "x.txt", "answer", "localhost"},
                        new String[] {"list", "x.txt", "action", "drop"},
                        new String[] {"list", "x.txt", "allow", "a..b"},
                        new String[] {"list", "x.txt", "order", "first"})) {
            String message = assertThrows(BadSetting.class, () -> settings(bad)).getMessage();
            assertTrue(
                    message.startsWith("org.pabal.dns.policy~ads.cfg: ")
                            && message.contains("expected"),
                    message);
        }
    }
}
