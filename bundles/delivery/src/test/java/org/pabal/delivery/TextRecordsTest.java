package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Resolution;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

class TextRecordsTest {

    // RFC 8461 §3.1
    @ParameterizedTest
    @CsvSource({
        "v=STSv1; id=20160831085700Z;, 20160831085700Z",
        "v=STSv1;id=1, 1",
        "'v=STSv1 ; id=1 ; new=thing ;', 1",
        "'v=STSv1; new=thing; id=1; id=2', 1",
    })
    void idIsRead(String text, String id) {
        assertEquals(Optional.of(id), records(text).stsId());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "v=STSv1",
                "v=STSv1;",
                "v=STSv1; id=",
                "v=STSv1; id=a-b",
                "v=STSv1; id=123456789012345678901234567890123",
                "v=STSv1; id=1; ;",
                "v=STSv1; id=1; what is this",
                "V=STSv1; id=1",
                "v=STSv10; id=1",
                " v=STSv1; id=1",
                "v=spf1 -all",
            })
    void recordWithoutGoodIdIsNone(String text) {
        assertEquals(Optional.empty(), records(text).stsId());
    }

    @Test
    void twoRecordsAreNoneAndOthersDoNotCount() {
        assertEquals(Optional.empty(), records("v=STSv1; id=1", "v=STSv1; id=1").stsId());
        assertEquals(Optional.of("1"), records("v=STSv1; id=1", "v=spf1 -all").stsId());
    }

    // RFC 8460 §3
    @Test
    void reportsGoWhereTheRecordSays() {
        assertEquals(
                List.of("mailto:reports@example.com", "https://reports.example.com/v1/tlsrpt"),
                records(
                                "v=TLSRPTv1; rua=mailto:reports@example.com ,"
                                        + " https://reports.example.com/v1/tlsrpt")
                        .reportUris());
        assertEquals(List.of(), records("v=TLSRPTv1").reportUris());
        assertEquals(List.of(), records("v=TLSRPTv2; rua=mailto:a@example.com").reportUris());
    }

    @Test
    void stringsOfARecordAreJoinedAndAliasesFollowed() throws Exception {
        Resolution answer =
                new CannedResolver(
                                """
                                _mta-sts.example.org. 60 IN CNAME sts.example.net.
                                sts.example.net. 300 IN TXT "v=STSv1; i" "d=77;"
                                """)
                        .resolve(Name.fromString("_mta-sts.example.org."), Type.TXT);
        TextRecords records = TextRecords.of(((Resolution.Found) answer).records());
        assertEquals(Optional.of("77"), records.stsId());
        assertEquals(Duration.ofSeconds(60), records.ttl());
    }

    @Test
    void anyTextIsReadOrPassedOver() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/text-record"),
                input -> {
                    TextRecords records = records(new String(input, StandardCharsets.ISO_8859_1));
                    records.stsId().ifPresent(id -> assertTrue(id.matches("\\w{1,32}"), id));
                    for (String uri : records.reportUris()) {
                        assertTrue(uri.chars().noneMatch(c -> c == ',' || c == '\n'), uri);
                    }
                });
    }

    private static TextRecords records(String... texts) {
        return new TextRecords(List.of(texts), Duration.ofMinutes(5));
    }
}
