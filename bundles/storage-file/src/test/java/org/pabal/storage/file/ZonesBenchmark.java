package org.pabal.storage.file;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;

/// How long a zone of a million names takes: `mvn -o test -Dtest=ZonesBenchmark`. Its name keeps it
/// out of the ordinary build.
class ZonesBenchmark {

    private static final int NAMES = 1_000_000;

    @TempDir Path zones;

    @Test
    void loadsAndPublishesAMillionNames() throws IOException {
        StringBuilder text =
                new StringBuilder("@ 60 IN SOA ns1 h 7 7200 900 1209600 300\n@ 60 IN NS ns1\n");
        for (int i = 0; i < NAMES; i++) {
            text.append("host").append(i).append(" 60 IN A 192.0.2.").append(i % 256).append('\n');
        }
        Files.writeString(zones.resolve("example.org.zone"), text, StandardCharsets.ISO_8859_1);
        text = new StringBuilder();
        for (int round = 0; round < 3; round++) {
            long begun = System.nanoTime();
            FileZoneStore store = new FileZoneStore(zones, InstantSource.system(), new Disk());
            long loaded = System.nanoTime();
            System.gc();
            long octets = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            long before = System.nanoTime();
            store.publish(store.find(Name.fromConstantString("example.org.")).orElseThrow());
            System.out.printf(
                    "%,d names: loaded in %.1f s, heap %d MB, published in %.1f s%n",
                    NAMES,
                    (loaded - begun) / 1e9,
                    octets / 1_000_000,
                    (System.nanoTime() - before) / 1e9);
        }
    }
}
