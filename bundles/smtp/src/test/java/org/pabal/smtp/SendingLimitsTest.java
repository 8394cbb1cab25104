package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.directory.Account;
import org.pabal.testkit.MovableClock;
import org.slf4j.Logger;
import org.slf4j.helpers.MessageFormatter;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

final class SendingLimitsTest {

    private static final Account ALICE = account("alice");
    private static final Account BOB = account("bob");

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T10:00:00Z"));
    private final SendingLimits limits = new SendingLimits(3, 5, clock);

    private static Account account(String name) {
        return new Account(TestNode.address(name + "@example.test"));
    }

    private Optional<SmtpReply> sends(Account account) {
        SendingLimits.Share share = limits.share(account);
        Optional<SmtpReply> refusal = share.message();
        if (refusal.isEmpty()) {
            share.keep();
        }
        share.close();
        return refusal;
    }

    @Test
    void takesSoManyMessagesInAnyHour() {
        for (int minute : new int[] {0, 20, 20}) {
            clock.advance(Duration.ofMinutes(minute));
            assertEquals(Optional.empty(), sends(ALICE));
        }
        clock.advance(Duration.ofMinutes(12));
        assertEquals(
                "451 4.7.1 your account may send 3 messages an hour, try again in 8 minutes",
                sends(ALICE).orElseThrow().toString());
        assertEquals(Optional.empty(), sends(BOB), "others may");
        clock.advance(Duration.ofSeconds(7 * 60 + 1));
        assertTrue(sends(ALICE).orElseThrow().text().endsWith("try again in a minute"));
        clock.advance(Duration.ofSeconds(59));
        assertEquals(Optional.empty(), sends(ALICE));
        assertTrue(sends(ALICE).orElseThrow().text().endsWith("try again in 20 minutes"));
    }

    @Test
    void takesSoManyRecipientsOverAllMessages() {
        SendingLimits.Share one = limits.share(ALICE);
        SendingLimits.Share two = limits.share(ALICE);
        for (int i = 0; i < 2; i++) {
            assertEquals(Optional.empty(), one.recipient());
            assertEquals(Optional.empty(), two.recipient());
        }
        assertEquals(Optional.empty(), one.recipient());
        assertEquals(
                "450 4.7.1 your account may send to 5 recipients an hour, try again in 60 minutes",
                two.recipient().orElseThrow().toString());
        two.keep();
        one.close();
        SendingLimits.Share three = limits.share(ALICE);
        for (int i = 0; i < 3; i++) {
            assertEquals(Optional.empty(), three.recipient(), "what was given back");
        }
        assertTrue(three.recipient().isPresent());
    }

    @Test
    void countsNothingThatCameToNothing() {
        for (int i = 0; i < 10; i++) {
            SendingLimits.Share share = limits.share(ALICE);
            assertEquals(Optional.empty(), share.message());
            assertEquals(Optional.empty(), share.recipient());
            clock.advance(Duration.ofMinutes(1));
            assertEquals(Optional.empty(), share.recipient());
            share.close();
            share.close();
        }
        for (int i = 0; i < 3; i++) {
            assertEquals(Optional.empty(), sends(ALICE));
        }
        assertTrue(sends(ALICE).isPresent());
    }

    @Test
    void givesNothingBackThatIsNoLongerCounted() {
        SendingLimits.Share old = limits.share(ALICE);
        old.message();
        clock.advance(Duration.ofHours(2));
        old.close();
        for (int i = 0; i < 3; i++) {
            assertEquals(Optional.empty(), sends(ALICE));
        }
        assertTrue(sends(ALICE).isPresent());
    }

    @Test
    void countsNothingWithoutALimit() {
        SendingLimits none = new SendingLimits(0, 0, clock);
        SendingLimits.Share share = none.share(ALICE);
        for (int i = 0; i < 100; i++) {
            assertEquals(Optional.empty(), share.message().or(share::recipient));
        }
        assertEquals(0, none.accounts());
    }

    @Test
    void warnsOnceAnHourForAnAccount() {
        List<String> warnings = new ArrayList<>();
        Logger log =
                (Logger)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Logger.class},
                                (proxy, method, arguments) -> {
                                    assertEquals("warn", method.getName());
                                    warnings.add(
                                            MessageFormatter.basicArrayFormat(
                                                    (String) arguments[0],
                                                    (Object[]) arguments[1]));
                                    return null;
                                });
        SendingLimits two = new SendingLimits(0, 2, clock, log);
        for (Account account : List.of(ALICE, BOB)) {
            SendingLimits.Share share = two.share(account);
            for (int i = 0; i < 100; i++) {
                share.recipient();
            }
            share.keep();
        }
        assertEquals(2, warnings.size());
        assertTrue(
                warnings.getFirst()
                        .startsWith(
                                "account alice@example.test: 2 recipients within an hour, the next"
                                        + " has to wait until 2026-11-22T11:00:00Z; "),
                warnings.getFirst());
        clock.advance(Duration.ofMinutes(59));
        assertTrue(two.share(ALICE).recipient().isPresent());
        assertEquals(2, warnings.size());
        clock.advance(Duration.ofMinutes(1));
        SendingLimits.Share share = two.share(ALICE);
        for (int i = 0; i < 100; i++) {
            share.recipient();
        }
        assertEquals(3, warnings.size());
    }

    @Test
    void remembersSoManyAccountsAndThoseThatSendFirst() {
        while (sends(ALICE).isEmpty()) {}
        for (int i = 0; i < SendingLimits.MOST_ACCOUNTS + 100; i++) {
            assertEquals(Optional.empty(), sends(account("a" + i)));
            if (i % 1_000 == 0) {
                assertTrue(sends(ALICE).isPresent());
            }
        }
        assertEquals(SendingLimits.MOST_ACCOUNTS, limits.accounts());
        assertTrue(sends(ALICE).isPresent());
    }

    @Test
    void letsNobodyWaitForAClockThatWasSetBack() {
        while (sends(ALICE).isEmpty()) {}
        clock.advance(Duration.ofMinutes(-30));
        assertTrue(sends(ALICE).isPresent());
        clock.advance(Duration.ofDays(-3));
        assertEquals(Optional.empty(), sends(ALICE));
    }
}
