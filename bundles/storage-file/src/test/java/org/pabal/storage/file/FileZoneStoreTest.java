package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.ZoneStoreContract;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

class FileZoneStoreTest implements ZoneStoreContract {

    private static final String SMALL =
            "@ 60 IN SOA ns1 hostmaster 7 7200 900 1209600 300\n@ 60 IN NS ns1\n";

    @TempDir Path node;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
    private final List<String> news = new ArrayList<>();

    @Override
    public ZoneStore store(ZoneObserver observer) throws IOException {
        FileZoneStore store = new FileZoneStore(node.resolve("zones"), clock, new Disk());
        store.observe(() -> observer);
        return store;
    }

    @Override
    public Optional<ZoneStore> reopened() throws IOException {
        return Optional.of(store());
    }

    @Test
    void readsTheZonesThatAreThere() throws IOException {
        write("example.test.zone", RECORDS, -60);
        write("@.zone", SMALL + "org. IN NS ns.org.\nns.org. IN A 192.0.2.1\n", -60);
        write("0%2F25.2.0.192.in-addr.arpa.zone", SMALL, -60);
        write("remarks.txt", "no zone", -60);
        write("no zone.zone", SMALL, -60);
        FileZoneStore store = store();
        assertEquals(
                List.of(".", "0/25.2.0.192.in-addr.arpa.", "example.test."),
                store.zones().map(z -> z.origin().toString()).toList());
        assertEquals(1, store.find(ORIGIN).orElseThrow().serial());
        assertTrue(store.find(Name.root).orElseThrow().exists(Name.fromString("org.")));
    }

    @Test
    void readsAFileAgainThatHasChanged() throws IOException {
        write("example.test.zone", SMALL, -60);
        FileZoneStore store = store();
        write("example.test.zone", SMALL.replace(" 7 ", " 8 "), -30);
        store.scan();
        assertEquals(8, store.find(ORIGIN).orElseThrow().serial());
        store.scan();
        assertEquals(List.of("example.test. 8"), news);
    }

    @Test
    void waitsUntilAFileIsWrittenToItsEnd() throws IOException {
        FileZoneStore store = store();
        write("example.test.zone", SMALL, 0);
        store.scan();
        assertTrue(store.find(ORIGIN).isEmpty());
        write("example.test.zone", SMALL + "www 60 IN A 192.0.2.1\n", 1);
        store.scan();
        assertTrue(store.find(ORIGIN).isEmpty());
        store.scan();
        assertTrue(store.find(ORIGIN).orElseThrow().exists(Name.fromString("www.example.test.")));
    }

    @Test
    void keepsTheVersionBeforeWhenAFileIsBroken() throws IOException {
        write("a.test.zone", SMALL, -60);
        write("b.test.zone", SMALL, -60);
        write("c.test.zone", SMALL + "www 60 IN CNAME ns1\nwww 60 IN A 192.0.2.1\n", -60);
        FileZoneStore store = store();
        assertEquals(2, store.zones().count());
        write("a.test.zone", SMALL.replace(" 7 ", " 8 ") + "www 60 IN A 192.0.2.300\n", -30);
        write("b.test.zone", SMALL.replace(" 7 ", " 9 "), -30);
        write("c.test.zone", SMALL, -30);
        store.scan();
        store.scan();
        assertEquals(List.of("a.test. 7", "b.test. 9", "c.test. 7"), serials(store));
        write("a.test.zone", SMALL.replace(" 7 ", " 9 "), -20);
        store.scan();
        assertEquals(List.of("a.test. 9", "b.test. 9", "c.test. 7"), serials(store));
    }

    @Test
    void servesAZoneNoMoreWhoseFileStaysAway() throws IOException {
        write("example.test.zone", SMALL, -60);
        FileZoneStore store = store();
        Files.move(file("example.test.zone"), file("example.test.zone.bak"));
        store.scan();
        assertTrue(store.find(ORIGIN).isPresent(), "an editor may be renaming it");
        store.scan();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertEquals(List.of("example.test. gone"), news);
        Files.move(file("example.test.zone.bak"), file("example.test.zone"));
        store.scan();
        assertTrue(store.find(ORIGIN).isPresent());
    }

    @Test
    void writesFilesThatAPersonCanRead() throws IOException {
        FileZoneStore store = store();
        store.publish(
                MemoryZone.of(
                        "Example.TEST.",
                        SMALL + "www 300 IN A 192.0.2.1\n_25._tcp 60 IN TLSA 3 1 1 00ff\n"));
        List<String> lines = Files.readAllLines(file("example.test.zone"));
        assertEquals(
                List.of(
                        "$ORIGIN Example.TEST.",
                        "@ 60 IN SOA ns1.Example.TEST. hostmaster.Example.TEST. 7 7200 900 1209600"
                                + " 300",
                        "@ 60 IN NS ns1.Example.TEST.",
                        "_25._tcp 60 IN TLSA 3 1 1 00FF",
                        "www 300 IN A 192.0.2.1"),
                lines.stream().filter(line -> !line.startsWith(";")).toList());
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(file("example.test.zone"))));
        assertEquals(
                "rwx------",
                PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(node.resolve("zones"))));
        store.scan();
        store.scan();
        assertEquals(List.of("Example.TEST. 7"), news, "what we wrote ourselves is no news");
    }

    @Test
    void keepsWhatAPersonWroteBesideWhatItWrites() throws IOException {
        write("example.test.zone", "; mine\n" + SMALL, -60);
        FileZoneStore store = store();
        store.publish(zone(8));
        assertTrue(Files.readString(file("example.test.zone.before")).startsWith("; mine\n"));
        store.publish(zone(9));
        assertTrue(Files.readString(file("example.test.zone.before")).startsWith("; mine\n"));
        assertEquals(List.of("example.test. 9"), serials(store()));
    }

    @Test
    void keepsWithdrawnZonesUnderAnotherName() throws IOException {
        FileZoneStore store = store();
        for (int serial = 1; serial <= 2; serial++) {
            store.publish(zone(serial));
            store.withdraw(ORIGIN);
            assertTrue(Files.exists(file("example.test.zone.withdrawn-" + serial)));
        }
        store.scan();
        assertEquals(0, store.zones().count());
    }

    @Test
    void keepsTheVersionBeforeWhenTheDiskIsFull() throws IOException {
        store().publish(zone(7));
        BreakingDisk disk = new BreakingDisk();
        FileZoneStore full = new FileZoneStore(node.resolve("zones"), clock, disk);
        disk.full = true;
        assertThrows(IOException.class, () -> full.publish(zone(8)));
        assertEquals(List.of("example.test. 7"), serials(full));
    }

    @Test
    void tellsTheOthersWhenAnObserverFails() throws IOException {
        FileZoneStore store = new FileZoneStore(node.resolve("zones"), clock, new Disk());
        store.observe(
                () ->
                        new ZoneObserver() {
                            @Override
                            public void published(Zone current) {
                                throw new IllegalStateException("broken on purpose");
                            }

                            @Override
                            public void withdrawn(Name origin) {}
                        });
        Listener listener = new Listener();
        store.observe(() -> listener);
        store.publish(zone(1));
        store.ignore(listener);
        store.publish(zone(2));
        assertEquals(List.of("example.test. 1"), news);
        assertNull(store.observe(() -> null));
    }

    @Test
    void takesTheFirstOfTwoFilesForOneZone() throws IOException {
        write("example.test.zone", SMALL, -60);
        FileZoneStore store = store();
        write("Example.test.zone", SMALL.replace(" 7 ", " 8 "), -60);
        store.scan();
        assertEquals(List.of("example.test. 7"), serials(store));
    }

    @Test
    void keepsNoNameOutsideItsDirectory() throws Exception {
        // S13
        FileZoneStore store = store();
        store.publish(
                MemoryZone.of(
                        "..\\047..\\047etc\\000.test.".replace("..\\047", "\\046\\046\\047"),
                        SMALL));
        try (Stream<Path> files = Files.list(node.resolve("zones"))) {
            assertEquals(
                    List.of("%2E%2E%2F%2E%2E%2Fetc%00.test.zone"),
                    files.map(f -> f.getFileName().toString()).toList());
        }
        assertEquals(1, store().zones().count());
        String label = "\\001".repeat(60);
        assertThrows(
                IllegalArgumentException.class,
                () -> store.publish(MemoryZone.of(label + "." + label + ".", SMALL)));
    }

    @Test
    void stopsItsPoll() throws IOException {
        ZonePoll poll = new ZonePoll(store());
        poll.close();
        assertFalse(
                Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().equals("zone-poll")));
    }

    @Test
    void loadsLargeZonesInOnePass() throws IOException {
        StringBuilder text = new StringBuilder(SMALL);
        for (int i = 0; i < 50_000; i++) {
            text.append("h").append(i).append(".a.b.c 60 IN A 192.0.2.1\n");
        }
        text.append("$GENERATE 1-50000 g$ 60 A 192.0.2.2\n");
        write("example.test.zone", text.toString(), -60);
        Zone zone = store().find(ORIGIN).orElseThrow();
        assertEquals(100_002, ((PackedZone) zone).size());
        assertTrue(zone.exists(Name.fromString("a.b.c.example.test.")));
        assertTrue(zone.records(Name.fromString("g777.example.test."), Type.A).isPresent());
    }

    private FileZoneStore store() throws IOException {
        return (FileZoneStore) store(new Listener());
    }

    private final class Listener implements ZoneObserver {
        @Override
        public void published(Zone current) {
            news.add(current.origin() + " " + current.serial());
        }

        @Override
        public void withdrawn(Name origin) {
            news.add(origin + " gone");
        }
    }

    private static MemoryZone zone(int serial) {
        return MemoryZone.of("example.test.", SMALL.replace(" 7 ", " " + serial + " "));
    }

    private static List<String> serials(ZoneStore store) {
        return store.zones().map(z -> z.origin() + " " + z.serial()).toList();
    }

    private Path file(String name) {
        return node.resolve("zones").resolve(name);
    }

    /// @param seconds when it was written last, from now: before, nobody is still writing it
    private void write(String name, String text, int seconds) throws IOException {
        Files.createDirectories(node.resolve("zones"));
        Files.writeString(file(name), text);
        Files.setLastModifiedTime(
                file(name), FileTime.from(clock.instant().plus(Duration.ofSeconds(seconds))));
    }
}
