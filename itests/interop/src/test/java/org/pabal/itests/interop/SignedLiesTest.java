package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.itests.interop.LyingServers.honest;
import static org.pabal.itests.interop.LyingServers.name;
import static org.pabal.itests.interop.LyingServers.reply;
import static org.pabal.itests.interop.LyingServers.text;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Servers of signed zones that lie, or that have us calculate: rows D8 and D11.
@Timeout(120)
class SignedLiesTest {

    private static final long TTL = 300;
    private static final int UNKNOWN_ALGORITHM = 200;

    @TempDir static Path scratch;

    private static LyingServers servers;
    private static InetSocketAddress resolver;
    private static Signer trap;
    private static Signer zone;

    /// A zone with one key.
    private record Signer(Name origin, KeyPair pair, DNSKEYRecord key) {

        static Signer of(String origin, String kind, int size, int algorithm)
                throws GeneralSecurityException, DNSSEC.DNSSECException {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(kind);
            generator.initialize(size);
            KeyPair pair = generator.generateKeyPair();
            Name name = name(origin);
            return new Signer(
                    name,
                    pair,
                    new DNSKEYRecord(
                            name,
                            DClass.IN,
                            TTL,
                            DNSKEYRecord.Flags.ZONE_KEY | DNSKEYRecord.Flags.SEP_KEY,
                            DNSKEYRecord.Protocol.DNSSEC,
                            algorithm,
                            pair.getPublic()));
        }

        RRSIGRecord sign(Record... records) {
            try {
                Instant now = Instant.now();
                return DNSSEC.sign(
                        new RRset(records),
                        key,
                        pair.getPrivate(),
                        now.minus(Duration.ofHours(1)),
                        now.plus(Duration.ofDays(1)));
            } catch (DNSSEC.DNSSECException e) {
                throw new AssertionError(e);
            }
        }
    }

    @BeforeAll
    static void start() throws Exception {
        trap = Signer.of("d8", "RSA", 2048, DNSSEC.Algorithm.RSASHA256);
        zone = Signer.of("d11", "EC", 256, DNSSEC.Algorithm.ECDSAP256SHA256);
        servers = new LyingServers(scratch, trap.key() + "\n" + zone.key() + "\n");
        resolver = servers.node.address("resolver");
    }

    @AfterAll
    static void stop() throws Exception {
        servers.close();
    }

    /// Row D8, KeyTrap (CVE-2023-50387): sixty keys of one tag, and sixty signatures by any of
    /// them.
    @Test
    void keysOfOneTagAndManySignaturesCostLittle() throws Exception {
        List<DNSKEYRecord> keys = keysOfOneTag(60);
        Record[] all = keys.toArray(Record[]::new);
        RRSIGRecord keySignature = trap.sign(all);
        Random random = new Random(8);
        servers.zone(
                "d8",
                (octets, stream) -> {
                    Message query = new Message(octets);
                    Message answer = reply(query);
                    answer.getHeader().setFlag(Flags.AA);
                    if (!stream) {
                        answer.getHeader().setFlag(Flags.TC);
                        return List.of(answer.toWire());
                    }
                    if (query.getQuestion().getType() == Type.DNSKEY) {
                        for (Record key : all) {
                            answer.addRecord(key, Section.ANSWER);
                        }
                        answer.addRecord(keySignature, Section.ANSWER);
                    } else if (query.getQuestion().getType() == Type.A) {
                        Record address = address(query.getQuestion().getName(), "203.0.113.66");
                        answer.addRecord(address, Section.ANSWER);
                        RRSIGRecord signature = trap.sign(address);
                        for (int i = 0; i < 60; i++) {
                            byte[] any = new byte[256];
                            random.nextBytes(any);
                            any[0] = 0;
                            answer.addRecord(
                                    copy(
                                            signature,
                                            signature.getName(),
                                            signature.getAlgorithm(),
                                            signature.getLabels(),
                                            any),
                                    Section.ANSWER);
                        }
                    } else {
                        answer = honest(query, "d8", "203.0.113.66");
                    }
                    return List.of(answer.toWire());
                });
        Duration before = cpu();
        assertEquals(Rcode.SERVFAIL, ask("www.d8").getRcode());
        Duration spent = cpu().minus(before);
        System.out.println("a question with 3,600 signatures to check took " + spent);
        assertTrue(spent.toMillis() < 3_000, "spent " + spent);
    }

    /// Row D11.
    @Test
    void aSignatureProvesOnlyTheNameThatItWasMadeFor() throws Exception {
        servers.zone(
                "d11",
                query -> {
                    Record question = query.getQuestion();
                    Name name = question.getName();
                    Message answer = reply(query);
                    answer.getHeader().setFlag(Flags.AA);
                    if (question.getType() == Type.DNSKEY) {
                        answer.addRecord(zone.key(), Section.ANSWER);
                        answer.addRecord(zone.sign(zone.key()), Section.ANSWER);
                        return Optional.of(answer);
                    }
                    if (question.getType() != Type.A) {
                        return Optional.of(honest(query, "d11", "192.0.2.11"));
                    }
                    Record address = address(name, "192.0.2.11");
                    RRSIGRecord right = zone.sign(address(LyingServers.lower(name), "192.0.2.11"));
                    answer.addRecord(address, Section.ANSWER);
                    answer.addRecord(
                            switch (text(name).substring(0, 4)) {
                                // the wildcard's, without a proof that there is no such name
                                case "wild" -> {
                                    RRSIGRecord wildcard =
                                            zone.sign(address(name("*.d11"), "192.0.2.11"));
                                    yield copy(
                                            wildcard,
                                            name,
                                            wildcard.getAlgorithm(),
                                            wildcard.getLabels(),
                                            wildcard.getSignature());
                                }
                                case "many" ->
                                        copy(
                                                right,
                                                name,
                                                right.getAlgorithm(),
                                                right.getLabels() + 3,
                                                right.getSignature());
                                case "none" ->
                                        copy(
                                                right,
                                                name,
                                                right.getAlgorithm(),
                                                0,
                                                right.getSignature());
                                case "algo" ->
                                        copy(
                                                right,
                                                name,
                                                UNKNOWN_ALGORITHM,
                                                right.getLabels(),
                                                right.getSignature());
                                default -> right;
                            },
                            Section.ANSWER);
                    return Optional.of(answer);
                });
        Message secure = ask("good.d11");
        assertEquals(List.of("192.0.2.11"), Hierarchy.addresses(secure));
        assertTrue(secure.getHeader().getFlag(Flags.AD), secure::toString);
        for (String lie : List.of("wild.d11", "many.d11", "none.d11", "algo.d11")) {
            Message bogus = ask(lie);
            assertEquals(Rcode.SERVFAIL, bogus.getRcode(), bogus::toString);
            assertFalse(bogus.getHeader().getFlag(Flags.AD), bogus::toString);
            assertEquals(Rcode.SERVFAIL, ask(lie).getRcode(), "the second time");
        }
    }

    private static Record address(Name name, String address) {
        return new ARecord(name, DClass.IN, TTL, InetAddress.ofLiteral(address));
    }

    private static RRSIGRecord copy(
            RRSIGRecord from, Name name, int algorithm, int labels, byte[] signature) {
        RRSIGRecord copy =
                new RRSIGRecord(
                        name,
                        DClass.IN,
                        TTL,
                        from.getTypeCovered(),
                        algorithm,
                        from.getOrigTTL(),
                        from.getExpire(),
                        from.getTimeSigned(),
                        from.getFootprint(),
                        from.getSigner(),
                        signature);
        if (labels == copy.getLabels()) {
            return copy;
        }
        // The number of labels is an octet of the wire, and not to be set otherwise.
        byte[] rdata = copy.rdataToWireCanonical();
        rdata[3] = (byte) labels;
        return (RRSIGRecord)
                Record.newRecord(name, Type.RRSIG, DClass.IN, TTL, rdata.length, rdata);
    }

    /// Our key, and others with the same tag that are slow to use: their exponents are long.
    private static List<DNSKEYRecord> keysOfOneTag(int count) throws Exception {
        Random random = new Random(1);
        List<DNSKEYRecord> keys = new ArrayList<>(List.of(trap.key()));
        while (keys.size() < count) {
            BigInteger modulus = new BigInteger(2048, random).setBit(2047).setBit(0);
            BigInteger exponent = new BigInteger(2000, random).setBit(1999).setBit(0);
            ByteBuffer rdata = ByteBuffer.allocate(3 + 250 + 256);
            rdata.put((byte) 0).putShort((short) 250).put(octets(exponent, 250));
            rdata.put(octets(modulus, 256));
            for (int last = 1; last < 0x10000; last += 2) {
                rdata.putShort(rdata.capacity() - 3, (short) last);
                DNSKEYRecord key =
                        new DNSKEYRecord(
                                trap.origin(),
                                DClass.IN,
                                TTL,
                                DNSKEYRecord.Flags.ZONE_KEY,
                                DNSKEYRecord.Protocol.DNSSEC,
                                DNSSEC.Algorithm.RSASHA256,
                                rdata.array().clone());
                if (key.getFootprint() == trap.key().getFootprint()) {
                    keys.add(key);
                    break;
                }
            }
        }
        return keys;
    }

    private static byte[] octets(BigInteger number, int size) {
        byte[] octets = new byte[size];
        byte[] signed = number.toByteArray();
        int length = Math.min(size, signed.length);
        System.arraycopy(signed, signed.length - length, octets, size - length, length);
        return octets;
    }

    private static Duration cpu() {
        return servers.node.handle().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private static Message ask(String name) throws Exception {
        SimpleResolver client = new SimpleResolver(resolver);
        client.setTimeout(Duration.ofSeconds(20));
        client.setTCP(true);
        Message query = Message.newQuery(Record.newRecord(name(name), Type.A, DClass.IN));
        query.addRecord(new OPTRecord(1232, 0, 0, DNSSEC_OK), Section.ADDITIONAL);
        return client.send(query);
    }

    /// RFC 3225 §3.
    private static final int DNSSEC_OK = 0x8000;
}
