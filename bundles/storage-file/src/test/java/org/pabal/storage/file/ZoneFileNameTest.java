package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.Name;

import java.util.Optional;

class ZoneFileNameTest {

    @ParameterizedTest
    @CsvSource({
        "example.org., example.org.zone",
        "EXAMPLE.org., example.org.zone",
        "., @.zone",
        "root., root.zone",
        "0/25.2.0.192.in-addr.arpa., 0%2F25.2.0.192.in-addr.arpa.zone",
        "a\\.b.example., a%2Eb.example.zone",
        "\\046\\046.example., %2E%2E.example.zone",
        "\\000\\255.example., %00%FF.example.zone",
        "_tcp.a-b., _tcp.a-b.zone"
    })
    void namesAFileForAZone(String origin, String file) {
        Name name = Name.fromConstantString(origin);
        assertEquals(file, ZoneFileName.of(name));
        assertEquals(Optional.of(name), ZoneFileName.origin(file));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ".zone",
                "zone",
                "example.org",
                "example.org.zone.next",
                "example..org.zone",
                ".example.zone",
                "example.org..zone",
                "a b.zone",
                "%2.zone",
                "%.zone",
                "%zz.zone",
                "예.zone",
                "../x.zone",
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.zone"
            })
    void knowsNoZoneForOtherFiles(String file) {
        assertTrue(ZoneFileName.origin(file).isEmpty());
    }
}
