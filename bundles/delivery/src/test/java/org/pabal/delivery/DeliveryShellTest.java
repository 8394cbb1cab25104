package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.NOON;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Attempt;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.testkit.MemoryContent;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

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
                        "Q1            90 s     50 B  waits, next in 30 s    from"
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
                        "to         <far@example.org>",
                        "           NOTIFY=FAILURE ORCPT=rfc822;far@example.org",
                        "           deferred: 451 4.4.0 no remote courier yet",
                        "accepted   2026-11-22T12:00:00Z, 0 s ago",
                        "state      waits, next try in 2 m; tried once"),
                // A queue that keeps a history shows it below.
                shell.show("Q1").subList(0, 7));
        assertEquals(shell.show("Q1"), shell.show("qQ1"), "as the log writes it");
    }

    @Test
    void showsEveryTryWithHostTlsAndReply() throws IOException {
        MailAddress further = new MailAddress("further", "example.org");
        List<String> lines =
                shown(
                        entry(
                                Map.of(),
                                List.of(FAR, further),
                                2,
                                List.of(
                                        new Attempt(
                                                NOON.plusMillis(1_500),
                                                "mx1.example.org [192.0.2.25]:25",
                                                "TLSv1.3, not verified",
                                                List.of(FAR, further, BOB),
                                                new Status(450, "4.7.1", "greylisted")),
                                        new Attempt(
                                                NOON.plusSeconds(120),
                                                "",
                                                "",
                                                List.of(further),
                                                new Status(451, "4.4.1", "nobody answers")))));
        assertEquals(
                List.of(
                        "state      waits, next try in 12 m; tried 2 times",
                        "tried      2026-11-22T12:00:01Z  mx1.example.org [192.0.2.25]:25",
                        "                                 TLSv1.3, not verified",
                        "                                 450 4.7.1 greylisted",
                        "tried      2026-11-22T12:02:00Z  for <further@example.org>",
                        "                                 451 4.4.1 nobody answers"),
                lines.subList(lines.size() - 6, lines.size()));
    }

    @Test
    void showsWhatTheSenderWishes() throws IOException {
        List<String> lines =
                shown(
                        entry(
                                Map.of(
                                        "HOLDUNTIL",
                                        "2026-11-22T20:00:00Z",
                                        "BY",
                                        "300;N",
                                        "MT-PRIORITY",
                                        "-4",
                                        "REQUIRETLS",
                                        ""),
                                List.of(FAR),
                                0,
                                List.of()));
        assertEquals(
                List.of(
                        "hold until 2026-11-22T20:00:00Z, in 8 h",
                        "deliver by 2026-11-22T12:05:00Z, in 5 m; its sender is told then",
                        "priority   -4, of -9 to 9",
                        "tls        only where it is verified and promised onward (REQUIRETLS)",
                        "state      waits, released at 2026-11-22T20:00:00Z as its sender wants;"
                                + " not tried yet"),
                lines.subList(6, lines.size()));
    }

    @Test
    void saysWhatAMessageWaitsFor() throws IOException {
        assertEquals(
                "state      waits for room: much is under way to its domain; next try in 12 m; not"
                        + " tried yet",
                shown(entry(Map.of(), List.of(FAR), 0, List.of())).getLast());
        house.send(envelope(ALICE, FAR), TEXT);
        assertEquals("state      is tried now, or waits its turn; not tried yet", state());
        shell.hold("Q1");
        assertEquals(
                "state      held by an administrator until queue:release Q1; not tried yet",
                state());
    }

    @Test
    void retryDoesNotOverruleTheSender() throws IOException {
        house.send(
                new Envelope(
                        Optional.of(ALICE),
                        Map.of("HOLDUNTIL", "2026-11-22T20:00:00Z"),
                        List.of(new Recipient(BOB))),
                TEXT);
        house.work();
        assertTrue(shell.list().getFirst().contains(" released in 8 h "), shell.list()::toString);
        assertEquals(
                "Q1 waits: its sender wants it held until 2026-11-22T20:00:00Z", shell.retry("Q1"));
        house.work();
        assertEquals(List.of(), house.inbox(BOB));
        assertEquals("0 messages are tried now", shell.retry("all"));
    }

    private String state() throws IOException {
        return shell.show("Q1").stream()
                .filter(line -> line.startsWith("state"))
                .findFirst()
                .orElseThrow();
    }

    private static QueueEntry entry(
            Map<String, String> parameters,
            List<MailAddress> to,
            int attempts,
            List<Attempt> history) {
        return new QueueEntry(
                new QueueId("Q1"),
                new Envelope(
                        Optional.of(ALICE), parameters, to.stream().map(Recipient::new).toList()),
                MemoryContent.of(TEXT),
                NOON,
                attempts,
                NOON.plus(Duration.ofMinutes(12)),
                false,
                Map.of(),
                history);
    }

    private List<String> shown(QueueEntry entry) throws IOException {
        MailQueue queue =
                (MailQueue)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {MailQueue.class},
                                (proxy, method, arguments) -> Stream.of(entry));
        return new DeliveryShell(queue, house.clock).show("Q1");
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
