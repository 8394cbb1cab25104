package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.directory.Account;
import org.pabal.mail.MailAddress;
import org.pabal.testkit.MovableClock;

import java.time.Duration;
import java.time.Instant;

class RememberedSignInsTest {

    private static final Account BOB = new Account(new MailAddress("bob", "example.test"));
    private static final PasswordHash HASH = new PasswordHash(64, 1, 1, new byte[16], new byte[32]);

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
    private final RememberedSignIns remembered =
            new RememberedSignIns(2, Duration.ofMinutes(5), clock);

    @Test
    void forgetsTheOldestWhenItIsFull() {
        for (String password : new String[] {"one", "two", "one", "three"}) {
            remembered.remember(BOB, HASH, password.toCharArray());
        }
        assertEquals(2, remembered.size());
        assertTrue(remembered.knows(BOB, HASH, "one".toCharArray()));
        assertFalse(remembered.knows(BOB, HASH, "two".toCharArray()));
    }

    @Test
    void tellsAccountsHashesAndPasswordsApart() {
        // S21
        remembered.remember(BOB, HASH, "one".toCharArray());
        PasswordHash newer = new PasswordHash(64, 1, 1, new byte[17], new byte[32]);
        assertFalse(remembered.knows(BOB, newer, "one".toCharArray()));
        assertFalse(
                remembered.knows(
                        new Account(new MailAddress("bob", "example.org")),
                        HASH,
                        "one".toCharArray()));
        assertFalse(remembered.knows(BOB, HASH, "One".toCharArray()));
        assertFalse(remembered.knows(BOB, HASH, new char[0]));
    }

    @Test
    void forgetsAfterItsTime() {
        remembered.remember(BOB, HASH, "one".toCharArray());
        clock.advance(Duration.ofMinutes(5).minusMillis(1));
        assertTrue(remembered.knows(BOB, HASH, "one".toCharArray()));
        clock.advance(Duration.ofMillis(1));
        assertFalse(remembered.knows(BOB, HASH, "one".toCharArray()));
        assertEquals(0, remembered.size());
    }
}
