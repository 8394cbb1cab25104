package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneStore;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.pabal.testkit.TestConnection;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

import javax.crypto.spec.SecretKeySpec;

/// RFC 2136 §2 and §3, security rows D20 and D22.
///
/// A line of an update is `NAME CLASS TTL TYPE DATA`, with `@` for the zone; prerequisites come
/// before `|`, and both are parted by `;`. A record without data has none.
class UpdateTest {

    private static final byte[] SECRET = "not a secret at all, thirty-two.".getBytes();
    private static final String FILE =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    @ 3600 NS ns2
                    @ 3600 MX 10 mail
                    ns1 3600 A 192.0.2.1
                    ns2 3600 A 192.0.2.2
                    mail 3600 A 192.0.2.3
                    mail 3600 A 192.0.2.4
                    mail 3600 AAAA 2001:db8::3
                    alias 3600 CNAME mail
                    a.b 3600 TXT "below"
                    old 3600 DNAME b
                    """;

    private final Node node = Node.serving("example.org.", FILE);

    UpdateTest() {
        node.server.bindTsigKey(SignedRequestTest.key("admin.example.org", "hmac-sha256"));
        node.server.bindTsigKey(SignedRequestTest.key("dhcp.example.org", "hmac-sha256"));
        node.server.bindTsigKey(SignedRequestTest.key("host.example.org", "hmac-sha256"));
        node.server.bindTsigKey(SignedRequestTest.key("other.example.org", "hmac-sha256"));
        node.server.bindZoneSettings(
                new ZoneSettings(
                        Map.of(
                                "zones",
                                "*",
                                "update",
                                "dhcp.example.org: *.lan.example.org A AAAA TXT, admin.example.org,"
                                        + " host.example.org: self A")));
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static Name name(String text) {
        return Node.name(text.equals("@") ? "example.org" : text + ".example.org");
    }

    private static Record record(String line) throws IOException {
        String[] words = line.strip().split("\\s+", 5);
        int dclass = DClass.value(words[1]);
        int type = Type.value(words[3], true);
        long ttl = Long.parseLong(words[2]);
        Name owner = words[0].endsWith(".") ? Name.fromConstantString(words[0]) : name(words[0]);
        return words.length < 5
                ? Record.newRecord(owner, type, dclass, ttl)
                : Record.newRecord(
                        owner,
                        type,
                        dclass,
                        ttl,
                        Record.fromString(owner, type, DClass.IN, 0, words[4], name("@"))
                                .rdataToWireCanonical());
    }

    private static Update update(String text) throws IOException {
        Update update = new Update(name("@"));
        int bar = text.indexOf('|');
        for (String line : text.substring(0, Math.max(0, bar)).split(";")) {
            if (!line.isBlank()) {
                update.addRecord(record(line), Section.PREREQ);
            }
        }
        for (String line : text.substring(bar + 1).split(";")) {
            if (!line.isBlank()) {
                update.addRecord(record(line), Section.UPDATE);
            }
        }
        return update;
    }

    private String send(Message update, String key) {
        if (!key.isEmpty()) {
            new TSIG(
                            TSIG.HMAC_SHA256,
                            Node.name(key),
                            new SecretKeySpec(SECRET, "HmacSHA256"),
                            Clock.fixed(node.clock.instant(), ZoneOffset.UTC))
                    .apply(update, null);
        }
        Message answer = Node.parsed(node.octets(update.toWire()).orElseThrow());
        assertEquals(Opcode.UPDATE, answer.getHeader().getOpcode());
        assertEquals(0, answer.getSection(Section.PREREQ).size());
        assertEquals(0, answer.getSection(Section.UPDATE).size());
        return Rcode.string(answer.getRcode());
    }

    private String send(String text) throws IOException {
        return send(update(text), "admin.example.org");
    }

    private Zone zone() {
        return node.store.find(name("@")).orElseThrow();
    }

    /// What came and went since a version, sorted: `-mail A 192.0.2.3 +mail A 192.0.2.9`.
    private String difference(Zone before) {
        if (before.serial() == zone().serial()) {
            return "";
        }
        ZoneChange change = ZoneChange.between(before, zone());
        TreeSet<String> lines = new TreeSet<>();
        change.removed().forEach(record -> lines.add("-" + line(record)));
        change.added().forEach(record -> lines.add("+" + line(record)));
        return String.join(" ", lines);
    }

    private static String line(Record record) {
        Name below = record.getName().relativize(name("@"));
        return below
                + (record.getTTL() == 3600 ? "" : " " + record.getTTL())
                + " "
                + Type.string(record.getType())
                + " "
                + record.rdataToString().replace(".example.org.", "").replace("\"", "").strip();
    }

    /// §2.4 and §3.2: each form, met and not met; the update behind it is made or not.
    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            value = {
                // §2.4.1 RRset exists, value independent
                "mail ANY 0 A > NOERROR",
                "mail ANY 0 TXT > NXRRSET",
                "nope ANY 0 A > NXRRSET",
                "@ ANY 0 SOA > NOERROR",
                "alias ANY 0 A > NXRRSET",
                // §2.4.2 RRset exists, value dependent: all of it, in any order, TTLs aside
                "mail IN 0 A 192.0.2.4 ; mail IN 0 A 192.0.2.3 > NOERROR",
                "mail IN 0 A 192.0.2.3 > NXRRSET",
                "mail IN 0 A 192.0.2.3 ; mail IN 0 A 192.0.2.4 ; mail IN 0 A 192.0.2.5 > NXRRSET",
                "mail IN 0 A 192.0.2.3 ; mail IN 0 A 192.0.2.5 > NXRRSET",
                "nope IN 0 A 192.0.2.3 > NXRRSET",
                "MAIL IN 0 AAAA 2001:db8::3 ; alias IN 0 CNAME MAIL > NOERROR",
                "@ IN 0 SOA ns1 hostmaster 1 7200 3600 1209600 300 > NOERROR",
                "@ IN 0 SOA ns1 hostmaster 2 7200 3600 1209600 300 > NXRRSET",
                // §2.4.3 RRset does not exist
                "mail NONE 0 TXT > NOERROR",
                "nope NONE 0 A > NOERROR",
                "mail NONE 0 A > YXRRSET",
                "@ NONE 0 SOA > YXRRSET",
                // §2.4.4 name is in use; an empty non-terminal is not
                "mail ANY 0 ANY > NOERROR",
                "@ ANY 0 ANY > NOERROR",
                "nope ANY 0 ANY > NXDOMAIN",
                "b ANY 0 ANY > NXDOMAIN",
                // §2.4.5 name is not in use
                "nope NONE 0 ANY > NOERROR",
                "b NONE 0 ANY > NOERROR",
                "mail NONE 0 ANY > YXDOMAIN",
                "@ NONE 0 ANY > YXDOMAIN",
                // all of them have to be met
                "mail ANY 0 A ; nope ANY 0 ANY > NXDOMAIN",
                "nope NONE 0 ANY ; mail NONE 0 A > YXRRSET",
                // §3.2.5: TTL, data, class, zone
                "mail ANY 1 A > FORMERR",
                "mail IN 1 A 192.0.2.3 > FORMERR",
                "mail NONE 1 A > FORMERR",
                "mail ANY 0 A 192.0.2.3 > FORMERR",
                "mail NONE 0 A 192.0.2.3 > FORMERR",
                "mail CH 0 A 192.0.2.3 > FORMERR",
                "mail IN 0 A > FORMERR",
                "mail.example.com. ANY 0 A > NOTZONE",
                "mail.example.com. NONE 0 ANY > NOTZONE",
                "mail.example.com. IN 0 A 192.0.2.3 > NOTZONE",
            })
    void asksPrerequisitesFirst(String prerequisites, String rcode) throws IOException {
        Zone before = zone();
        assertEquals(rcode, send(prerequisites + "| new IN 60 A 192.0.2.9"));
        assertEquals(rcode.equals("NOERROR") ? "+new 60 A 192.0.2.9" : "", difference(before));
    }

    /// §2.5 and §3.4
    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            value = {
                // §2.5.1 add
                "new IN 60 A 192.0.2.9 > NOERROR > +new 60 A 192.0.2.9",
                "deep.new IN 0 TXT x > NOERROR > +deep.new 0 TXT x",
                "mail IN 3600 A 192.0.2.9 > NOERROR > +mail A 192.0.2.9",
                "mail IN 3600 A 192.0.2.3 > NOERROR > ''",
                "mail IN 60 AAAA 2001:db8::3 > NOERROR"
                        + " > +mail 60 AAAA 2001:db8:0:0:0:0:0:3 -mail AAAA 2001:db8:0:0:0:0:0:3",
                // RFC 2181 §5.2: the set has one TTL
                "mail IN 60 A 192.0.2.3 > NOERROR > +mail 60 A 192.0.2.3 +mail 60 A 192.0.2.4"
                        + " -mail A 192.0.2.3 -mail A 192.0.2.4",
                "*.wild IN 60 A 192.0.2.9 > NOERROR > +*.wild 60 A 192.0.2.9",
                "new IN 60 TYPE65280 \\# 0 > NOERROR > +new 60 TYPE65280 \\# 0",
                // §3.4.2.2: CNAME and others are not beside one another, the new is ignored
                "mail IN 60 CNAME ns1 > NOERROR > ''",
                "@ IN 60 CNAME ns1 > NOERROR > ''",
                "alias IN 60 A 192.0.2.9 > NOERROR > ''",
                "alias IN 3600 CNAME ns1 > NOERROR > +alias CNAME ns1 -alias CNAME mail",
                "b IN 60 CNAME ns1 > NOERROR > +b 60 CNAME ns1",
                "alias ANY 0 CNAME ; alias IN 60 A 192.0.2.9 > NOERROR"
                        + " > +alias 60 A 192.0.2.9 -alias CNAME mail",
                // RFC 6672: one DNAME
                "old IN 3600 DNAME c > NOERROR > +old DNAME c -old DNAME b",
                // §3.4.2.2: an SOA counts when its serial follows
                "@ IN 3600 SOA ns2 hostmaster 1 7200 3600 1209600 300 > NOERROR > ''",
                "@ IN 3600 SOA ns2 hostmaster 0 7200 3600 1209600 300 > NOERROR > ''",
                "mail IN 3600 SOA ns2 hostmaster 9 7200 3600 1209600 300 > NOERROR > ''",
                // WKS with the same address and protocol replaces
                "w IN 60 WKS 192.0.2.9 6 25 ; w IN 60 WKS 192.0.2.9 6 80 ;"
                        + " w IN 60 WKS 192.0.2.9 17 53 > NOERROR"
                        + " > +w 60 WKS 192.0.2.9 17 53 +w 60 WKS 192.0.2.9 6 80",
                // §2.5.2 delete a set
                "mail ANY 0 A > NOERROR > -mail A 192.0.2.3 -mail A 192.0.2.4",
                "mail ANY 0 TXT > NOERROR > ''",
                "nope ANY 0 A > NOERROR > ''",
                "@ ANY 0 MX > NOERROR > -@ MX 10 mail",
                "@ ANY 0 NS > NOERROR > ''",
                "@ ANY 0 SOA > NOERROR > ''",
                "mail ANY 0 SOA > NOERROR > ''",
                // §2.5.3 delete a name; SOA and NS of the apex stay
                "mail ANY 0 ANY > NOERROR > -mail A 192.0.2.3 -mail A 192.0.2.4"
                        + " -mail AAAA 2001:db8:0:0:0:0:0:3",
                "@ ANY 0 ANY > NOERROR > -@ MX 10 mail",
                "b ANY 0 ANY > NOERROR > ''",
                // §2.5.4 delete a record; the last NS of the apex stays
                "mail NONE 0 A 192.0.2.3 > NOERROR > -mail A 192.0.2.3",
                "mail NONE 0 A 192.0.2.3 ; mail NONE 0 A 192.0.2.4 > NOERROR"
                        + " > -mail A 192.0.2.3 -mail A 192.0.2.4",
                "mail NONE 0 A 192.0.2.9 > NOERROR > ''",
                "alias NONE 0 CNAME MAIL > NOERROR > -alias CNAME mail",
                "@ NONE 0 SOA ns1 hostmaster 1 7200 3600 1209600 300 > NOERROR > ''",
                "@ NONE 0 NS ns1 > NOERROR > -@ NS ns1",
                "@ NONE 0 NS ns1 ; @ NONE 0 NS ns2 > NOERROR > -@ NS ns1",
                "@ NONE 0 NS ns1 ; @ NONE 0 NS ns2 ; @ IN 3600 NS ns3 ; @ NONE 0 NS ns2 > NOERROR"
                        + " > +@ NS ns3 -@ NS ns1 -@ NS ns2",
                // the order counts
                "new IN 60 A 192.0.2.9 ; new ANY 0 ANY > NOERROR > ''",
                "mail ANY 0 A ; mail IN 3600 A 192.0.2.3 > NOERROR > -mail A 192.0.2.4",
                // §3.4.1 prescan: nothing of it is made
                "new IN 60 A 192.0.2.9 ; new.example.com. IN 60 A 192.0.2.9 > NOTZONE > ''",
                "new IN 60 A 192.0.2.9 ; mail.example.com. ANY 0 ANY > NOTZONE > ''",
                "new IN 60 A 192.0.2.9 ; mail IN 60 A > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail IN 60 ANY > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail IN 60 AXFR > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail ANY 60 A > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail ANY 0 A 192.0.2.3 > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail ANY 0 AXFR > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail ANY 0 MAILB > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail NONE 60 A 192.0.2.3 > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail NONE 0 ANY > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail NONE 0 A > FORMERR > ''",
                "new IN 60 A 192.0.2.9 ; mail CH 60 A 192.0.2.3 > FORMERR > ''",
                // what the server makes, it makes itself
                "new IN 60 A 192.0.2.9 ; mail IN 60 NSEC ns1 A > REFUSED > ''",
                "mail ANY 0 RRSIG > REFUSED > ''",
                "@ IN 60 DNSKEY 257 3 13 AAAA > NOERROR > +@ 60 DNSKEY 257 3 13 AAAA",
                "@ IN 60 DNSKEY 257 3 13 AAAA ; @ ANY 0 DNSKEY > REFUSED > ''",
                "new IN 60 A 192.0.2.9 ; new IN 60 TXT x ; * IN 60 OPT \\# 0 > FORMERR > ''",
            })
    void makesAllOrNothing(String changes, String rcode, String difference) throws IOException {
        Zone before = zone();
        assertEquals(rcode, send(changes));
        assertEquals(difference, difference(before));
        assertEquals(before.serial() + (difference.isEmpty() ? 0 : 1), zone().serial());
        Zone after = zone();
        send(changes); // a datagram that was sent twice
        assertEquals("", difference(after));
    }

    /// §3.4.2.2 and RFC 1982: the serial that the client gives counts when it follows
    @Test
    void takesTheSerialOfTheClient() throws IOException {
        assertEquals("NOERROR", send("@ IN 3600 SOA ns2 hostmaster 77 7200 3600 1209600 300"));
        assertEquals(77, zone().serial());
        assertTrue(
                node.store
                        .changes(name("@"), 1)
                        .orElseThrow()
                        .getFirst()
                        .to()
                        .rdataToString()
                        .contains("ns2"));
        assertEquals("NOERROR", send("new IN 60 A 192.0.2.9"));
        assertEquals(78, zone().serial());
        assertEquals(
                "NOERROR",
                send("@ IN 3600 SOA ns2 hostmaster 2147483727 7200 3600 1209600 300"),
                "half the circle away does not follow");
        assertEquals(78, zone().serial());
    }

    /// §3.1: one zone, of type SOA and class IN, that is ours
    @Test
    void wantsAZoneOfOurs() throws IOException {
        Update update = new Update(Node.name("example.com"));
        assertEquals("NOTAUTH", send(update, "admin.example.org"));
        assertEquals("NOTAUTH", send(new Update(name("mail")), "admin.example.org"), "no apex");
        assertEquals("NOTAUTH", send(new Update(name("@"), DClass.CH), "admin.example.org"));
        Update two = new Update(name("@"));
        two.addRecord(Record.newRecord(name("@"), Type.SOA, DClass.IN), Section.ZONE);
        assertEquals("FORMERR", send(two, ""));
        Update other = new Update(name("@"));
        other.removeAllRecords(Section.ZONE);
        other.addRecord(Record.newRecord(name("@"), Type.A, DClass.IN), Section.ZONE);
        assertEquals("FORMERR", send(other, "admin.example.org"));
    }

    /// D20: by key, name and type, and nobody else
    @ParameterizedTest
    @CsvSource({
        "'', new IN 60 A 192.0.2.9, REFUSED",
        "other.example.org, new IN 60 A 192.0.2.9, REFUSED",
        "other.example.org, '', REFUSED",
        "admin.example.org, new IN 60 A 192.0.2.9, NOERROR",
        "dhcp.example.org, pc.lan IN 60 A 192.0.2.9, NOERROR",
        "dhcp.example.org, x.pc.LAN IN 60 TXT x, NOERROR",
        "dhcp.example.org, lan IN 60 A 192.0.2.9, REFUSED",
        "dhcp.example.org, pc.lan IN 60 MX 10 mail, REFUSED",
        "dhcp.example.org, new IN 60 A 192.0.2.9, REFUSED",
        "dhcp.example.org, mail ANY 0 ANY, REFUSED",
        "dhcp.example.org, mail ANY 0 A, REFUSED",
        "dhcp.example.org, mail NONE 0 A 192.0.2.3, REFUSED",
        "dhcp.example.org, pc.lan IN 60 A 192.0.2.9; mail ANY 0 A, REFUSED",
        "dhcp.example.org, @ IN 3600 SOA ns2 hostmaster 9 7200 3600 1209600 300, REFUSED",
        "host.example.org, host IN 60 A 192.0.2.9, NOERROR",
        "host.example.org, host IN 60 AAAA 2001:db8::9, REFUSED",
        "host.example.org, x.host IN 60 A 192.0.2.9, REFUSED",
    })
    void asksThePolicy(String key, String changes, String rcode) throws IOException {
        Zone before = zone();
        assertEquals(rcode, send(update(changes), key));
        assertEquals(rcode.equals("REFUSED") ? 1 : 2, zone().serial());
        assertEquals(rcode.equals("REFUSED"), before == zone());
    }

    /// Who deletes a name needs the right for all that goes with it
    @Test
    void deletesANameWithRightsForAllOfIt() throws IOException {
        send("pc.lan IN 60 A 192.0.2.9 ; pc.lan IN 60 MX 10 mail");
        assertEquals("REFUSED", send(update("pc.lan ANY 0 ANY"), "dhcp.example.org"));
        send("pc.lan ANY 0 MX");
        assertEquals("NOERROR", send(update("pc.lan ANY 0 ANY"), "dhcp.example.org"));
        assertEquals(List.of(), zone().at(name("pc.lan")).toList());
    }

    /// A stranger learns nothing of the zone by prerequisites
    @Test
    void refusesAStrangerBeforeItsPrerequisites() throws IOException {
        assertEquals("REFUSED", send(update("nope ANY 0 ANY |"), "other.example.org"));
        assertEquals("REFUSED", send(update("mail ANY 0 ANY |"), ""));
        assertEquals("NXDOMAIN", send(update("nope ANY 0 ANY |"), "dhcp.example.org"));
    }

    /// Every version is a step of its own, and the answers are from the newest
    @Test
    void isServedAndRemembered() throws IOException {
        node.store.publish(MemoryZone.of("example.org.", FILE.replace("master 1 ", "master 5 ")));
        assertEquals("NOERROR", send("new IN 60 A 192.0.2.9"));
        assertEquals(
                "NOERROR aa\nnew.example.org. 60 A 192.0.2.9", node.ask("new.example.org", Type.A));
        ZoneChange step = node.store.changes(name("@"), 5).orElseThrow().getFirst();
        assertEquals(List.of(), step.removed());
        assertEquals(6, step.to().getSerial());
    }

    /// D22: nothing is said to be made that is not on disk
    @Test
    void saysServfailWhenItCannotBeKept() throws Exception {
        ZoneStore full =
                (ZoneStore)
                        Proxy.newProxyInstance(
                                ZoneStore.class.getClassLoader(),
                                new Class<?>[] {ZoneStore.class},
                                (proxy, method, arguments) -> {
                                    if (method.getName().equals("change")) {
                                        throw new IOException("no space left on device");
                                    }
                                    return method.invoke(node.store, arguments);
                                });
        AuthoritativeServer server =
                new AuthoritativeServer(full, new MemoryZoneKeyStore(), node.clock, Map.of());
        server.bindTsigKey(SignedRequestTest.key("admin.example.org", "hmac-sha256"));
        server.bindZoneSettings(
                new ZoneSettings(Map.of("zones", "*", "update", "admin.example.org")));
        Update update = update("new IN 60 A 192.0.2.9");
        new TSIG(
                        TSIG.HMAC_SHA256,
                        Node.name("admin.example.org"),
                        new SecretKeySpec(SECRET, "HmacSHA256"),
                        Clock.fixed(node.clock.instant(), ZoneOffset.UTC))
                .apply(update, null);
        TestDatagram datagram = new TestDatagram(update.toWire());
        server.received(datagram);
        Message answer = Node.parsed(datagram.sent(Duration.ofSeconds(30)).orElseThrow());
        assertEquals(Rcode.SERVFAIL, answer.getRcode());
        assertTrue(answer.getTSIG().getSignature().length == 32);
        try (TestConnection connection = new TestConnection()) {
            DnsFraming.write(connection.toServer(), update.toWire());
            connection.drain();
            server.converse(connection);
            connection.output().flush();
            answer = Node.parsed(DnsFraming.read(connection.fromServer()).orElseThrow());
            assertEquals(Rcode.SERVFAIL, answer.getRcode());
            assertTrue(answer.getTSIG().getSignature().length == 32);
        }
        assertEquals(1, zone().serial());
        server.stop();
    }
}
