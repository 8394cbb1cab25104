package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Stops the machine at every step of everything that is done to a zone: the version that was
/// acknowledged last is there afterwards, or the one that was about to be, whole (security row
/// D22).
class ZonePowerLossTest {

    private static final Name ORIGIN = Name.fromConstantString("example.test.");

    /// So short that it is shortened on the way.
    private static final long JOURNAL = 4_000;

    private static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);

    @TempDir Path folder;

    /// What was said and tried before the machine stopped.
    private static final class Memory {
        final List<Zone> versions = new ArrayList<>();
        Optional<Zone> acknowledged = Optional.empty();
        Optional<Zone> tried = Optional.empty();
        boolean withdrawn;
    }

    private interface Act {
        void on(FileZoneStore store) throws IOException;
    }

    @ParameterizedTest
    @EnumSource(LosingDisk.Loss.class)
    void theVersionThatWasAcknowledgedIsThere(LosingDisk.Loss loss) throws Exception {
        boolean stopped = true;
        long last = 0;
        while (stopped) {
            last++;
            Path zones = folder.resolve(loss + "-" + last);
            Files.createDirectories(zones);
            LosingDisk disk = new LosingDisk(zones, last);
            Memory memory = new Memory();
            live(zones, disk, memory);
            stopped = disk.stopped();
            disk.lose(loss);
            check(zones, memory, loss + " at step " + last);
        }
        assertTrue(last > 80, "there were steps to stop at: " + last);
    }

    /// What happens to a zone.
    private static void live(Path zones, LosingDisk disk, Memory memory) {
        MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
        try {
            FileZoneStore store = new FileZoneStore(zones, clock, disk, JOURNAL);
            publish(store, memory, 1);
            change(store, memory, 1, 2);
            change(store, memory, 2, 4);
            clock.advance(Duration.ofMinutes(1));
            act(store, memory, FileZoneStore::writeOut);
            change(store, memory, 4, 5);
            publish(store, memory, 6);
            change(store, memory, 6, 30);
            change(store, memory, 30, 31);
            publish(store, memory, 3);
            change(store, memory, 3, 7);
            act(store, memory, FileZoneStore::close);
            store = new FileZoneStore(zones, clock, disk, JOURNAL);
            change(store, memory, 7, 8);
            store.close();
            store = new FileZoneStore(zones, clock, disk, JOURNAL);
            memory.withdrawn = true;
            change(store, memory, 8, 9);
            store.withdraw(ORIGIN);
            memory.acknowledged = Optional.empty();
        } catch (IOException e) {
            assertTrue(disk.stopped(), () -> "nothing else goes wrong: " + e);
        }
    }

    private static void publish(FileZoneStore store, Memory memory, long serial)
            throws IOException {
        Zone zone = version(serial);
        memory.tried = Optional.of(zone);
        store.publish(zone);
        memory.versions.add(zone);
        memory.acknowledged = memory.tried;
    }

    private static void change(FileZoneStore store, Memory memory, long from, long to)
            throws IOException {
        List<ZoneChange> steps = steps(from, to);
        memory.tried = Optional.of(version(to));
        assertTrue(store.change(steps).isPresent());
        for (long serial = from + 1; serial <= to; serial++) {
            memory.versions.add(version(serial));
        }
        memory.acknowledged = memory.tried;
    }

    private static void act(FileZoneStore store, Memory memory, Act act) throws IOException {
        memory.tried = memory.acknowledged;
        act.on(store);
    }

    private static List<ZoneChange> steps(long from, long to) {
        List<ZoneChange> steps = new ArrayList<>();
        for (long serial = from; serial < to; serial++) {
            steps.add(ZoneChange.between(version(serial), version(serial + 1)));
        }
        return steps;
    }

    private static void check(Path zones, Memory memory, String when) throws IOException {
        FileZoneStore store = new FileZoneStore(zones, CLOCK, new Disk(), JOURNAL);
        Optional<Zone> found = store.find(ORIGIN);
        if (found.isEmpty()) {
            assertTrue(memory.acknowledged.isEmpty() || memory.withdrawn, when + ": it is gone");
            return;
        }
        Set<String> records = records(found.get());
        assertTrue(
                memory.acknowledged.map(zone -> records(zone).equals(records)).orElse(false)
                        || memory.tried.map(zone -> records(zone).equals(records)).orElse(false),
                () -> when + ": " + records);
        for (Zone before : memory.versions) {
            Optional<List<ZoneChange>> steps = store.changes(ORIGIN, before.serial());
            Zone after = PackedZone.of(before);
            for (ZoneChange step : steps.orElse(List.of())) {
                after = after.with(step);
            }
            if (steps.isPresent()) {
                assertEquals(records, records(after), when + ": from " + before.serial());
            }
        }
        assertFalse(Files.exists(zones.resolve("example.test.zone.next")), when);

        // and life goes on
        long serial = found.get().serial();
        assertTrue(store.change(steps(serial, serial + 1)).isPresent(), when);
        store = new FileZoneStore(zones, CLOCK, new Disk(), JOURNAL);
        assertEquals(records(version(serial + 1)), records(store.find(ORIGIN).orElseThrow()), when);
    }

    /// A version whose records follow from its serial.
    private static Zone version(long serial) {
        return MemoryZone.of(
                "example.test.",
                "@ 60 IN SOA ns1 hostmaster "
                        + serial
                        + " 7200 900 1209600 300\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\nserial "
                        + serial
                        + " IN TXT \"the same\"\ns"
                        + serial
                        + " 60 IN A 192.0.2.2\nmany 60 IN A 192.0.2."
                        + serial % 7
                        + "\n");
    }

    private static Set<String> records(Zone zone) {
        Set<String> records = new TreeSet<>();
        zone.all()
                .flatMap(set -> set.rrs(false).stream())
                .map(Record::toString)
                .forEach(records::add);
        return records;
    }
}
