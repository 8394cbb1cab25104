package org.pabal.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

class PackedZoneTest {

    private static final Name ORIGIN = Name.fromConstantString("example.org.");
    private static final String APEX = "@ 60 IN SOA ns1 h 7 7200 900 1209600 300\n@ 60 IN NS ns1\n";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    @ 60 IN SOA ns1 h 8 7200 900 1209600 300            | expected exactly one SOA
                    a 60 IN SOA ns1 h 7 7200 900 1209600 300            | a.example.org. has an SOA: expected one at example.org. only
                    a.example.net. 60 IN A 192.0.2.1                    | a.example.net. does not belong to it
                    a 60 CH TXT x                                       | a.example.org. TXT: class CH, expected IN
                    a 60 IN CNAME b;a 60 IN A 192.0.2.1                 | a.example.org. has CNAME and other data
                    a 60 IN CNAME b;a 60 IN CNAME c                     | a.example.org. has more than one CNAME
                    @ 60 IN CNAME b                                     | example.org. has CNAME and other data
                    a 60 IN DNAME b;a 60 IN DNAME c                     | a.example.org. has more than one DNAME
                    a 60 IN TYPE10 \\# 1 00                             | a.example.org. NULL: no type for a zone
                    a 60 IN TYPE255 \\# 1 00                            | a.example.org. ANY: no type for a zone
                    $GENERATE 1-4097 a 60 A 10.0.${0,1,d}.1             | a.example.org. A: more than 4096 records
                    """)
    void refusesWhatCannotBeServed(String records, String why) {
        String text = records.replace(";", "\n").replace("10.0.${0,1,d}.1", "10.0.0.1");
        if (records.startsWith("$GENERATE")) {
            StringBuilder many = new StringBuilder();
            for (int i = 0; i < 4_097; i++) {
                many.append("a 60 IN A 10.0.")
                        .append(i / 256)
                        .append('.')
                        .append(i % 256)
                        .append('\n');
            }
            text = many.toString();
        }
        String all = APEX + text + "\n";
        String said = assertThrows(IllegalArgumentException.class, () -> zone(all)).getMessage();
        assertEquals("zone example.org.: " + why, said);
    }

    @Test
    void refusesAZoneWithoutSoaOrNs() {
        assertThrows(IllegalArgumentException.class, () -> zone("a 60 IN A 192.0.2.1\n"));
        assertThrows(
                IllegalArgumentException.class,
                () -> zone("@ 60 IN SOA ns1 h 7 7200 900 1209600 300\n"));
    }

    @Test
    void givesASetItsSmallestTtl() {
        // RFC 2181 §5.2
        RRset set =
                zone(APEX + "a 60 IN A 192.0.2.1\na 30 IN A 192.0.2.2\na 90 IN A 192.0.2.3\n")
                        .records(name("a"), Type.A)
                        .orElseThrow();
        assertTrue(set.rrs().stream().allMatch(record -> record.getTTL() == 30));
        assertEquals(3, set.size());
    }

    @Test
    void countsARecordOnceThatIsThereTwice() {
        assertEquals(3, zone(APEX + "a 60 IN A 192.0.2.1\na 60 IN A 192.0.2.1\n").size());
    }

    @Test
    void keepsSignaturesWithWhatTheySign() {
        String signature =
                "a 60 IN RRSIG A 13 3 60 20270101000000 20260101000000 1 example.org. AAAA\n";
        PackedZone zone =
                zone(APEX + signature + "a 60 IN A 192.0.2.1\nb 60 IN CNAME a\nb 60 IN NSEC c A\n");
        RRset set = zone.records(name("a"), Type.A).orElseThrow();
        assertEquals(1, set.sigs().size());
        assertEquals(1, set.size());
        assertTrue(zone.records(name("a"), Type.RRSIG).isEmpty());
        assertThrows(IllegalArgumentException.class, () -> zone(APEX + signature));
    }

    @Test
    void knowsEmptyNonTerminalsAndWildcardsAsNames() {
        // RFC 4592 §2.2
        PackedZone zone = zone(APEX + "a.b.c 60 IN A 192.0.2.1\n*.w 60 IN A 192.0.2.1\n");
        for (String there : new String[] {"c", "b.c", "a.b.c", "w", "*.w"}) {
            assertTrue(zone.exists(name(there)), there);
        }
        for (String missing : new String[] {"x.b.c", "x.w", "a"}) {
            assertTrue(!zone.exists(name(missing)), missing);
        }
        assertEquals(Type.SOA, zone.all().findFirst().orElseThrow().getType());
    }

    @Test
    void nextVersionHasWhatTheChangeSays() {
        PackedZone before = zone(APEX + "a 60 IN A 192.0.2.1\nb.c 60 IN A 192.0.2.2\n");
        PackedZone wanted =
                zone(
                        APEX.replace(" 7 7200", " 8 7200")
                                + "a 30 IN A 192.0.2.1\na 30 IN TXT x\nd.e 60 IN A 192.0.2.3\n");
        PackedZone after = before.with(ZoneChange.between(before, wanted));
        assertEquals(8, after.serial());
        assertEquals(wanted.size(), after.size());
        assertEquals(List.of(), ZoneChange.between(before, before.with(other(before))).added());
        assertTrue(after.exists(name("e")));
        assertFalse(after.exists(name("c")), "nothing is below it any more");
        assertEquals(30, after.records(name("a"), Type.A).orElseThrow().getTTL());
        assertEquals(7, before.serial());
        assertTrue(before.exists(name("b.c")));
    }

    /// To another serial and nothing else.
    private static ZoneChange other(PackedZone zone) {
        PackedZone other = zone(APEX.replace(" 7 7200", " 6 7200"));
        return new ZoneChange(ZoneChange.soa(zone), ZoneChange.soa(other), List.of(), List.of());
    }

    private static PackedZone zone(String text) {
        List<Record> records = new ArrayList<>();
        try (Master master =
                new Master(new ByteArrayInputStream(text.getBytes(US_ASCII)), ORIGIN)) {
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                records.add(record);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new PackedZone(ORIGIN, records);
    }

    private static Name name(String below) {
        return Name.fromConstantString(below + ".example.org.");
    }
}
