package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneKeyStore;
import org.pabal.testkit.ZoneKeyStoreContract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

class FileZoneKeyStoreTest implements ZoneKeyStoreContract {

    /// In the form of BIND, with the key of RFC 6605 §6.1.
    private static final String BIND_KEY =
            """
            ; This is a key-signing key, keyid 55648, for example.test.
            ; Created: 20261123040506 (Mon Nov 23 04:05:06 2026)
            example.test. IN DNSKEY 257 3 13 (
                GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb
                krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA== )
            """;

    private static final String BIND_PRIVATE =
            """
            Private-key-format: v1.3
            Algorithm: 13 (ECDSAP256SHA256)
            PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=
            Created: 20261123040506
            Publish: 20261123040506
            Activate: 20261123040506
            SyncPublish: 20261124040506
            """;

    @TempDir Path node;

    @Override
    public ZoneKeyStore store() throws IOException {
        return new FileZoneKeyStore(node.resolve("keys"), new Disk());
    }

    @Override
    public Optional<ZoneKeyStore> reopened() throws IOException {
        return Optional.of(store());
    }

    @Test
    void nobodyButItsOwnerMayReadAKey() throws IOException {
        store().keep(ZoneKeyStoreContract.key(ORIGIN, 13, 257, NOW));
        assertEquals("rwx------", rights(node.resolve("keys")));
        try (Stream<Path> files = Files.list(node.resolve("keys"))) {
            List<Path> all = files.toList();
            assertEquals(2, all.size());
            for (Path file : all) {
                assertEquals("rw-------", rights(file));
                assertTrue(
                        file.getFileName()
                                .toString()
                                .matches("Kexample\\.test\\.\\+013\\+\\d{5}\\.(key|private)"),
                        file.toString());
            }
        }
    }

    @Test
    void readsAKeyThatBindMadeAndKeepsItInItsFile() throws IOException {
        Files.createDirectories(node.resolve("keys"));
        Files.writeString(node.resolve("keys/Kexample.test.+013+55648.key"), BIND_KEY);
        Files.writeString(node.resolve("keys/Kexample.test.+013+55648.private"), BIND_PRIVATE);
        ZoneKeyStore store = store();
        ZoneKey key = store.keys(ORIGIN).getFirst();
        assertEquals(55648, key.tag());
        assertEquals(Optional.of(NOW), key.active());
        store.keep(key.seen(NOW));
        assertEquals(Optional.of(NOW), store().keys(ORIGIN).getFirst().seen());
        store.remove(key);
        try (Stream<Path> files = Files.list(node.resolve("keys"))) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void aPairThatIsNotWholeOrNotAKeyHarmsNoOther() throws IOException {
        ZoneKeyStore store = store();
        store.keep(ZoneKeyStoreContract.key(ORIGIN, 15, 257, NOW));
        Path keys = node.resolve("keys");
        Files.writeString(keys.resolve("Ka.+013+00001.private"), BIND_PRIVATE);
        Files.writeString(keys.resolve("Kb.+013+00002.private"), "Private-key-format: v1.3\n");
        Files.writeString(keys.resolve("Kb.+013+00002.key"), BIND_KEY);
        Files.writeString(keys.resolve("Kc.+013+00003.private"), BIND_PRIVATE);
        Files.writeString(keys.resolve("Kc.+013+00003.key"), "$INCLUDE /etc/passwd\n");
        assertEquals(1, store().keys(ORIGIN).size());
    }

    @Test
    void whatIsWrongIsToldWithoutTheKey() {
        String broken = BIND_PRIVATE.replace("GU6SnQ/Ou+", "GU6SnQ!");
        IOException e =
                assertThrows(
                        IOException.class, () -> ZoneKeyText.read(BIND_KEY, broken, "K.private"));
        assertEquals(
                "K.private: no private key that we can read: expected Private-key-format: v1.3 of"
                        + " algorithm 8, 13 or 15, as dnssec-keygen writes it",
                e.getMessage());
    }

    private static String rights(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
