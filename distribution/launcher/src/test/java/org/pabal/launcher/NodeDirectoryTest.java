package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

class NodeDirectoryTest {

    @TempDir Path directory;

    @Test
    void onlyOneProcessHasIt() throws Exception {
        NodeDirectory node = NodeDirectory.of(directory.toString());
        node.create();
        node.lock();
        String line = assertThrows(Trouble.class, node::lock).getMessage();
        assertTrue(
                line.contains("already running as process " + ProcessHandle.current().pid()), line);
    }

    @Test
    void nobodyElseHasItAfterGarbageWasCollectedEither() throws Exception {
        NodeDirectory.of(directory.toString()).create();
        NodeDirectory.of(directory.toString()).lock();
        System.gc();
        assertThrows(Trouble.class, NodeDirectory.of(directory.toString())::lock);
    }

    @Test
    void aFileInItsPlaceIsToldInOneLine() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");
        NodeDirectory node = NodeDirectory.of(file.toString());
        String line = assertThrows(Trouble.class, node::create).getMessage();
        assertTrue(line.startsWith(file + ": cannot be written to ("), line);
    }

    @Test
    void withoutANodeTheWayToMakeOneIsTold() throws Exception {
        NodeDirectory node = NodeDirectory.of(directory.toString());
        String line = assertThrows(Trouble.class, node::check).getMessage();
        assertTrue(line.contains("make one, for example pabal init " + directory), line);
    }
}
