package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Options;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;

import javax.crypto.spec.SecretKeySpec;

/// RFC 8945, security row D21: queries by UDP, with what is good, bent, cut short, late.
class SignedRequestTest {

    private static final byte[] SECRET = "not a secret at all, thirty-two.".getBytes();
    private static final Name KEY = Node.name("Client.example.org");

    private final Node node =
            Node.serving(
                    "example.org.",
                    Node.SOA
                            + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\nbig 3600 TXT \"%s\" \"%s\"\n"
                                    .formatted("x".repeat(250), "y".repeat(170)));

    SignedRequestTest() {
        for (String algorithm : new String[] {"sha256", "sha512", "sha384", "sha224", "sha1"}) {
            node.server.bindTsigKey(key(name(algorithm).toString(), "hmac-" + algorithm));
        }
        node.server.bindTsigKey(key("md5.example.org", "hmac-md5"));
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static Name name(String algorithm) {
        return algorithm.equals("sha256") ? KEY : Node.name(algorithm + ".example.org");
    }

    static TsigKey key(String name, String algorithm) {
        return new TsigKey(
                Map.of(
                        "name", name,
                        "algorithm", algorithm,
                        "secret", Base64.getEncoder().encodeToString(SECRET)));
    }

    private static TSIG tsig(Name name, byte[] secret, Instant at) {
        return new TSIG(
                TSIG.HMAC_SHA256,
                name,
                new SecretKeySpec(secret, "HmacSHA256"),
                Clock.fixed(at, ZoneOffset.UTC));
    }

    private TSIG good() {
        return tsig(KEY, SECRET, node.clock.instant());
    }

    private static byte[] signed(TSIG tsig, Message query) {
        tsig.apply(query, null);
        return query.toWire();
    }

    private byte[] ask(byte[] query) {
        return node.octets(query).orElseThrow();
    }

    /// The error of an answer that is not signed, or that is if `by` says by what.
    private static String error(Message answer) {
        TSIGRecord tsig = answer.getTSIG();
        return Rcode.string(answer.getRcode())
                + (tsig == null
                        ? " no TSIG"
                        : " "
                                + Rcode.TSIGstring(tsig.getError())
                                + (tsig.getSignature().length == 0 ? " unsigned" : " signed"));
    }

    @ParameterizedTest
    @CsvSource({
        "ns1.example.org, NOERROR",
        "nope.example.org, NXDOMAIN",
        "example.com, REFUSED",
    })
    void signsTheAnswerToASignedQuery(String name, String rcode) throws Exception {
        Message query = Node.query(name, Type.A);
        byte[] octets = ask(signed(good(), query));
        Message answer = new Message(octets);
        assertEquals(rcode + " NOERROR signed", error(answer));
        assertEquals(Rcode.NOERROR, good().verify(answer, octets, query.getTSIG()));
        assertEquals(Type.TSIG, answer.getSection(Section.ADDITIONAL).getLast().getType());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sha512", "sha384", "sha224", "sha1", "md5"})
    void knowsEveryAlgorithmOfItsSettings(String algorithm) throws Exception {
        TSIG tsig =
                new TSIG(
                        algorithm.equals("md5")
                                ? TSIG.HMAC_MD5
                                : Name.fromConstantString("hmac-" + algorithm + "."),
                        name(algorithm),
                        new SecretKeySpec(SECRET, "Hmac" + algorithm.toUpperCase()),
                        Clock.fixed(node.clock.instant(), ZoneOffset.UTC));
        Message query = Node.query("ns1.example.org", Type.A);
        byte[] octets = ask(signed(tsig, query));
        assertEquals(Rcode.NOERROR, tsig.verify(new Message(octets), octets, query.getTSIG()));
    }

    /// §5.2.1, §5.3.2: another name, another algorithm
    @Test
    void answersAnUnknownKeyWithBadkey() {
        TSIG stranger = tsig(Node.name("stranger.example.org"), SECRET, node.clock.instant());
        Message answer = Node.parsed(ask(signed(stranger, Node.query("ns1.example.org", Type.A))));
        assertEquals("NOTAUTH BADKEY unsigned", error(answer));
        assertEquals(0, answer.getSection(Section.ANSWER).size());
        TSIG other =
                new TSIG(
                        TSIG.HMAC_SHA1,
                        KEY,
                        new SecretKeySpec(SECRET, "HmacSHA1"),
                        Clock.fixed(node.clock.instant(), ZoneOffset.UTC));
        assertEquals(
                "NOTAUTH BADKEY unsigned",
                error(Node.parsed(ask(signed(other, Node.query("ns1.example.org", Type.A))))));
    }

    /// §5.2.2
    @Test
    void answersAnotherSecretAndABentMessageWithBadsig() {
        byte[] other = SECRET.clone();
        other[0] ^= 1;
        TSIG wrong = tsig(KEY, other, node.clock.instant());
        assertEquals(
                "NOTAUTH BADSIG unsigned",
                error(Node.parsed(ask(signed(wrong, Node.query("ns1.example.org", Type.A))))));
        byte[] query = signed(good(), Node.query("ns1.example.org", Type.A));
        byte[] bent = query.clone();
        bent[13] = 'm'; // ms1
        assertEquals("NOTAUTH BADSIG unsigned", error(Node.parsed(ask(bent))));
        bent = query.clone();
        bent[2] ^= 1; // RD
        assertEquals("NOTAUTH BADSIG unsigned", error(Node.parsed(ask(bent))));
    }

    /// §5.3.1: a relay gave it another id
    @Test
    void checksTheOriginalId() {
        byte[] query = signed(good(), Node.query("ns1.example.org", Type.A));
        query[0] ^= 0x55;
        assertEquals("NOERROR NOERROR signed", error(Node.parsed(ask(query))));
    }

    /// §5.2.3: inside of the fudge, and outside; the answer is signed and has our time
    @ParameterizedTest
    @CsvSource({"0, true", "300, true", "301, false", "-300, true", "-301, false", "86400, false"})
    void takesARequestForFiveMinutes(long seconds, boolean taken) throws Exception {
        Message query = Node.query("ns1.example.org", Type.A);
        byte[] sent = signed(good(), query);
        Instant signedAt = node.clock.instant();
        node.clock.advance(Duration.ofSeconds(seconds));
        byte[] octets = ask(sent);
        Message answer = new Message(octets);
        if (taken) {
            assertEquals("NOERROR NOERROR signed", error(answer));
            return;
        }
        assertEquals("NOTAUTH BADTIME signed", error(answer));
        assertEquals(0, answer.getSection(Section.ANSWER).size());
        assertEquals(signedAt, answer.getTSIG().getTimeSigned());
        assertArrayEquals(
                Arrays.copyOfRange(
                        ByteBuffer.allocate(8)
                                .putLong(node.clock.instant().getEpochSecond())
                                .array(),
                        2,
                        8),
                answer.getTSIG().getOther());
        // the client trusts it: its own time is in it
        assertEquals(
                Rcode.NOERROR, tsig(KEY, SECRET, signedAt).verify(answer, octets, query.getTSIG()));
    }

    /// §10: a client cannot make the window larger
    @Test
    void givesNoClientMoreThanFiveMinutes() {
        byte[] sent;
        Options.set("tsigfudge", "3600");
        try {
            sent = signed(good(), Node.query("ns1.example.org", Type.A));
        } finally {
            Options.unset("tsigfudge");
        }
        node.clock.advance(Duration.ofSeconds(300));
        assertEquals("NOERROR NOERROR signed", error(Node.parsed(ask(sent))));
        node.clock.advance(Duration.ofSeconds(1));
        assertEquals("NOTAUTH BADTIME signed", error(Node.parsed(ask(sent))));
    }

    /// §5.2.2.1 and §5.2.4: we ask for the whole MAC
    @ParameterizedTest
    @CsvSource({
        "32, NOERROR NOERROR signed",
        "31, NOTAUTH BADTRUNC signed",
        "16, NOTAUTH BADTRUNC signed",
        "15, FORMERR no TSIG",
        "1, FORMERR no TSIG",
        "0, FORMERR no TSIG",
        "33, FORMERR no TSIG",
    })
    void refusesAMacThatIsCutShort(int octets, String error) {
        Message query = Node.query("ns1.example.org", Type.A);
        TSIGRecord whole = good().generate(query, query.toWire(), 0, null);
        query.addRecord(
                new TSIGRecord(
                        KEY,
                        DClass.ANY,
                        0,
                        TSIG.HMAC_SHA256,
                        whole.getTimeSigned(),
                        whole.getFudge(),
                        Arrays.copyOf(whole.getSignature(), octets),
                        whole.getOriginalID(),
                        0,
                        new byte[0]),
                Section.ADDITIONAL);
        assertEquals(error, error(Node.parsed(ask(query.toWire()))));
    }

    /// §5.1: the last record, and only one; §4.2: class ANY, TTL 0
    @Test
    void takesATsigAsTheLastRecordOnly() {
        Message query = Node.query("ns1.example.org", Type.A);
        good().apply(query, null);
        Message behind = query.clone();
        Node.edns(behind, 1232, 0);
        assertEquals("FORMERR no TSIG", error(Node.parsed(ask(behind.toWire()))));
        Message twice = query.clone();
        twice.addRecord(query.getTSIG(), Section.ADDITIONAL);
        assertEquals("FORMERR no TSIG", error(Node.parsed(ask(twice.toWire()))));
        byte[] octets = query.toWire();
        int record = octets.length - query.getTSIG().toWire(Section.ADDITIONAL).length;
        int dclass = record + KEY.length() + 2;
        octets[dclass + 1] = 1;
        assertEquals("FORMERR no TSIG", error(Node.parsed(ask(octets))));
        octets = query.toWire();
        octets[dclass + 5] = 1;
        assertEquals("FORMERR no TSIG", error(Node.parsed(ask(octets))));
        Message answerSection = Node.query("ns1.example.org", Type.A);
        answerSection.addRecord(query.getTSIG(), Section.ANSWER);
        assertEquals("FORMERR no TSIG", error(Node.parsed(ask(answerSection.toWire()))));
    }

    /// §5.3: what does not fit with its TSIG is the question and the TSIG, with TC
    @Test
    void truncatesWhatDoesNotFitWithItsSignature() throws Exception {
        Message query = Node.query("big.example.org", Type.TXT);
        byte[] unsigned = ask(query.toWire());
        assertTrue(unsigned.length <= 512);
        byte[] octets = ask(signed(good(), query));
        Message answer = new Message(octets);
        assertTrue(octets.length <= 512);
        assertEquals("NOERROR NOERROR signed", error(answer));
        assertTrue(answer.getHeader().getFlag(Flags.TC));
        assertEquals(0, answer.getSection(Section.ANSWER).size());
        assertEquals(query.getQuestion(), answer.getQuestion());
        assertEquals(Rcode.NOERROR, good().verify(answer, octets, query.getTSIG()));

        Message larger = Node.edns(Node.query("big.example.org", Type.TXT), 1232, 0);
        Message whole = Node.parsed(ask(signed(good(), larger)));
        assertFalse(whole.getHeader().getFlag(Flags.TC));
        assertEquals(1, whole.getSection(Section.ANSWER).size());
    }

    /// D20: a key that is taken away counts no more
    @Test
    void forgetsAKeyThatIsTakenAway() {
        TsigKey brief = key("brief.example.org", "hmac-sha256");
        node.server.bindTsigKey(brief);
        TSIG tsig = tsig(Node.name("brief.example.org"), SECRET, node.clock.instant());
        Message query = Node.query("ns1.example.org", Type.A);
        assertEquals("NOERROR NOERROR signed", error(Node.parsed(ask(signed(tsig, query)))));
        node.server.unbindTsigKey(brief);
        query = Node.query("ns1.example.org", Type.A);
        assertEquals("NOTAUTH BADKEY unsigned", error(Node.parsed(ask(signed(tsig, query)))));
    }
}
