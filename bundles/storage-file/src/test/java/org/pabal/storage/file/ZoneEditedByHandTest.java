package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What a person does to a master file, and what the node does to it, one beside the other.
class ZoneEditedByHandTest {

    private static final Name ORIGIN = Name.fromConstantString("example.test.");

    @TempDir Path zones;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));

    @Test
    void fileIsWrittenWhenNobodyChangesTheZoneForAWhile() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2)));
        store.writeOut();
        assertTrue(text().contains(" 1 7200"), "not after every change");
        clock.advance(ZoneFile.IDLE);
        store.writeOut();
        assertTrue(text().contains(" 2 7200"));
        assertEquals(Optional.of(List.of(step(1, 2))), store.changes(ORIGIN, 1));
        assertEquals(Optional.of(List.of(step(1, 2))), store().changes(ORIGIN, 1));
    }

    @Test
    void fileIsWrittenWhenTheNodeStops() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2)));
        store.close();
        assertTrue(text().contains(" 2 7200"));
        assertThrows(IOException.class, () -> store.change(List.of(step(2, 3))));
        assertThrows(IOException.class, () -> store.publish(version(3)));
    }

    @Test
    void whatAPersonWroteIsKeptWhenChangesAreWrittenOut() throws IOException {
        FileZoneStore store = store();
        edit("; mine\n" + records(1));
        store.scan();
        store.change(List.of(step(1, 2)));
        store.close();
        assertFalse(text().contains("; mine"));
        assertTrue(Files.readString(zones.resolve("example.test.zone.before")).contains("; mine"));
        FileZoneStore again = store();
        again.change(List.of(step(2, 3)));
        again.close();
        assertTrue(
                Files.readString(zones.resolve("example.test.zone.before")).contains("; mine"),
                "the node knows its own file after a restart");
    }

    @Test
    void editOfAFileIsAStepOfTheHistory() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        edit(records(2));
        store.scan();
        assertEquals(2, store.find(ORIGIN).orElseThrow().serial());
        assertEquals(Optional.of(List.of(step(1, 2))), store.changes(ORIGIN, 1));
        store.change(List.of(step(2, 3)));
        assertEquals(Optional.of(List.of(step(1, 2), step(2, 3))), store().changes(ORIGIN, 1));
    }

    @Test
    void editOfAFileThatIsOlderThanTheChangesWinsAndTheChangesAreKept() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2), step(2, 3)));
        edit(records(2)); // whoever edited had serial 1 before them
        store.scan();
        assertEquals(2, store.find(ORIGIN).orElseThrow().serial());
        assertTrue(Files.readString(zones.resolve("example.test.zone.before")).contains(" 3 7200"));
        assertEquals(Optional.empty(), store.changes(ORIGIN, 1));
        assertEquals(2, store().find(ORIGIN).orElseThrow().serial());
    }

    @Test
    void remarksAloneDoNotEndTheHistory() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2)));
        store.close();
        store = store();
        edit("; a remark\n" + text());
        store.scan();
        assertEquals(Optional.of(List.of(step(1, 2))), store.changes(ORIGIN, 1));
        assertEquals(Optional.of(List.of(step(1, 2))), store().changes(ORIGIN, 1));
    }

    @Test
    void brokenEditIsNotOverwritten() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        edit(records(2) + "www 60 IN A 192.0.2.300\n");
        store.scan();
        store.change(List.of(step(1, 2)));
        clock.advance(Duration.ofMinutes(1));
        store.writeOut();
        assertTrue(text().contains("192.0.2.300"));
        edit(records(5));
        store.scan();
        assertEquals(5, store.find(ORIGIN).orElseThrow().serial());
    }

    @Test
    void changesAreMadeAgainInAFileThatGotRemarksWhileTheNodeWasDead() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2), step(2, 3)));
        edit("; a remark\n" + text());
        assertEquals(3, store().find(ORIGIN).orElseThrow().serial());
        assertEquals(3, store().find(ORIGIN).orElseThrow().serial());
    }

    @Test
    void journalThatDoesNotFitIsKeptAside() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2), step(2, 3)));
        edit(records(2));
        assertEquals(2, store().find(ORIGIN).orElseThrow().serial());
        assertEquals(List.of("example.test.journal.aside-1", "example.test.zone"), names());
        assertEquals(2, store().find(ORIGIN).orElseThrow().serial());
    }

    @Test
    void tornTailIsCut() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2)));
        Path journal = zones.resolve("example.test.journal");
        byte[] before = Files.readAllBytes(journal);
        store.change(List.of(step(2, 3)));
        byte[] after = Files.readAllBytes(journal);
        int end = after.length;
        while (after[end - 1] == 0) {
            end--;
        }
        for (int cut = end - 1; cut > end - 120; cut--) {
            byte[] torn = after.clone();
            java.util.Arrays.fill(torn, cut, torn.length, (byte) (cut % 2));
            Files.write(journal, torn);
            assertEquals(2, store().find(ORIGIN).orElseThrow().serial(), "cut at " + cut);
        }
        Files.write(journal, before);
        assertEquals(3, store().change(List.of(step(2, 3))).orElseThrow().serial());
    }

    @Test
    void changeThatTheDiskRefusedIsForgotten() throws IOException {
        BreakingDisk disk = new BreakingDisk();
        FileZoneStore store = new FileZoneStore(zones, clock, disk);
        store.publish(version(1));
        store.change(List.of(step(1, 2)));
        disk.full = true;
        assertThrows(IOException.class, () -> store.change(List.of(step(2, 3))));
        assertThrows(IOException.class, () -> store.publish(version(3)));
        assertEquals(2, store.find(ORIGIN).orElseThrow().serial());
        assertEquals(2, store().find(ORIGIN).orElseThrow().serial());
        disk.full = false;
        store.change(List.of(step(2, 3), step(3, 4)));
        assertEquals(4, store().find(ORIGIN).orElseThrow().serial());
        assertEquals(3, store().changes(ORIGIN, 1).orElseThrow().size());
    }

    @Test
    void longJournalIsShortenedAndKeepsTheNewestSteps() throws IOException {
        FileZoneStore store = new FileZoneStore(zones, clock, new Disk(), 200_000);
        store.publish(version(1));
        for (int serial = 1; serial < 1_500; serial++) {
            store.change(List.of(step(serial, serial + 1)));
        }
        clock.advance(ZoneFile.IDLE);
        store.writeOut();
        long octets = Files.size(zones.resolve("example.test.journal"));
        assertTrue(octets < 220_000, "journal of " + octets);
        assertEquals(Optional.empty(), store.changes(ORIGIN, 1));
        List<ZoneChange> steps = store.changes(ORIGIN, 1_450).orElseThrow();
        assertEquals(50, steps.size());
        assertEquals(step(1_450, 1_451), steps.getFirst());
        assertEquals(1_500, store().find(ORIGIN).orElseThrow().serial());
        assertEquals(steps, store().changes(ORIGIN, 1_450).orElseThrow());
    }

    @Test
    void zoneOfChangesIsWithdrawnWithThem() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        store.change(List.of(step(1, 2)));
        store.withdraw(ORIGIN);
        assertEquals(List.of("example.test.zone.withdrawn-1"), names());
        assertTrue(
                Files.readString(zones.resolve("example.test.zone.withdrawn-1"))
                        .contains(" 2 7200"));
    }

    @Test
    void stepsThatDoNotFollowOneAnotherAreRefused() throws IOException {
        FileZoneStore store = store();
        store.publish(version(1));
        assertThrows(
                IllegalArgumentException.class,
                () -> store.change(List.of(step(1, 2), step(3, 4))));
        assertEquals(1, store().find(ORIGIN).orElseThrow().serial());
    }

    @Test
    void includedFilesBelongToTheZoneAndAreWatched() throws IOException {
        write(
                "hosts.include",
                "www 60 IN A 192.0.2.1\n$INCLUDE parts/more.include sub\n  60 IN A 192.0.2.7\n");
        Files.createDirectories(zones.resolve("parts"));
        write("parts/more.include", "$ORIGIN deep\na 60 IN A 192.0.2.2\n");
        edit(
                records(1)
                        + "$TTL 60\n"
                        + "x A 192.0.2.3\n"
                        + "$INCLUDE hosts.include ; a remark\n"
                        + "  AAAA 2001:db8::1\n");
        FileZoneStore store = store();
        Zone zone = store.find(ORIGIN).orElseThrow();
        for (String name : List.of("www", "a.deep.sub", "x")) {
            assertTrue(zone.exists(Name.fromString(name, ORIGIN)), name);
        }
        assertEquals(2, zone.records(Name.fromString("www", ORIGIN), 1).orElseThrow().size());
        assertTrue(
                zone.records(Name.fromString("x", ORIGIN), 28).isPresent(),
                "the name of x goes on");
        write("hosts.include", "mail 60 IN A 192.0.2.1\n");
        edit(records(2) + "$INCLUDE hosts.include\n");
        store.scan();
        write("hosts.include", "mail 60 IN A 192.0.2.9\nwww 60 IN A 192.0.2.9\n");
        store.scan();
        assertTrue(store.find(ORIGIN).orElseThrow().exists(Name.fromString("www", ORIGIN)));
    }

    @Test
    void errorsNameTheIncludedFileAndItsLine() throws IOException {
        write("hosts.include", "a 60 IN A 192.0.2.1\nb 60 IN A 192.0.2.300\n");
        edit(records(1) + "$INCLUDE hosts.include\n");
        String said = refused();
        assertTrue(
                said.equals(
                        "hosts.include:2: b 60 IN A 192.0.2.300: Invalid address: 192.0.2.300;"
                                + " expected NAME TTL TYPE DATA, for example www 3600 A 192.0.2.1"),
                said);
    }

    @Test
    void nothingOutsideTheDirectoryIsIncluded(@TempDir Path other) throws IOException {
        Path outside = Files.writeString(other.resolve("outside"), "a 60 IN A 192.0.2.1\n");
        Files.createSymbolicLink(zones.resolve("link"), outside);
        Files.createDirectories(zones.resolve("d"));
        for (String name :
                List.of(
                        "../" + other.getFileName() + "/outside",
                        "d/../../outside",
                        outside.toString(),
                        "link",
                        "d",
                        ".",
                        "..")) {
            edit(records(1) + "$INCLUDE " + name + "\n");
            String said = refused();
            assertTrue(
                    said.contains(
                            "zone:6: $INCLUDE " + name + ": expected a file in the directory"),
                    said);
        }
        edit(records(1) + "$INCLUDE nowhere\n");
        assertTrue(refused().endsWith(":6: $INCLUDE nowhere: there is no such file"), refused());
    }

    @Test
    void filesThatIncludeOneAnotherAreRefused() throws IOException {
        write("loop", "$INCLUDE loop\n");
        edit(records(1) + "$INCLUDE loop\n");
        assertTrue(refused().contains("at most 8 deep"), refused());
    }

    private String refused() {
        return assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                MasterFile.read(
                                        zones.resolve("example.test.zone"),
                                        ORIGIN,
                                        new java.util.HashMap<>()))
                .getMessage();
    }

    private FileZoneStore store() throws IOException {
        return new FileZoneStore(zones, clock, new Disk());
    }

    private String text() throws IOException {
        return Files.readString(zones.resolve("example.test.zone"));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> list = Files.list(zones)) {
            return new ArrayList<>(list.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    private void edit(String text) throws IOException {
        write("example.test.zone", text);
    }

    /// Writes a file that nobody is still writing.
    private void write(String name, String text) throws IOException {
        clock.advance(Duration.ofSeconds(10));
        Files.writeString(zones.resolve(name), text);
        Files.setLastModifiedTime(
                zones.resolve(name), FileTime.from(clock.instant().minusSeconds(5)));
    }

    private static Zone version(long serial) {
        return MemoryZone.of("example.test.", records(serial));
    }

    /// Records that follow from the serial, in five lines.
    private static String records(long serial) {
        return "@ 60 IN SOA ns1 hostmaster "
                + serial
                + " 7200 900 1209600 300\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\ns"
                + serial
                + " 60 IN A 192.0.2.2\nsame 60 IN A 192.0.2.3\n";
    }

    private static ZoneChange step(long from, long to) {
        return ZoneChange.between(version(from), version(to));
    }
}
