package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Whatever a primary sends: a transfer of the zone or a fault with one line, and nothing else.
/// Security row D23.
class TransferFuzzTest {

    private static final Name ORIGIN = Node.name("example.org");
    private static final Zone ONE = version(1);
    private static final Zone TWO = version(2);
    private static final int ID = 0x1234;

    @TempDir Path corpus;

    @Test
    void takesATransferOrRefusesIt() throws Exception {
        Files.write(corpus.resolve("axfr"), answer(Type.AXFR, ONE));
        Files.write(corpus.resolve("ixfr"), answer(Type.IXFR, ONE, TWO));
        Files.write(corpus.resolve("ixfr-whole"), answer(Type.IXFR, TWO));
        assertTrue(read(answer(Type.IXFR, ONE, TWO), true) instanceof Transfer.Steps);
        assertTrue(read(answer(Type.AXFR, ONE), false) instanceof Transfer.Whole);
        // A third of the time that queries get: who sends these is known.
        Fuzz.run(
                corpus,
                Duration.ofSeconds(Long.getLong("pabal.fuzz.seconds", 20) / 3),
                input -> {
                    attempt(input, true);
                    attempt(input, false);
                });
    }

    private static void attempt(byte[] input, boolean incremental) throws IOException {
        try {
            switch (read(input, incremental)) {
                case Transfer.Current current ->
                        assertTrue(!Serial.follows(current.serial(), ONE.serial()));
                case Transfer.Steps(List<ZoneChange> steps) ->
                        assertTrue(steps.getFirst().from().getSerial() == ONE.serial());
                case Transfer.Whole(List<Record> records, long dropped) -> {
                    assertTrue(records.stream().allMatch(r -> r.getName().subdomain(ORIGIN)));
                    try {
                        new PackedZone(ORIGIN, records);
                    } catch (IllegalArgumentException e) {
                        // cannot be served
                    }
                }
            }
        } catch (TransferFault e) {
            assertTrue(e.getMessage() != null && !e.getMessage().contains("\n"), e.getMessage());
        } catch (EOFException e) {
            // ended inside a message
        }
    }

    private static Transfer read(byte[] octets, boolean incremental) throws IOException {
        InputStream in = new ByteArrayInputStream(octets);
        TransferReader reader =
                new TransferReader(
                        ORIGIN,
                        ID,
                        incremental ? Optional.of(ZoneChange.soa(ONE)) : Optional.empty(),
                        1000,
                        100_000);
        return PrimaryTransfers.read(
                reader,
                () -> DnsFraming.read(in).orElseThrow(EOFException::new),
                Optional.empty(),
                null);
    }

    private static byte[] answer(int type, Zone... versions) throws IOException {
        Message query = Message.newQuery(Record.newRecord(ORIGIN, type, DClass.IN));
        query.getHeader().setID(ID);
        SOARecord ours = ZoneChange.soa(ONE);
        query.addRecord(ours, Section.AUTHORITY);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] message : ScriptedPrimary.serving(versions).answer(query).toList()) {
            DnsFraming.write(out, message);
        }
        return out.toByteArray();
    }

    private static Zone version(long serial) {
        return MemoryZone.of(
                "example.org",
                "@ 3600 SOA ns1 hostmaster "
                        + serial
                        + " 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n"
                        + "mail MX 10 ns1\nhost-"
                        + serial
                        + " TXT version\n*.w AAAA 2001:db8::1\nalias CNAME ns1\n");
    }
}
