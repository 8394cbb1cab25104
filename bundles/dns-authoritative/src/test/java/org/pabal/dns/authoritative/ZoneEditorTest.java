package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneStore;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

class ZoneEditorTest {

    private static final Name ORIGIN = Name.fromConstantString("example.org.");

    private final AtomicInteger waits = new AtomicInteger();
    private final MemoryZoneStore store =
            new MemoryZoneStore(
                    new ZoneObserver() {
                        @Override
                        public void published(Zone current) {
                            waits.incrementAndGet();
                        }

                        @Override
                        public void withdrawn(Name origin) {}
                    });
    private final ZoneEditor editor = new ZoneEditor(store);

    ZoneEditorTest() {
        store.publish(
                MemoryZone.of(
                        "example.org", "@ 60 SOA ns1 h 1 7200 900 1209600 300\n@ 60 NS ns1\n"));
    }

    @Test
    void makesEveryEditOfManyAtOnce() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Zone>> edits =
                    IntStream.range(0, 300)
                            .mapToObj(i -> threads.submit(() -> add("h" + i, "192.0.2.1")))
                            .toList();
            for (int i = 0; i < edits.size(); i++) {
                assertTrue(edits.get(i).get().exists(name("h" + i)));
            }
        }
        Zone zone = store.find(ORIGIN).orElseThrow();
        assertEquals(301, zone.serial());
        assertEquals(300, store.changes(ORIGIN, 1).orElseThrow().size());
    }

    @Test
    void oneThatFailsDoesNotHarmTheOthers() throws Exception {
        add("a", "192.0.2.1");
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        editor.edit(
                                ORIGIN,
                                zone -> {
                                    ZoneEdit edit = new ZoneEdit(zone);
                                    edit.add(record("a", Type.CNAME, "b.example.org."));
                                    return edit.change();
                                }));
        assertEquals(3, add("c", "192.0.2.3").serial());
        assertEquals(3, editor.edit(ORIGIN, zone -> Optional.empty()).serial(), "nothing to do");
        assertThrows(
                NoSuchFileException.class, () -> editor.edit(Name.root, zone -> Optional.empty()));
    }

    @Test
    void beginsAgainWhenSomebodyElseWasFaster() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        Zone zone =
                editor.edit(
                        ORIGIN,
                        current -> {
                            if (tries.getAndIncrement() == 0) {
                                ZoneEdit other = new ZoneEdit(current);
                                other.add(record("other", Type.A, "192.0.2.9"));
                                store.change(List.of(other.change().orElseThrow()));
                            }
                            ZoneEdit edit = new ZoneEdit(current);
                            edit.add(record("mine", Type.A, "192.0.2.1"));
                            return edit.change();
                        });
        assertTrue(zone.exists(name("other")));
        assertTrue(zone.exists(name("mine")));
        assertEquals(3, zone.serial());
    }

    @Test
    void editSeesWhatItDid() throws Exception {
        ZoneEdit edit = new ZoneEdit(store.find(ORIGIN).orElseThrow());
        assertEquals(Optional.empty(), edit.change());
        Record one = record("a", Type.A, "192.0.2.1");
        edit.add(one);
        edit.add(record("a", Type.TXT, "x"));
        assertEquals(List.of(Type.A, Type.TXT), edit.types(name("a")));
        edit.remove(name("a"), Type.TXT);
        assertEquals(List.of(Type.A), edit.types(name("a")));
        ZoneChange change = edit.change().orElseThrow();
        assertEquals(List.of(one), change.added());
        assertEquals(List.of(), change.removed());
        assertEquals(2, change.to().getSerial());
        edit.remove(one);
        assertEquals(Optional.empty(), edit.change(), "back where it began");
        edit.soa(Serial.in(edit.soa(), 70));
        assertEquals(70, edit.change().orElseThrow().to().getSerial());
        edit.soa(Serial.in(edit.soa(), 0));
        assertEquals(2, edit.change().orElseThrow().to().getSerial(), "0 does not follow 1");
    }

    private Zone add(String name, String address) throws IOException {
        return editor.edit(
                ORIGIN,
                zone -> {
                    ZoneEdit edit = new ZoneEdit(zone);
                    edit.add(record(name, Type.A, address));
                    return edit.change();
                });
    }

    private static Record record(String name, int type, String data) throws IOException {
        return Record.fromString(name(name), type, DClass.IN, 60, data, Name.root);
    }

    private static Name name(String below) {
        return Name.fromConstantString(below + ".example.org.");
    }
}
