package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.pabal.mailbox.Message;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// RFC 2449 §6.7: `EXPIRE 30` is carried out.
class ExpiryTest {

    private final BrokenStore disk = new BrokenStore();
    private final House house = new House(Map.of("expire", "30 d"), disk.store);
    private final Expiry expiry =
            new Expiry(
                    house.directory,
                    house.maildrops,
                    house.rules.expire().orElseThrow(),
                    house.clock);

    @Test
    void removesWhatIsOlderThanTheDaysAndKeepsTheRest() throws Exception {
        house.clock.advance(Duration.ofDays(29));
        house.deliver(House.BOB, House.sized("new", 100));
        assertEquals(0, expiry.sweep());
        house.clock.advance(Duration.ofDays(1));
        assertEquals(0, expiry.sweep(), "30 days are kept to the last second");
        house.clock.advance(Duration.ofSeconds(1));
        assertEquals(5, expiry.sweep(), "two of bob's, three of alice's");
        assertEquals(
                List.of(100L), house.messages(House.BOB).stream().map(Message::octets).toList());
    }

    @Test
    void leavesAMaildropInUseForTheNextSweep() throws Exception {
        house.clock.advance(Duration.ofDays(31));
        try (Client bob = new Client(house).signIn("bob")) {
            assertEquals(3, expiry.sweep(), "alice's");
            assertEquals("+OK 2 320", bob.say("STAT"));
            assertEquals("+OK 120 octets", bob.say("RETR 1"));
        }
        assertEquals(2, expiry.sweep());
    }

    @Test
    void goesOnAfterAnAccountThatCannotBeSwept() throws Exception {
        house.clock.advance(Duration.ofDays(31));
        disk.broken.add("expunge");
        assertEquals(0, expiry.sweep());
        disk.broken.clear();
        assertEquals(5, expiry.sweep());
    }

    @Test
    void sweepsFromItsStartAndLeavesNoThreadBehind() throws Exception {
        house.clock.advance(Duration.ofDays(31));
        expiry.start();
        for (int i = 0; i < 3_000 && !house.messages(House.ALICE).isEmpty(); i++) {
            Thread.onSpinWait();
            Thread.yield();
        }
        expiry.close();
        assertFalse(expiry.running());
    }
}
