package org.pabal.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

class ZoneChecksTest {

    private static final Name ORIGIN = Name.fromConstantString("example.org.");
    private static final String APEX =
            "@ 60 IN SOA ns1 h 1 7200 900 1209600 300\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\n";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    @ NS ns2                          | example.org. NS ns2.example.org.: has no address; expected an A or AAAA record
                    @ NS ns.example.net.              |
                    @ MX 10 mx                        | example.org. MX mx.example.org.: has no address; expected an A or AAAA record
                    @ MX 0 .                          |
                    @ MX 10 m;m AAAA 2001:db8::1      |
                    @ MX 10 m;m CNAME ns1             | example.org. MX m.example.org.: is an alias, and has to be the name of a host itself
                    @ NS n;n CNAME ns1                | example.org. NS n.example.org.: is an alias, and has to be the name of a host itself
                    @ MX 10 m.w;*.w A 192.0.2.1       |
                    @ MX 10 m.w;*.w TXT x             | example.org. MX m.w.example.org.: has no address; expected an A or AAAA record
                    _s._tcp SRV 0 0 1 s               | _s._tcp.example.org. SRV s.example.org.: has no address; expected an A or AAAA record
                    _s._tcp SRV 0 0 1 .               |
                    _s._tcp SRV 0 0 1 s;s CNAME ns1   |
                    c NS ns.c                         | c.example.org. is delegated to ns.c.example.org., which has no glue: expected an A or AAAA record of it here
                    c NS ns.c;ns.c A 192.0.2.1        |
                    c NS ns1;@ MX 10 mx.c             |
                    c NS ns9                          | c.example.org. NS ns9.example.org.: has no address; expected an A or AAAA record
                    d DNAME example.net.;d TXT x      |
                    d DNAME example.net.;a.d TXT x    | a.d.example.org. is below the DNAME of d.example.org. and is never found
                    t A 192.0.2.1;t 30 A 192.0.2.2    | t.example.org. A: its records have different TTLs; all get 30
                    """)
    void warnsOfWhatWillNotWork(String text, String warning) throws IOException {
        List<Record> records = records(APEX + "$TTL 60\n" + text.replace(";", "\n") + "\n");
        ZoneChecks checks = ZoneChecks.of(new PackedZone(ORIGIN, records), records);
        assertEquals(warning == null ? List.of() : List.of(warning), checks.warnings());
        assertEquals(List.of(), checks.errors());
    }

    @Test
    void tellsNoMoreThanItsLimit() throws IOException {
        StringBuilder text = new StringBuilder(APEX);
        for (int i = 0; i < 2_000; i++) {
            text.append("m 60 MX 10 x").append(i).append('\n');
        }
        List<Record> records = records(text.toString());
        ZoneChecks checks = ZoneChecks.of(new PackedZone(ORIGIN, records));
        assertEquals(ZoneChecks.MAX_LINES, checks.warnings().size());
    }

    private static List<Record> records(String text) throws IOException {
        List<Record> records = new ArrayList<>();
        byte[] octets = text.getBytes(StandardCharsets.US_ASCII);
        try (Master master = new Master(new ByteArrayInputStream(octets), ORIGIN)) {
            for (Record r = master.nextRecord(); r != null; r = master.nextRecord()) {
                records.add(r);
            }
        }
        return records;
    }
}
