package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// An entry's octets are what a message needs, and the finding comes back out of them.
class EntryTest {

    private static final long NOW = 1_800_000_000L;

    @Test
    void givesBackWhatWasKept() {
        List<Finding> findings =
                List.of(
                        Kept.records(
                                Security.SECURE,
                                "www.example.org. 300 A 192.0.2.1",
                                "www.example.org. 300 A 192.0.2.2",
                                "www.example.org. 300 RRSIG A" + Kept.SIGNATURE),
                        Kept.records(
                                Security.INSECURE,
                                "example.org. 60 TXT short",
                                "example.org. 60 TXT \"somewhat longer\""),
                        Kept.alias(
                                Kept.question("alias.example.org.", Type.CNAME),
                                "alias.example.org. 60 CNAME www.example.com."),
                        Kept.alias(
                                Kept.question("a.old.example.org.", Type.CNAME),
                                "old.example.org. 60 DNAME new.example.com.",
                                "a.old.example.org. 60 CNAME a.new.example.com."),
                        Kept.nothing(
                                Finding.Kind.NO_RECORD,
                                Security.SECURE,
                                Kept.question("b.example.org.", Type.MX),
                                120),
                        Kept.nothing(
                                Finding.Kind.NO_NAME,
                                Security.INSECURE,
                                Kept.question("b.example.org.", Type.ANY),
                                120),
                        Kept.records(Security.BOGUS, "www.example.org. 300 A 192.0.2.1"),
                        Kept.failure(Kept.question("dead.example.org.", Type.A), 30));
        for (Finding finding : findings) {
            assertEquals(finding, Entry.of(finding, NOW).finding(NOW));
        }
    }

    @Test
    void keepsAZoneThatIsElsewhere() {
        Finding finding =
                Finding.failure(
                        Kept.question("a.example.org.", Type.A),
                        Kept.name("example.com."),
                        30,
                        new Reason(0, ""));
        assertEquals(finding, Entry.of(finding, NOW).finding(NOW));
    }

    @Test
    void givesBackDelegations() {
        Delegation delegation =
                Kept.delegation("example.org.", 3600, "ns1.example.org.", "ns.example.com.");
        assertEquals(delegation, Entry.of(delegation, 3600, NOW).delegation(NOW));
    }

    @Test
    void countsDownAndNeverBelowNothing() {
        Entry entry = Entry.of(Kept.address("www.example.org.", 300, "192.0.2.1"), NOW);
        assertEquals(200, entry.finding(NOW + 100).ttl());
        assertEquals(200, entry.finding(NOW + 100).set().getTTL());
        assertEquals(300, entry.finding(NOW - 100).ttl(), "the clock was set back");
        assertTrue(entry.live(NOW + 299));
        assertFalse(entry.live(NOW + 300));
        assertEquals(0, entry.finding(NOW + 400).ttl());
        assertFalse(entry.nearlyOver(NOW + 270));
        assertTrue(entry.nearlyOver(NOW + 271));
    }

    @Test
    void anAliasAnswersEveryTypeAndIsARecordToWhoAsksForIt() {
        Entry entry =
                Entry.of(
                        Kept.alias(
                                Kept.question("alias.example.org.", Type.AAAA),
                                "alias.example.org. 60 CNAME WWW.example.com."),
                        NOW);
        assertEquals(Type.CNAME, entry.keyType());
        assertEquals(
                Finding.Kind.ALIAS,
                entry.finding(Kept.question("alias.example.org.", Type.A), 60, false).kind());
        assertEquals(
                Finding.Kind.RECORDS,
                entry.finding(Kept.question("alias.example.org.", Type.CNAME), 60, false).kind());
        byte[] target = new byte[300];
        int length = entry.copyTarget(target, 3);
        assertEquals(
                Kept.name("www.example.com."), name(Arrays.copyOfRange(target, 3, 3 + length)));
        assertEquals('w', target[4]);
    }

    @Test
    void copiesAWholeAnswer() throws IOException {
        Finding finding =
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.SECURE,
                        Kept.question("b.example.org.", Type.A),
                        120);
        Entry entry = Entry.of(finding, NOW);
        assertTrue(entry.authoritySize() < 70, "the owner of the SOA is a pointer");
        // A name below it: what is known of the name is said of the longer one.
        Message message = message(entry, "Www.B.Example.ORG.", 4, 77, 0);
        assertEquals(
                List.of(
                        "Example.ORG. 77 SOA",
                        "Example.ORG. 77 RRSIG",
                        "a.example.org. 77 NSEC",
                        "a.example.org. 77 RRSIG"),
                lines(message.getSection(Section.AUTHORITY)),
                "all but the case of the question");
    }

    private static List<String> lines(List<Record> records) {
        return records.stream()
                .map(r -> r.getName() + " " + r.getTTL() + " " + Type.string(r.getType()))
                .toList();
    }

    @Test
    void answersOfOneLengthAreTurned() throws IOException {
        Entry entry =
                Entry.of(
                        Kept.records(
                                Security.INSECURE,
                                "www.example.org. 300 A 192.0.2.1",
                                "www.example.org. 300 A 192.0.2.2",
                                "www.example.org. 300 A 192.0.2.3"),
                        NOW);
        assertTrue(entry.plain());
        assertEquals(16, entry.recordLength());
        assertEquals(3, entry.answerCount());
        Message message = message(entry, "www.example.org.", 0, 9, 2);
        assertEquals(
                List.of("192.0.2.3", "192.0.2.1", "192.0.2.2"),
                message.getSection(Section.ANSWER).stream().map(Record::rdataToString).toList());
        assertEquals(9, message.getSection(Section.ANSWER).getFirst().getTTL());
    }

    @Test
    void whatFollowsFromADnameIsNotPlain() throws IOException {
        Entry entry =
                Entry.of(
                        Kept.alias(
                                Kept.question("a.old.example.org.", Type.A),
                                "old.example.org. 60 DNAME new.example.com.",
                                "a.old.example.org. 60 CNAME a.new.example.com."),
                        NOW);
        assertFalse(entry.plain());
        assertEquals(0, entry.recordLength());
        assertEquals(
                List.of("old.example.org. 5 DNAME", "a.old.example.org. 5 CNAME"),
                lines(message(entry, "a.old.example.org.", 0, 5, 0).getSection(Section.ANSWER)));
    }

    @Test
    void isFoundByNameInLowerCaseAndType() {
        Entry entry = Entry.of(Kept.address("WWW.example.org.", 300, "192.0.2.1"), NOW);
        byte[] name = Kept.name("www.example.org.").toWire();
        assertTrue(entry.matches(name, 0, name.length, Type.A));
        assertFalse(entry.matches(name, 0, name.length, Type.AAAA));
        assertFalse(entry.matches(name, 4, name.length, Type.A));
    }

    @Test
    void remembersThatItWasAskedFor() {
        Entry entry = Entry.of(Kept.address("www.example.org.", 300, "192.0.2.1"), NOW);
        assertEquals(0, entry.asked());
        for (int i = 0; i < 10; i++) {
            entry.ask();
        }
        assertEquals(3, entry.asked());
    }

    @Test
    void signaturesThatWereAskedForAreTheAnswer() {
        RRset set = new RRset();
        set.addRR(
                (org.xbill.DNS.RRSIGRecord)
                        Kept.record("www.example.org. 300 RRSIG A" + Kept.SIGNATURE));
        Finding finding =
                new Finding(
                        Kept.question("www.example.org.", Type.RRSIG),
                        Finding.Kind.RECORDS,
                        List.of(set),
                        List.of(),
                        Kept.ORG,
                        Security.INSECURE,
                        Optional.empty(),
                        300,
                        false);
        Entry entry = Entry.of(finding, NOW);
        assertEquals(1, entry.answerCount());
        assertEquals(finding, entry.finding(NOW));
    }

    /// The answer as the fast path makes it.
    private static Message message(Entry entry, String name, int shift, int ttl, int first)
            throws IOException {
        Message query = Message.newQuery(Record.newRecord(Kept.name(name), Type.A, DClass.IN));
        query.getHeader().setFlag(Flags.QR);
        byte[] head = query.toWire();
        ByteBuffer out = ByteBuffer.allocateDirect(4096);
        out.put(0, head);
        int at = entry.copyAnswers(out, head.length, shift, ttl, first);
        at = entry.copySignatures(out, at, shift, ttl);
        at = entry.copyAuthority(out, at, shift, ttl);
        at = entry.copyProof(out, at, shift, ttl);
        out.putShort(6, (short) (entry.answerCount() + entry.signatureCount()));
        out.putShort(8, (short) (entry.authorityCount() + entry.proofCount()));
        assertEquals(
                head.length
                        + entry.answersSize()
                        + entry.signaturesSize()
                        + entry.authoritySize()
                        + entry.proofSize(),
                at);
        byte[] octets = new byte[at];
        out.get(0, octets);
        return new Message(octets);
    }

    private static Name name(byte[] wire) {
        try {
            return new Name(wire);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
