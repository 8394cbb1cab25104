package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneKeyStore;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Name;

import java.nio.file.NoSuchFileException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What every [ZoneKeyStore] does.
public interface ZoneKeyStoreContract {

    Name ORIGIN = Name.fromConstantString("example.test.");
    Instant NOW = Instant.parse("2026-11-23T04:05:06Z");

    /// A store with nothing in it. Called once at the beginning of each test.
    ZoneKeyStore store() throws Exception;

    /// Closes the store as a restart does, and opens it again over the same data. Empty when it
    /// keeps nothing over a restart; the tests about that are then skipped.
    default Optional<ZoneKeyStore> reopened() throws Exception {
        return Optional.empty();
    }

    @Test
    default void findsTheKeysOfExactlyOneZoneOldestFirst() throws Exception {
        ZoneKeyStore store = store();
        ZoneKey younger = key(ORIGIN, 13, 256, NOW.plusSeconds(60));
        ZoneKey older = key(ORIGIN, 13, 257, NOW);
        store.keep(younger);
        store.keep(older);
        store.keep(key(Name.fromConstantString("a.example.test."), 13, 257, NOW));
        assertEquals(List.of(older, younger), store.keys(ORIGIN));
        assertEquals(List.of(older, younger), store.keys(Name.fromConstantString("EXAMPLE.test.")));
        assertEquals(List.of(), store.keys(Name.fromConstantString("test.")));
    }

    @Test
    default void keepsWhatHasHappenedToAKeyInPlaceOfWhatWasKnown() throws Exception {
        ZoneKeyStore store = store();
        ZoneKey key = key(ORIGIN, 13, 257, NOW);
        store.keep(key);
        ZoneKey later =
                key.published(NOW.plusSeconds(1))
                        .active(NOW.plusSeconds(2))
                        .inactive(NOW.plusSeconds(3))
                        .seen(NOW.plusSeconds(4))
                        .removal(Optional.of(NOW.plusSeconds(5)));
        store.keep(later);
        assertEquals(List.of(later), store.keys(ORIGIN));
        store.keep(later.removal(Optional.empty()));
        assertEquals(List.of(later.removal(Optional.empty())), store.keys(ORIGIN));
    }

    @Test
    default void removesOneKey() throws Exception {
        ZoneKeyStore store = store();
        ZoneKey one = key(ORIGIN, 13, 256, NOW);
        ZoneKey other = key(ORIGIN, 13, 257, NOW);
        store.keep(one);
        store.keep(other);
        store.remove(one);
        assertEquals(List.of(other), store.keys(ORIGIN));
        assertThrows(NoSuchFileException.class, () -> store.remove(one));
    }

    @Test
    default void keysOfEveryAlgorithmSignAfterARestartAsBefore() throws Exception {
        ZoneKeyStore store = store();
        for (int algorithm : List.of(8, 13, 15)) {
            store.keep(
                    key(ORIGIN, algorithm, 257, NOW.plusSeconds(algorithm))
                            .published(NOW.plusSeconds(99))
                            .seen(NOW.plusSeconds(100)));
        }
        List<ZoneKey> before = store.keys(ORIGIN);
        Optional<ZoneKeyStore> reopened = reopened();
        assumeTrue(reopened.isPresent(), "keeps nothing over a restart");
        List<ZoneKey> after = reopened.get().keys(ORIGIN);
        assertEquals(3, after.size());
        for (int i = 0; i < 3; i++) {
            ZoneKey was = before.get(i);
            ZoneKey is = after.get(i);
            assertEquals(was.dnskey(), is.dnskey());
            assertEquals(was.dnskey().getTTL(), is.dnskey().getTTL());
            assertEquals(was.published(), is.published());
            assertEquals(was.seen(), is.seen());
            assertEquals(was.active(), is.active());
            assertArrayEquals(was.secret().getEncoded(), is.secret().getEncoded());
        }
    }

    @Test
    default void aKeyOfTheRootAndOneOfAStrangeNameAreKept() throws Exception {
        ZoneKeyStore store = store();
        Name strange = Name.fromConstantString("0/25.2\\.3.0.192.in-addr.arpa.");
        store.keep(key(Name.root, 13, 257, NOW));
        store.keep(key(strange, 13, 257, NOW));
        ZoneKeyStore again = reopened().orElse(store);
        assertEquals(1, again.keys(Name.root).size());
        assertEquals(1, again.keys(strange).size());
    }

    /// A new key.
    static ZoneKey key(Name origin, int algorithm, int flags, Instant created) {
        try {
            KeyPairGenerator generator =
                    KeyPairGenerator.getInstance(
                            algorithm == 8 ? "RSA" : algorithm == 13 ? "EC" : "Ed25519");
            if (algorithm == 8) {
                generator.initialize(2048);
            } else if (algorithm == 13) {
                generator.initialize(new ECGenParameterSpec("secp256r1"));
            }
            KeyPair pair = generator.generateKeyPair();
            return new ZoneKey(
                    new DNSKEYRecord(
                            origin,
                            DClass.IN,
                            3600,
                            flags,
                            DNSKEYRecord.Protocol.DNSSEC,
                            algorithm,
                            pair.getPublic()),
                    pair.getPrivate(),
                    created);
        } catch (GeneralSecurityException | DNSSEC.DNSSECException e) {
            throw new AssertionError(e);
        }
    }
}
