package org.pabal.directory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;

class SignInLimitsTest {

    private Instant now = Instant.parse("2026-11-22T12:00:00Z");
    private final SignInLimits limits = new SignInLimits(() -> now);

    // S18: all of this file

    @Test
    void refusesAnAddressAfterItsFailures() throws IOException {
        InetAddress from = InetAddress.getByName("192.0.2.1");
        for (int i = 0; i < SignInLimits.ADDRESS_LIMIT; i++) {
            assertTrue(limits.allowed(from, "user" + i));
            limits.failed(from, "user" + i);
        }
        assertFalse(limits.allowed(from, "somebody"));
        assertTrue(limits.allowed(InetAddress.getByName("192.0.2.2"), "somebody"));
        now = now.plus(SignInLimits.HALF_LIFE);
        assertTrue(limits.allowed(from, "somebody"));
    }

    @Test
    void letsAnAddressTryAboutOnceAMinuteForGood() throws IOException {
        InetAddress from = InetAddress.getByName("192.0.2.1");
        int tries = 0;
        for (int second = 0; second < 86_400; second++) {
            now = now.plusSeconds(1);
            if (limits.allowed(from, "bob" + second % 40)) {
                limits.failed(from, "bob" + second % 40);
                tries++;
            }
        }
        assertTrue(tries < 2_000, tries + " tries in a day");
        assertTrue(tries > 500, tries + " tries in a day");
    }

    @Test
    void refusesANetworkAfterItsFailures() throws IOException {
        for (int i = 0; i < SignInLimits.NETWORK_LIMIT; i++) {
            limits.failed(InetAddress.getByName("192.0.2." + i), "user" + i);
        }
        assertFalse(limits.allowed(InetAddress.getByName("192.0.2.200"), "somebody"));
        assertTrue(limits.allowed(InetAddress.getByName("192.0.3.200"), "somebody"));
    }

    @Test
    void countsIpv6AsNetworksThatAreGivenToOneCustomer() throws IOException {
        for (int i = 0; i < SignInLimits.ADDRESS_LIMIT; i++) {
            limits.failed(InetAddress.getByName("2001:db8::" + i), "user" + i);
        }
        assertFalse(limits.allowed(InetAddress.getByName("2001:db8::ffff"), "somebody"));
        assertTrue(limits.allowed(InetAddress.getByName("2001:db8:0:1::1"), "somebody"));
        for (int i = 0; i < SignInLimits.NETWORK_LIMIT; i++) {
            limits.failed(InetAddress.getByName("2001:db8:0:" + i + "::1"), "user" + i);
        }
        assertFalse(limits.allowed(InetAddress.getByName("2001:db8:0:ff::1"), "somebody"));
        assertTrue(limits.allowed(InetAddress.getByName("2001:db8:0:100::1"), "somebody"));
    }

    @Test
    void refusesStrangersALoginThatManyGuessAt() throws IOException {
        for (int i = 0; i < SignInLimits.LOGIN_LIMIT; i++) {
            limits.failed(InetAddress.getByName("198.51." + i + ".1"), i % 2 == 0 ? "bob" : "BOB");
        }
        assertFalse(limits.allowed(InetAddress.getByName("203.0.113.1"), "Bob"));
        assertTrue(limits.allowed(InetAddress.getByName("203.0.113.1"), "alice"));
    }

    @Test
    void locksNobodyOutFromWhereTheyAreKnown() throws IOException {
        InetAddress home = InetAddress.getByName("203.0.113.1");
        limits.succeeded(home, "bob");
        now = now.plus(SignInLimits.FAMILIAR).minusSeconds(3_600);
        for (int i = 0; i < 1_000; i++) {
            limits.failed(InetAddress.getByName("198.51." + i % 250 + ".1"), "bob");
            limits.failed(home, "user" + i);
        }
        assertTrue(limits.allowed(home, "bob"));
        assertFalse(limits.allowed(home, "alice"));
        now = now.plusSeconds(3_601);
        assertFalse(limits.allowed(home, "bob"));
    }

    @Test
    void limitsGuessesFromWhereSomebodyIsKnownToo() throws IOException {
        InetAddress home = InetAddress.getByName("203.0.113.1");
        limits.succeeded(home, "bob");
        for (int i = 0; i < SignInLimits.FAMILIAR_LIMIT; i++) {
            assertTrue(limits.allowed(home, "bob"));
            limits.failed(home, "bob");
        }
        assertFalse(limits.allowed(home, "bob"));
    }

    @Test
    void forgivesNothingForAnothersSuccess() throws IOException {
        InetAddress from = InetAddress.getByName("192.0.2.1");
        for (int i = 0; i < SignInLimits.ADDRESS_LIMIT; i++) {
            limits.failed(from, "bob");
            limits.succeeded(from, "mallory");
        }
        assertFalse(limits.allowed(from, "bob"));
        assertTrue(limits.allowed(from, "mallory"));
    }

    @Test
    void countsLoopbackByLoginOnly() {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        for (int i = 0; i < 1_000; i++) {
            limits.failed(loopback, "user" + i);
        }
        assertTrue(limits.allowed(loopback, "alice"));
        for (int i = 0; i < SignInLimits.LOGIN_LIMIT; i++) {
            assertTrue(limits.allowed(loopback, "bob"));
            limits.failed(loopback, "bob");
        }
        assertFalse(limits.allowed(loopback, "bob"));
    }

    @Test
    void delaysEachFailureLongerThanTheLast() throws IOException {
        InetAddress from = InetAddress.getByName("192.0.2.1");
        Duration before = Duration.ZERO;
        for (int i = 0; i < 6; i++) {
            Duration delay = limits.failed(from, "bob");
            assertTrue(delay.compareTo(before) > 0, delay + " after " + before);
            before = delay;
        }
        for (int i = 0; i < 100; i++) {
            assertTrue(limits.failed(from, "bob").compareTo(Duration.ofSeconds(8)) <= 0);
        }
        assertEquals(
                Duration.ofMillis(250),
                limits.failed(InetAddress.getByName("203.0.113.1"), "alice"));
    }

    @Test
    void remembersTheWorstWhenTheTablesOverflow() throws IOException {
        // D30: a flood of new addresses displaces new addresses
        InetAddress from = InetAddress.getByName("192.0.2.1");
        for (int i = 0; i < SignInLimits.ADDRESS_LIMIT; i++) {
            limits.failed(from, "user" + i);
        }
        for (int i = 0; i < 100_000; i++) {
            byte[] address = {10, (byte) (i >> 16), (byte) (i >> 8), (byte) i};
            limits.failed(InetAddress.getByAddress(address), "user" + i % 50);
        }
        assertFalse(limits.allowed(from, "somebody"));
    }

    @Test
    void wantsASecretThatCannotBeGuessed() {
        assertThrows(
                IllegalArgumentException.class, () -> new SignInLimits(() -> now, new byte[15]));
    }

    @Test
    void agesNothingWhenTheClockIsSetBack() throws IOException {
        InetAddress from = InetAddress.getByName("192.0.2.1");
        for (int i = 0; i < SignInLimits.ADDRESS_LIMIT; i++) {
            limits.failed(from, "user" + i);
        }
        now = now.minusSeconds(86_400);
        assertFalse(limits.allowed(from, "somebody"));
    }
}
