package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Envelope;
import org.pabal.mail.QueueEntry;
import org.pabal.smtp.ScriptedConnection.Portions;
import org.pabal.testkit.Fuzz;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// Whatever a client says, it gets well-formed replies, and what is queued is what was
/// acknowledged.
final class SmtpFuzzTest {

    @Test
    void withstandsAnyClient() throws Exception {
        Fuzz.run(Path.of("src/test/resources/fuzz"), SmtpFuzzTest::converse);
    }

    private static void converse(byte[] input) throws Exception {
        Role role = Role.values()[input.length % 3];
        for (Portions portions :
                new Portions[] {
                    Portions.LINES, input.length % 2 == 0 ? Portions.ALL : Portions.OCTETS
                }) {
            TestNode node = new TestNode().limits(20_000, 5_000, 100, 50, 20);
            node.forwarded = Optional.of(new TestNode.Srs());
            node.sending = new SendingLimits(3, 10, node.clock);
            ScriptedConnection connection = new ScriptedConnection(input, portions);
            node.as(role).converse(connection);
            String said = connection.said.toString(StandardCharsets.UTF_8);
            int accepted = 0;
            for (String line : said.split("\r\n")) {
                assertTrue(
                        line.matches("[2-5][0-9][0-9][ -][^\\p{Cntrl}]*") && line.length() < 512,
                        line);
                if (line.startsWith("250 2.0.0 accepted as")
                        || line.startsWith("250 2.1.5 <") && line.contains("accepted as")) {
                    accepted++;
                }
            }
            assertTrue(said.endsWith("\r\n"));
            if (role == Role.LMTP) {
                assertTrue(node.queued().size() <= accepted);
            } else {
                assertEquals(accepted, node.queued().size());
            }
            for (QueueEntry entry : node.queued()) {
                check(entry, role);
            }
            // three messages of alice, three of bob
            boolean ofAccounts = role == Role.SUBMISSION;
            assertTrue(!ofAccounts || node.queued().size() <= 6);
        }
    }

    private static void check(QueueEntry entry, Role role) throws Exception {
        Envelope envelope = entry.envelope();
        Map<String, String> terms = envelope.parameters();
        assertFalse(terms.containsKey("HOLDFOR") || terms.containsKey("REQUIRETLS"));
        assertEquals(terms.containsKey("HOLDUNTIL"), envelope.holdUntil().isPresent());
        assertFalse(terms.containsKey("HOLDUNTIL") && role != Role.SUBMISSION);
        assertEquals(terms.getOrDefault("MT-PRIORITY", "0"), "" + envelope.priority());
        assertTrue(terms.getOrDefault("BY", "1;R").matches("(-?[0-9]{1,9};N|[0-9]{1,9};R)T?"));
        String text = TestNode.text(entry);
        assertTrue(text.startsWith("Received: from "));
        assertTrue(entry.content().size() <= 21_000);
        boolean binary = "BINARYMIME".equals(entry.envelope().parameters().get("BODY"));
        String lines = text.replace("\r\n", "");
        assertFalse(
                !binary
                        && (lines.indexOf('\r') >= 0
                                || lines.indexOf('\n') >= 0
                                || lines.indexOf('\0') >= 0));
    }
}
