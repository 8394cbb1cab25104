package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class PolicedRecursorTest {

    private static final Question WWW = new Question(name("www.example.org."), Type.A);
    private static final Question TRAP = new Question(name("trap.example.net."), Type.A);
    private static final InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.7");
    private static final PolicedRecursor.Client UDP =
            new PolicedRecursor.Client(CLIENT, false, false);
    private static final PolicedRecursor.Client TCP =
            new PolicedRecursor.Client(CLIENT, true, false);
    private static final PolicedRecursor.Client WANTS_SIGNATURES =
            new PolicedRecursor.Client(CLIENT, false, true);

    private final PolicyRecursorFake world = new PolicyRecursorFake();
    private final List<ResponsePolicy> policies = new ArrayList<>();

    /// What there is, as a map; and what was asked of it.
    private static final class PolicyRecursorFake implements Recursor {
        final Map<Question, List<Finding>> findings = new HashMap<>();
        final List<Question> asked = new ArrayList<>();

        @Override
        public Answer answer(Question question, Request request) {
            asked.add(question);
            return new Answer(
                    question,
                    findings.getOrDefault(
                            question,
                            List.of(finding(question, Finding.Kind.NO_NAME, Security.INSECURE))));
        }
    }

    /// Says one thing about one name, and one thing about every answer.
    private record Says(Name about, Ruling first, Ruling then) implements ResponsePolicy {
        @Override
        public Ruling question(Name name, int type, InetAddress client) {
            return name.equals(about) ? first : Ruling.NONE;
        }

        @Override
        public Ruling answer(Name name, int type, InetAddress client, List<RRset> answer) {
            return then;
        }

        @Override
        public boolean judgesAnswers() {
            return !(then instanceof Ruling.None);
        }
    }

    private static Name name(String text) {
        return Name.fromConstantString(text);
    }

    private static RRset set(String owner, int type, String data) {
        try {
            return new RRset(Record.fromString(name(owner), type, DClass.IN, 300, data, Name.root));
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static RRset signed(RRset set) {
        set.addRR(
                new RRSIGRecord(
                        set.getName(),
                        DClass.IN,
                        300,
                        set.getType(),
                        13,
                        300,
                        Instant.EPOCH,
                        Instant.EPOCH,
                        1,
                        name("example.org."),
                        new byte[64]));
        return set;
    }

    private static Finding finding(
            Question question, Finding.Kind kind, Security security, RRset... records) {
        return new Finding(
                question,
                kind,
                List.of(records),
                List.of(),
                Name.root,
                security,
                Optional.empty(),
                300,
                false);
    }

    private void there(Security security, RRset set) {
        world.findings.put(WWW, List.of(finding(WWW, Finding.Kind.RECORDS, security, set)));
    }

    private void says(Ruling question, Ruling answer) {
        policies.add(new Says(WWW.name(), question, answer));
    }

    private Outcome outcome(PolicedRecursor.Client client, boolean breakDnssec) {
        return new PolicedRecursor(world, () -> policies, breakDnssec)
                .answer(WWW, Request.of(Request.Wish.NOTHING, Request.Trace.NONE), client);
    }

    private Answer told(PolicedRecursor.Client client) {
        return assertInstanceOf(Outcome.Told.class, outcome(client, false)).answer();
    }

    @Test
    void withoutPoliciesTheAnswerIsWhatThereIs() {
        there(Security.SECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        assertEquals(world.findings.get(WWW), told(UDP).chain());
    }

    @Test
    void aNameThatIsBlockedIsNotLookedUp() {
        says(new Ruling.NoName("ads"), Ruling.NONE);
        Answer answer = told(UDP);
        assertEquals(Rcode.NXDOMAIN, answer.rcode());
        assertEquals(Optional.of(new Reason(15, "ads")), answer.reason());
        assertNotEquals(Security.SECURE, answer.security());
        assertEquals(List.of(), world.asked);
    }

    @Test
    void noRecordIsAnEmptyAnswer() {
        says(new Ruling.NoRecord("ads"), Ruling.NONE);
        Answer answer = told(UDP);
        assertEquals(Rcode.NOERROR, answer.rcode());
        assertEquals(List.of(), answer.records());
        assertEquals(15, answer.reason().orElseThrow().code());
    }

    @Test
    void theFirstPolicyWithARulingCounts() {
        there(Security.INSECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        policies.add(new Says(name("other.example."), new Ruling.Drop("x"), Ruling.NONE));
        says(new Ruling.Pass(), Ruling.NONE);
        says(new Ruling.NoName("ads"), new Ruling.NoName("ads"));
        assertEquals(world.findings.get(WWW), told(UDP).chain());
    }

    @Test
    void policiesBeforeTheOneThatLetsAQuestionPassStillJudgeTheAnswer() {
        there(Security.INSECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        says(Ruling.NONE, new Ruling.NoName("addresses"));
        says(new Ruling.Pass(), Ruling.NONE);
        assertEquals(Rcode.NXDOMAIN, told(UDP).rcode());
    }

    @Test
    void droppedIsTold() {
        says(new Ruling.Drop("bots"), Ruling.NONE);
        assertSame(Outcome.DROP, outcome(UDP, false));
    }

    @Test
    void anAnswerCanBeDroppedToo() {
        says(Ruling.NONE, new Ruling.Drop("bots"));
        assertSame(Outcome.DROP, outcome(UDP, false));
    }

    @Test
    void whoIsOverTcpAlreadyIsToldWhatThereIs() {
        there(Security.INSECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        says(new Ruling.OverTcp("bots"), Ruling.NONE);
        assertSame(Outcome.OVER_TCP, outcome(UDP, false));
        assertEquals(world.findings.get(WWW), told(TCP).chain());
        policies.clear();
        says(Ruling.NONE, new Ruling.OverTcp("bots"));
        assertSame(Outcome.OVER_TCP, outcome(UDP, false));
        assertEquals(world.findings.get(WWW), told(TCP).chain());
    }

    @Test
    void recordsInPlaceOfOthersAreForgedAndNotSecure() {
        RRset garden = set("www.example.org.", Type.A, "192.0.2.99");
        says(new Ruling.Instead(garden, "garden"), Ruling.NONE);
        Answer answer = told(UDP);
        assertEquals(List.of(garden), answer.records());
        assertEquals(Optional.of(new Reason(4, "garden")), answer.reason());
        assertNotEquals(Security.SECURE, answer.security());
    }

    @Test
    void anAliasInPlaceOfRecordsIsFollowed() {
        RRset home = set("trap.example.net.", Type.A, "192.0.2.66");
        world.findings.put(
                TRAP, List.of(finding(TRAP, Finding.Kind.RECORDS, Security.SECURE, home)));
        RRset alias = set("www.example.org.", Type.CNAME, "trap.example.net.");
        says(new Ruling.Instead(alias, "garden"), Ruling.NONE);
        Answer answer = told(UDP);
        assertEquals(List.of(alias, home), answer.records());
        assertEquals(Security.INSECURE, answer.security());
        assertEquals(List.of(TRAP), world.asked);
    }

    @Test
    void anAliasThatIsAskedForIsNotFollowed() {
        RRset alias = set("www.example.org.", Type.CNAME, "trap.example.net.");
        says(new Ruling.Instead(alias, "garden"), Ruling.NONE);
        Question cname = new Question(WWW.name(), Type.CNAME);
        Outcome outcome =
                new PolicedRecursor(world, () -> policies, false)
                        .answer(
                                cname,
                                Request.of(Request.Wish.NOTHING, Request.Trace.NONE),
                                CLIENT);
        assertEquals(
                List.of(alias), assertInstanceOf(Outcome.Told.class, outcome).answer().records());
        assertEquals(List.of(), world.asked);
    }

    @Test
    void recordsInPlaceOfWhereAnAliasLeadsKeepTheWayToThere() {
        RRset alias = set("www.example.org.", Type.CNAME, "trap.example.net.");
        world.findings.put(
                WWW,
                List.of(
                        finding(WWW, Finding.Kind.ALIAS, Security.INSECURE, alias),
                        finding(
                                TRAP,
                                Finding.Kind.RECORDS,
                                Security.INSECURE,
                                set("trap.example.net.", Type.A, "192.0.2.66"))));
        RRset garden = set("trap.example.net.", Type.A, "192.0.2.99");
        says(Ruling.NONE, new Ruling.Instead(garden, "garden"));
        assertEquals(List.of(alias, garden), told(UDP).records());
    }

    @Test
    void bogusStaysServfailWhateverPoliciesSay() { // security row D12
        there(Security.BOGUS, set("www.example.org.", Type.A, "192.0.2.1"));
        RRset garden = set("www.example.org.", Type.A, "192.0.2.99");
        for (Ruling ruling :
                List.of(
                        new Ruling.Instead(garden, "garden"),
                        new Ruling.NoRecord("x"),
                        new Ruling.NoName("x"),
                        new Ruling.Pass(),
                        new Ruling.Drop("x"))) {
            policies.clear();
            says(Ruling.NONE, ruling);
            for (boolean breakDnssec : List.of(true, false)) {
                Outcome outcome = outcome(UDP, breakDnssec);
                assertEquals(
                        Rcode.SERVFAIL,
                        assertInstanceOf(Outcome.Told.class, outcome).answer().rcode());
            }
        }
    }

    @Test
    void anAliasIntoWhatIsBogusIsServfail() { // security row D12
        world.findings.put(
                TRAP,
                List.of(
                        finding(
                                TRAP,
                                Finding.Kind.RECORDS,
                                Security.BOGUS,
                                set("trap.example.net.", Type.A, "192.0.2.66"))));
        says(
                new Ruling.Instead(
                        set("www.example.org.", Type.CNAME, "trap.example.net."), "garden"),
                Ruling.NONE);
        assertEquals(Rcode.SERVFAIL, told(UDP).rcode());
    }

    @Test
    void whatIsSignedIsNotRewrittenForWhoWantsSignatures() {
        there(Security.SECURE, signed(set("www.example.org.", Type.A, "192.0.2.1")));
        RRset garden = set("www.example.org.", Type.A, "192.0.2.99");
        for (ResponsePolicy policy :
                List.of(
                        new Says(WWW.name(), new Ruling.Instead(garden, "g"), Ruling.NONE),
                        new Says(WWW.name(), new Ruling.NoName("g"), Ruling.NONE),
                        new Says(WWW.name(), Ruling.NONE, new Ruling.NoName("g")))) {
            policies.clear();
            policies.add(policy);
            assertEquals(world.findings.get(WWW), told(WANTS_SIGNATURES).chain());
            assertNotEquals(world.findings.get(WWW), told(UDP).chain());
            assertNotEquals(
                    world.findings.get(WWW),
                    assertInstanceOf(Outcome.Told.class, outcome(WANTS_SIGNATURES, true))
                            .answer()
                            .chain());
        }
    }

    @Test
    void whatIsNotSignedIsRewrittenForWhoWantsSignatures() {
        there(Security.INSECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        says(new Ruling.NoName("ads"), Ruling.NONE);
        assertEquals(Rcode.NXDOMAIN, told(WANTS_SIGNATURES).rcode());
    }

    @Test
    void aPolicyThatFailsIsPassedOver() {
        there(Security.INSECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        policies.add(
                (name, type, client) -> {
                    throw new IllegalStateException("broken");
                });
        assertEquals(world.findings.get(WWW), told(UDP).chain());
    }

    @Test
    void recordsThatAreNoAnswerArePassedOver() {
        there(Security.INSECURE, set("www.example.org.", Type.A, "192.0.2.1"));
        for (RRset odd :
                List.of(
                        new RRset(),
                        set("other.example.org.", Type.A, "192.0.2.99"),
                        set("www.example.org.", Type.AAAA, "2001:db8::1"),
                        set("www.example.org.", Type.CNAME, "www.example.org."))) {
            policies.clear();
            says(new Ruling.Instead(odd, "odd"), Ruling.NONE);
            assertEquals(world.findings.get(WWW), told(UDP).chain());
        }
    }

    @Test
    void theCacheMayAnswerWhatNoPolicyJudges() {
        PolicedRecursor policed = new PolicedRecursor(world, () -> policies, false);
        assertTrue(policed.ask(WWW, CLIENT).free());
        says(new Ruling.NoName("ads"), Ruling.NONE);
        assertFalse(policed.ask(WWW, CLIENT).free());
        assertTrue(policed.ask(TRAP, CLIENT).free());
        says(Ruling.NONE, new Ruling.NoName("addresses"));
        assertFalse(policed.ask(TRAP, CLIENT).free());
        policies.addFirst(new Says(TRAP.name(), new Ruling.Pass(), Ruling.NONE));
        assertTrue(policed.ask(TRAP, CLIENT).free());
    }
}
