package org.pabal.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

class NameTableTest {

    /// Two changes from the same version know nothing of each other, made at the same time too.
    @Test
    void versionsMadeAtTheSameTimeDoNotMeet() throws InterruptedException, ExecutionException {
        NameTable.Edit building = NameTable.building(0, 0);
        for (int i = 0; i < 1_000; i++) {
            put(building, "name" + i, "first");
        }
        NameTable first = building.done();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<NameTable>> lines = new ArrayList<>();
            for (int line = 0; line < 8; line++) {
                String mark = "line" + line;
                lines.add(
                        threads.submit(
                                () -> {
                                    NameTable table = first;
                                    for (int step = 0; step < 500; step++) {
                                        NameTable.Edit edit = table.edit();
                                        put(edit, "name" + step, mark);
                                        put(edit, mark + step, mark);
                                        byte[] gone = name("name" + (999 - step % 400));
                                        edit.remove(gone, 0, gone.length);
                                        table = edit.done();
                                    }
                                    return table;
                                }));
            }
            for (int line = 0; line < 8; line++) {
                NameTable table = lines.get(line).get();
                for (int i = 0; i < 1_000; i++) {
                    String expected = i < 500 ? "line" + line : i < 600 ? "first" : "";
                    assertEquals(expected, get(table, "name" + i));
                    assertEquals("first", get(first, "name" + i));
                }
                assertEquals("line" + line, get(table, "line" + line + "499"));
                assertEquals("", get(table, "line" + (line + 1) % 8 + "499"));
                assertEquals(1_100, table.size());
                assertEquals(1_100, table.places().length);
            }
        }
    }

    @Test
    void compactsToWhatIsThere() {
        NameTable table = NameTable.building(7, 0).done();
        for (int step = 0; step < 5_000; step++) {
            NameTable.Edit edit = table.edit();
            put(edit, "a" + step % 100, "x".repeat(200) + step);
            table = edit.done();
        }
        assertTrue(table.wasteful());
        NameTable from = table;
        NameTable compact = table.compacted(place -> 300);
        assertEquals(100, compact.size());
        for (int i = 0; i < 100; i++) {
            byte[] name = name("a" + i);
            int hash = hash(7, name);
            assertTrue(compact.find(hash, name, 0, name.length) != 0);
            assertTrue(from.find(hash, name, 0, name.length) != 0);
        }
    }

    @Test
    void refusesANodeThatIsTooLarge() {
        NameTable.Edit edit = NameTable.building(0, 0);
        byte[] node = new byte[NameTable.MAX_NODE + 1];
        assertThrows(IllegalStateException.class, () -> edit.put(node, node.length));
    }

    private static void put(NameTable.Edit edit, String text, String value) {
        byte[] name = name(text);
        byte[] octets = value.getBytes(US_ASCII);
        byte[] node = new byte[NameTable.NAME + name.length + 1 + octets.length + 300];
        node[0] = (byte) name.length;
        System.arraycopy(name, 0, node, NameTable.NAME, name.length);
        node[NameTable.NAME + name.length] = (byte) octets.length;
        System.arraycopy(octets, 0, node, NameTable.NAME + name.length + 1, octets.length);
        edit.put(node, NameTable.NAME + name.length + 1 + octets.length);
    }

    private static String get(NameTable table, String text) {
        byte[] name = name(text);
        int place = table.find(hash(0, name), name, 0, name.length);
        if (place == 0) {
            return "";
        }
        int at = NameTable.at(place) + NameTable.NAME + name.length;
        byte[] value = new byte[table.segment(place).get(at)];
        table.segment(place).get(at + 1, value);
        return new String(value, US_ASCII);
    }

    private static byte[] name(String text) {
        byte[] octets = text.getBytes(US_ASCII);
        byte[] name = new byte[octets.length + 1];
        name[0] = (byte) octets.length;
        System.arraycopy(octets, 0, name, 1, octets.length);
        return name;
    }

    private static int hash(int origin, byte[] name) {
        return NameHash.finish(NameHash.steps(origin, name, 0, name.length));
    }
}
