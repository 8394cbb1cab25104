package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.pabal.dns.PackedZone;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.nio.file.Path;
import java.util.List;

class ZoneFuzzTest {

    @Test
    void readsAnyTextOrRefusesIt() throws Exception {
        Name origin = Name.fromString("example.org.");
        Fuzz.run(
                Path.of("src/test/resources/fuzz/zone"),
                input -> {
                    PackedZone zone;
                    try {
                        List<Record> records = ZoneText.read(origin, input, "fuzz", 10_000);
                        zone = new PackedZone(origin, records);
                    } catch (IllegalArgumentException refused) {
                        return;
                    }
                    // D17: what we take we can write, and read back whole
                    PackedZone again =
                            new PackedZone(
                                    origin, ZoneText.read(origin, ZoneText.write(zone), "again"));
                    assertEquals(zone.size(), again.size());
                });
    }
}
