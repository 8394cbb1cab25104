package org.pabal.dns.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;

/// Security rows D13 and D30.
class RateLimitTest {

    private static final int RATE = 100;
    private static final long START = 1_790_000_000_000L;
    private static final Networks NOBODY = Networks.of(List.of());

    private static RateLimit limit(int slip) {
        return new RateLimit(RATE, 65_536, slip, NOBODY, 42);
    }

    private static ByteBuffer address(String text) {
        return ByteBuffer.wrap(InetAddress.ofLiteral(text).getAddress());
    }

    private static int positive(RateLimit limit, String client, long millis) {
        return limit.account(address(client), RateLimit.POSITIVE, 7, millis);
    }

    @Test
    void aFloodGetsOneSecondsAnswersAndThenSlips() {
        RateLimit limit = limit(2);
        int[] verdicts = new int[3];
        for (int millis = 0; millis < 10_000; millis++) {
            verdicts[positive(limit, "192.0.2.1", START + millis)]++;
        }
        // what the account earned until its debt was as large as it can be
        assertTrue(verdicts[RateLimit.SEND] >= RATE, verdicts[RateLimit.SEND] + " sent");
        assertTrue(verdicts[RateLimit.SEND] < 2 * RATE, verdicts[RateLimit.SEND] + " sent");
        assertEquals(verdicts[RateLimit.DROP], verdicts[RateLimit.SLIP], 1);
    }

    @Test
    void whoStaysBelowTheRateGetsEverything() {
        RateLimit limit = limit(0);
        for (int millis = 0; millis < 60_000; millis += 10) {
            assertEquals(RateLimit.SEND, positive(limit, "192.0.2.1", START + millis));
        }
    }

    @Test
    void aSecondsWorthMayComeAtOnce() {
        RateLimit limit = limit(0);
        for (int second = 0; second < 5; second++) {
            for (int i = 0; i < RATE; i++) {
                assertEquals(RateLimit.SEND, positive(limit, "192.0.2.1", START + 1000L * second));
            }
        }
        assertEquals(RateLimit.DROP, positive(limit, "192.0.2.1", START + 4000));
    }

    @Test
    void debtIsPaidOffInFifteenSeconds() {
        RateLimit limit = limit(0);
        for (int i = 0; i < 100 * RATE; i++) {
            positive(limit, "192.0.2.1", START);
        }
        assertEquals(RateLimit.DROP, positive(limit, "192.0.2.1", START + 14_000));
        assertEquals(RateLimit.SEND, positive(limit, "192.0.2.1", START + 15_500));
    }

    @Test
    void networksAreAccountsOfTheirOwn() {
        RateLimit limit = limit(0);
        for (int i = 0; i < 1000; i++) {
            positive(limit, "192.0.2." + i % 256, START);
            positive(limit, "2001:db8:0:0:" + Integer.toHexString(i) + "::1", START);
        }
        assertEquals(RateLimit.DROP, positive(limit, "192.0.2.77", START));
        assertEquals(RateLimit.DROP, positive(limit, "2001:db8:0:ff::77", START)); // one /56
        assertEquals(RateLimit.SEND, positive(limit, "192.0.3.77", START));
        assertEquals(RateLimit.SEND, positive(limit, "2001:db8:0:100::77", START));
    }

    @Test
    void kindsAndNamesAreAccountsOfTheirOwn() {
        RateLimit limit = limit(0);
        for (int i = 0; i < 1000; i++) {
            positive(limit, "192.0.2.1", START);
        }
        ByteBuffer client = address("192.0.2.1");
        assertEquals(RateLimit.DROP, limit.account(client, RateLimit.POSITIVE, 7, START));
        assertEquals(RateLimit.SEND, limit.account(client, RateLimit.POSITIVE, 8, START));
        assertEquals(RateLimit.SEND, limit.account(client, RateLimit.NO_DATA, 7, START));
        assertEquals(RateLimit.SEND, limit.account(client, RateLimit.ERROR, 0, START));
    }

    @Test
    void withholdsNothingFromExemptNetworks() {
        Networks exempt = Networks.of(List.of("198.51.100.128/25", "2001:db8::/32"));
        RateLimit limit = new RateLimit(RATE, 65_536, 2, exempt, 42);
        for (int i = 0; i < 1000; i++) {
            assertEquals(RateLimit.SEND, positive(limit, "198.51.100.200", START));
            assertEquals(RateLimit.SEND, positive(limit, "2001:db8:ffff::1", START));
        }
        assertEquals(RateLimit.SLIP, worst(limit, "198.51.100.1"));
        assertEquals(RateLimit.SLIP, worst(limit, "127.0.0.1"));
    }

    private static int worst(RateLimit limit, String client) {
        int worst = 0;
        for (int i = 0; i < 1000; i++) {
            worst = Math.max(worst, positive(limit, client, START));
        }
        return worst;
    }

    @Test
    void slipsEveryTenthOrNone() {
        RateLimit tenth = limit(10);
        RateLimit never = limit(0);
        RateLimit always = limit(1);
        int[] slips = new int[3];
        for (int i = 0; i < RATE + 100; i++) {
            slips[0] += positive(tenth, "192.0.2.1", START) == RateLimit.SLIP ? 1 : 0;
            slips[1] += positive(never, "192.0.2.1", START) == RateLimit.SLIP ? 1 : 0;
            slips[2] += positive(always, "192.0.2.1", START) == RateLimit.SLIP ? 1 : 0;
        }
        assertEquals(10, slips[0]);
        assertEquals(0, slips[1]);
        assertEquals(100, slips[2]);
    }

    /// Security row D30: a million forged networks fill a table of 1,024; an honest client below
    /// the rate loses nothing, and one that floods stays limited, because newcomers push out each
    /// other.
    @Test
    void aFullTableHarmsNobodyAndForgetsNoFlood() {
        RateLimit limit = new RateLimit(RATE, 1024, 0, NOBODY, 42);
        Random random = new Random(1);
        ByteBuffer forged = ByteBuffer.allocate(4);
        int flooded = 0;
        for (int millis = 0; millis < 10_000; millis++) {
            for (int i = 0; i < 100; i++) {
                limit.account(
                        forged.putInt(0, random.nextInt()), RateLimit.NO_NAME, 3, START + millis);
            }
            for (int i = 0; i < 10; i++) {
                if (positive(limit, "203.0.113.1", START + millis) == RateLimit.SEND) {
                    flooded++;
                }
            }
            if (millis % 20 == 0) {
                assertEquals(RateLimit.SEND, positive(limit, "192.0.2.1", START + millis));
            }
        }
        assertTrue(flooded < 3 * RATE, flooded + " answers of 100,000 to a flood");
    }

    /// Security row D30: what strangers ask takes no memory
    @Test
    void takesNoMemory() {
        RateLimit limit = limit(2);
        Random random = new Random(1);
        ByteBuffer address = ByteBuffer.allocate(16);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 200_000; i++) {
                address.putLong(0, random.nextLong() & 0xFFFF00L);
                limit.account(address, RateLimit.POSITIVE, i & 0xFF, START + i / 100);
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 10_000, least + " octets for 200,000 answers");
    }

    @Test
    void isOffAtZero() {
        RateLimit off = new RateLimit(0, 65_536, 2, NOBODY, 42);
        for (int i = 0; i < 100_000; i++) {
            assertEquals(RateLimit.SEND, positive(off, "192.0.2.1", START));
        }
    }
}
