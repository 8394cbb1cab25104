package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.pabal.mail.QueueId;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

class DeliveryShellTest {

    private final House house = new House();
    private final DeliveryShell shell = new DeliveryShell(house.queue, house.clock);

    @Test
    void listsWhatWaits() throws IOException {
        assertEquals(List.of("the queue is empty"), shell.list());
        house.send(envelope(ALICE, FAR, BOB), TEXT);
        house.work();
        house.clock.advance(Duration.ofSeconds(90));
        QueueId second = house.send(envelope(ALICE, BOB, ALICE), TEXT + "x".repeat(20_000));
        assertEquals(
                List.of(
                        "Q1            90 s     50 B  waits, next in 3 m     from"
                                + " <alice@example.test> to <far@example.org>",
                        "Q2             0 s    20 KB  new                    from"
                                + " <alice@example.test> to <bob@example.test> and 1 more",
                        "2 messages"),
                shell.list());
        shell.hold(second.text());
        assertEquals("held", shell.list().get(1).substring(29, 33));
    }

    @Test
    void showsOneMessageInWords() throws IOException {
        house.send(
                envelope(
                        ALICE, Map.of("NOTIFY", "FAILURE", "ORCPT", "rfc822;far@example.org"), FAR),
                TEXT);
        house.work();
        assertEquals(
                List.of(
                        "message    Q1, 50 B",
                        "from       <alice@example.test>",
                        "accepted   2026-11-22T12:00:00Z, 0 s ago",
                        "attempts   1 failed",
                        "next       waits, next in 5 m",
                        "to         <far@example.org>",
                        "           NOTIFY=FAILURE ORCPT=rfc822;far@example.org",
                        "           deferred: 451 4.4.0 no remote courier yet"),
                shell.show("Q1"));
        assertEquals(shell.show("Q1"), shell.show("qQ1"), "as the log writes it");
    }

    @Test
    void holdsReleasesRetriesAndRemoves() throws IOException {
        house.send(envelope(ALICE, FAR), TEXT);
        house.send(envelope(ALICE, FAR), TEXT);
        assertEquals("Q2 is held", shell.hold("Q2"));
        assertEquals(1, house.work());
        assertEquals(0, house.work());
        assertEquals("Q1 is tried now", shell.retry("Q1"));
        assertEquals(1, house.work());
        assertEquals("1 message is tried now", shell.retry("all"));
        assertEquals(1, house.work());
        assertEquals("Q2 is held: it is tried when you release it", shell.retry("Q2"));
        assertEquals("Q2 is released", shell.release("Q2"));
        assertEquals(1, house.work());
        assertEquals("Q1 from <alice@example.test> is removed", shell.remove("Q1"));
        assertEquals("1 message", shell.list().getLast());
    }

    @Test
    void saysInOneLineThatThereIsNoSuchMessage() {
        IllegalArgumentException thrown =
                assertThrows(IllegalArgumentException.class, () -> shell.show("XYZ"));
        assertEquals(
                "queue: no message XYZ; queue:list shows those there are", thrown.getMessage());
    }
}
