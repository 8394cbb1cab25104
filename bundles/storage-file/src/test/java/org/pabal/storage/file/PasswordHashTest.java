package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordHashTest {

    /// Written by the reference implementation: `echo -n password | argon2 somesalt -id -t 2 -m 16
    /// -p 1 -l 32`.
    private static final String REFERENCE =
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    @Test
    void readsWhatTheReferenceImplementationWrote() {
        PasswordHash hash = PasswordHash.parse(REFERENCE).orElseThrow();
        assertTrue(hash.fits("password".toCharArray()));
        assertFalse(hash.fits("Password".toCharArray()));
        assertEquals(REFERENCE, hash.toString());
    }

    @Test
    void readsWhatItWrites() {
        PasswordHash hash =
                PasswordHash.of(
                        "파발".toCharArray(), new PasswordCost(64, 1, 1, 4_096), new byte[16]);
        PasswordHash read = PasswordHash.parse(hash.toString()).orElseThrow();
        assertTrue(read.fits("파발".toCharArray()));
        assertEquals(hash.toString(), read.toString());
    }

    @Test
    void costsAsMuchAsItShould() {
        PasswordCost cost = PasswordCost.DEFAULT;
        assertEquals(
                "$argon2id$v=19$m=19456,t=2,p=1$",
                PasswordHash.of("x".toCharArray(), cost, new byte[16]).toString().substring(0, 31));
        assertTrue(cost.iterations() >= 4_096);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "$",
                "pabal",
                "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=64,t=1,p=9$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=1048576,t=999,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=99999999999999999999,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=64,t=1,p=1$$CTFhFdXPJO1aFaMaO6Mm5Q",
                "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$",
                "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5",
                "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ"
            })
    void refusesWhatCannotBeChecked(String text) {
        assertTrue(PasswordHash.parse(text).isEmpty());
    }
}
