package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.Attempt;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Status;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

class QueueStateTest {

    private static final MailAddress BOB = new MailAddress("bob", "example.net");

    /// As it was written before there was a history.
    private static final String BEFORE =
            """
            pabal-queue 1
            id M82VSDX5EHPP
            revision 2
            size 22
            in file
            accepted 2026-11-22T12:00:00Z
            attempts 1
            next 2026-11-22T12:10:00Z
            due next
            held no
            from alice@example.org BODY=8BITMIME
            to bob@example.net
            why bob@example.net 451 4.4.1 nobody%20answers
            """;

    private static final String TRIES =
            """
            try 2026-11-22T12:00:01Z % % 451 4.4.1 nobody%20answers bob@example.net
            try 2026-11-22T12:05:01Z mx.example.net%20[192.0.2.25]:25 TLSv1.3,%20dane 451 % wait bob@example.net carol@example.net
            """;

    @Test
    void textWithoutTriesHasNoHistory() {
        QueueState state = QueueState.read(Words.utf8(BEFORE));
        assertEquals(List.of(), state.history());
        assertEquals(BEFORE, text(state));
    }

    @Test
    void triesAreLinesThatAPersonCanRead() {
        QueueState state = QueueState.read(Words.utf8(BEFORE + TRIES));
        assertEquals(
                List.of(
                        new Attempt(
                                Instant.parse("2026-11-22T12:00:01Z"),
                                "",
                                "",
                                List.of(BOB),
                                new Status(451, "4.4.1", "nobody answers")),
                        new Attempt(
                                Instant.parse("2026-11-22T12:05:01Z"),
                                "mx.example.net [192.0.2.25]:25",
                                "TLSv1.3, dane",
                                List.of(BOB, new MailAddress("carol", "example.net")),
                                new Status(451, "", "wait"))),
                state.history());
        assertEquals(BEFORE + TRIES, text(state));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "try",
                "try yesterday % % 451 4.4.1 no",
                "try 2026-11-22T12:00:01Z % % 999 4.4.1 no",
                "try 2026-11-22T12:00:01Z % % 451 4.4.1",
                "try 2026-11-22T12:00:01Z % % 451 4.4.1 no bob",
                "try 2026-11-22T12:00:01Z %2 % 451 4.4.1 no"
            })
    void lineThatIsNoTryIsToldOf(String line) {
        byte[] text = Words.utf8(BEFORE + line + "\n");
        assertThrows(IllegalArgumentException.class, () -> QueueState.read(text));
    }

    @Test
    void textsAndListsOfATryAreCut() {
        Attempt large =
                new Attempt(
                        Instant.EPOCH,
                        "w".repeat(10_000),
                        "t".repeat(10_000),
                        java.util.Collections.nCopies(1_000, BOB),
                        new Status(451, "4.3.0", "r".repeat(10_000)));
        Attempt cut = TryHistory.grown(List.of(), List.of(large), 9).getFirst();
        assertEquals("w".repeat(TryHistory.MAX_TEXT - 1) + "…", cut.where());
        assertEquals("t".repeat(TryHistory.MAX_TEXT - 1) + "…", cut.tls());
        assertEquals("r".repeat(TryHistory.MAX_TEXT - 1) + "…", cut.reply().text());
        assertEquals(451, cut.reply().code());
        assertEquals(TryHistory.MAX_RECIPIENTS, cut.recipients().size());
    }

    @Test
    void wholeHistoryIsWithinItsLengthAndKeepsTheLatest() {
        List<Attempt> history = List.of();
        List<Attempt> all = new ArrayList<>();
        for (int i = 0; i < QueueEntry.MAX_HISTORY; i++) {
            Attempt attempt =
                    new Attempt(
                            Instant.EPOCH.plusSeconds(i),
                            "말".repeat(TryHistory.MAX_TEXT),
                            "",
                            List.of(BOB),
                            new Status(451, "4.3.0", "말".repeat(TryHistory.MAX_TEXT)));
            all.add(attempt);
            history = TryHistory.grown(history, List.of(attempt), QueueEntry.MAX_HISTORY);
        }
        assertTrue(TryHistory.length(history) <= TryHistory.MAX_LENGTH);
        assertTrue(TryHistory.length(history) > TryHistory.MAX_LENGTH - 2_000, "as many as fit");
        assertEquals(all.subList(all.size() - history.size(), all.size()), history);
        assertEquals(
                all.subList(all.size() - TryHistory.FEW, all.size()),
                TryHistory.grown(history, List.of(), TryHistory.FEW));
    }

    private static String text(QueueState state) {
        return new String(state.octets(), StandardCharsets.UTF_8);
    }
}
