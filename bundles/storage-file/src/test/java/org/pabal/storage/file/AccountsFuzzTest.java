package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.pabal.testkit.Fuzz;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

class AccountsFuzzTest {

    @Test
    void readsAnyLinesOrPassesThemOver() throws Exception {
        TextLines domains = new TextLines(List.of("example.test"));
        Fuzz.run(
                Path.of("src/test/resources/fuzz/accounts"),
                input -> {
                    String text = new String(input, StandardCharsets.ISO_8859_1);
                    TextLines lines = new TextLines(List.of(text.split("\n", -1)));
                    assertArrayEquals(
                            (text + "\n").getBytes(StandardCharsets.ISO_8859_1), lines.octets());
                    AccountsVersion version = new AccountsVersion(domains, lines, lines);
                    new AccountsVersion(lines, lines, lines);
                    for (AccountLine line : version.accounts().values()) {
                        List<String> words =
                                new TextLines(List.of())
                                        .and(line.toString())
                                        .words(0)
                                        .orElseThrow();
                        assertEquals(
                                Optional.of(line.toString()),
                                AccountLine.parse(words).map(AccountLine::toString));
                    }
                });
    }
}
