package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.KEYRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SIG0;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/// Updates that are signed with SIG(0), RFC 2931; security rows D20 and D21.
class KeyRecordsTest {

    private static final Name ORIGIN = Node.name("example.org");
    private static final Name HOST = Node.name("host.example.org");
    private static final int ECDSAP256SHA256 = 13;

    private final KeyPair pair = pair();
    private final Node node = Node.serving();

    KeyRecordsTest() throws Exception {
        String zone =
                Node.SOA
                        + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\nhost 3600 "
                        + "KEY "
                        + key(HOST, pair).rdataToString()
                        + "\nother 3600 KEY "
                        + key(Node.name("other.example.org"), pair).rdataToString()
                        + "\n";
        node.store.publish(MemoryZone.of("example.org.", zone));
        node.server.bindZoneSettings(
                new ZoneSettings(
                        Map.of(
                                "zones",
                                "example.org",
                                "update",
                                "sig0 host.example.org: self A KEY, other.example.org")));
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static KeyPair pair() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static KEYRecord key(Name name, KeyPair pair) throws Exception {
        return new KEYRecord(name, DClass.IN, 3600, 512, 3, ECDSAP256SHA256, pair.getPublic());
    }

    private static Update update(String address) throws Exception {
        Update update = new Update(ORIGIN);
        update.add(HOST, Type.A, 60, address);
        return update;
    }

    private Update signed(Update update, KeyPair with, Name name, Instant at) throws Exception {
        SIG0.signMessage(update, key(name, with), with.getPrivate(), null, at);
        return update;
    }

    private String send(Message update) {
        return send(update.toWire());
    }

    private String send(byte[] octets) {
        return Rcode.string(Node.parsed(node.octets(octets).orElseThrow()).getRcode());
    }

    @Test
    void takesAnUpdateThatAKeyOfTheZoneSigned() throws Exception {
        assertEquals(
                "NOERROR", send(signed(update("192.0.2.7"), pair, HOST, node.clock.instant())));
        assertEquals(
                "NOERROR aa\nhost.example.org. 60 A 192.0.2.7",
                node.ask("host.example.org", Type.A));
    }

    @Test
    void refusesWhatIsNotSignedWell() throws Exception {
        Instant now = node.clock.instant();
        assertEquals("REFUSED", send(update("192.0.2.7")));
        assertEquals("REFUSED", send(signed(update("192.0.2.7"), pair(), HOST, now)), "other key");
        // a grant for a TSIG key is none for a KEY record of that name
        Name other = Node.name("other.example.org");
        assertEquals("REFUSED", send(signed(update("192.0.2.7"), pair, other, now)));
        byte[] bent = signed(update("192.0.2.7"), pair, HOST, now).toWire();
        bent[3] ^= 0x10;
        assertEquals("REFUSED", send(bent));
        Update policy = new Update(ORIGIN);
        policy.add(HOST, Type.TXT, 60, "x");
        assertEquals("REFUSED", send(signed(policy, pair, HOST, now)), "a type that it may not");
        assertEquals(1, node.store.find(ORIGIN).orElseThrow().serial());
    }

    /// What stands behind the signature is not signed
    @Test
    void takesASignatureAsTheLastRecordOnly() throws Exception {
        Update update = signed(update("192.0.2.7"), pair, HOST, node.clock.instant());
        Message behind = update.clone();
        Node.edns(behind, 1232, 0);
        assertEquals("REFUSED", send(behind));
        Message twice = update.clone();
        Record signature = update.getSection(Section.ADDITIONAL).getLast();
        twice.addRecord(signature, Section.ADDITIONAL);
        assertEquals("REFUSED", send(twice));
    }

    @ParameterizedTest
    @CsvSource({"0, NOERROR", "299, NOERROR", "301, REFUSED", "-1, REFUSED", "86400, REFUSED"})
    void takesASignatureInItsTimeOnly(long seconds, String rcode) throws Exception {
        Update update = signed(update("192.0.2.7"), pair, HOST, node.clock.instant());
        node.clock.advance(Duration.ofSeconds(seconds));
        assertEquals(rcode, send(update));
    }
}
