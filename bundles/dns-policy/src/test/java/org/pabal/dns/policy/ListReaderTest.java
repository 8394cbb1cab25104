package org.pabal.dns.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

class ListReaderTest {

    private final BlockedNames.Builder builder = new BlockedNames.Builder(10);
    private final ListReader reader = new ListReader(builder, 1_000);

    private BlockedNames read(String text) throws IOException {
        reader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        return builder.done();
    }

    private static void blocks(BlockedNames names, String... blocked) throws TextParseException {
        for (String name : blocked) {
            assertTrue(names.blocks(name(name)).isPresent(), name);
        }
    }

    private static void leaves(BlockedNames names, String... left) throws TextParseException {
        for (String name : left) {
            assertFalse(names.blocks(name(name)).isPresent(), name);
        }
    }

    private static Name name(String text) throws TextParseException {
        return Name.fromString(text, Name.root);
    }

    @Test
    void readsHostsFiles() throws IOException {
        BlockedNames names =
                read(
                        """
                        # comment
                        127.0.0.1 localhost
                        127.0.0.1 localhost.localdomain
                        0.0.0.0 0.0.0.0
                        0.0.0.0 ads.example.org tracker.example.org # both
                        ::1\tV6.example.org\r
                        192.0.2.1 printer.example.org
                        """);
        blocks(names, "ads.example.org", "ADS.example.ORG", "tracker.example.org");
        blocks(names, "v6.example.org");
        leaves(
                names,
                "localhost",
                "localhost.localdomain",
                "0.0.0.0",
                "both",
                "printer.example.org");
        leaves(names, "www.ads.example.org", "example.org", ".");
        assertEquals(3, names.size());
        assertEquals(1, reader.skipped());
        assertEquals(7, reader.firstSkipped());
    }

    @Test
    void readsOneNameALine() throws IOException {
        BlockedNames names =
                read("\uFEFFads.example.org\n\n*.wild.example.org\ndot.example.org.\nlast.example");
        blocks(names, "ads.example.org", "a.wild.example.org", "a.b.wild.example.org");
        blocks(names, "dot.example.org", "last.example");
        leaves(names, "wild.example.org", "www.ads.example.org");
        assertEquals(0, reader.skipped());
    }

    @Test
    void readsAdblockRules() throws IOException {
        BlockedNames names =
                read(
                        """
                        [Adblock Plus]
                        ! comment
                        ||ads.example.org^
                        @@||good.ads.example.org^
                        ||shop.example^$important
                        ||page.example^$third-party
                        /regular|expression/
                        example.com##.ad
                        """);
        blocks(names, "ads.example.org", "a.b.ads.example.org", "shop.example");
        leaves(names, "good.ads.example.org", "very.good.ads.example.org");
        leaves(names, "page.example", "bads.example.org", "example.com");
        assertEquals(3, reader.skipped());
    }

    @Test
    void readsNamesOfOtherScripts() throws IOException {
        blocks(read("||bücher.example^\n"), "xn--bcher-kva.example");
    }

    @Test
    void passesOverWhatIsNoName() throws IOException {
        String label = "a".repeat(63);
        BlockedNames names =
                read(
                        String.join(
                                "\n",
                                List.of(
                                        label + "a.example",
                                        "a..example",
                                        ".example",
                                        "||^",
                                        "192.0.2.1",
                                        "a/b.example",
                                        "x".repeat(100_000),
                                        (label + '.').repeat(4),
                                        "\u0000",
                                        "xn--\u00fc.example",
                                        "good.example")));
        assertEquals(1, names.size());
        blocks(names, "good.example");
        assertEquals(10, reader.skipped());
        assertEquals(1, reader.firstSkipped());
    }

    @Test
    void takesTheLongestNames() throws IOException {
        String longest = ("a".repeat(63) + '.').repeat(3) + "a".repeat(61);
        blocks(read(longest + '\n'), longest);
        assertEquals(0, reader.skipped());
    }

    @Test
    void refusesMoreNamesThanThereMayBe() {
        StringBuilder list = new StringBuilder();
        for (int i = 0; i <= 1_000; i++) {
            list.append('a').append(i).append(".example\n");
        }
        IOException e = assertThrows(IOException.class, () -> read(list.toString()));
        assertEquals("more than 1000 names", e.getMessage());
    }

    @Test
    void survivesBentLists() throws Exception {
        Name name = name("good.ads.example.org");
        Fuzz.run(
                Path.of("src/test/resources/fuzz/list"),
                octets -> {
                    BlockedNames.Builder bent = new BlockedNames.Builder(0);
                    ListReader lines = new ListReader(bent, 100_000);
                    lines.read(new ByteArrayInputStream(octets));
                    assertTrue(lines.skipped() >= 0);
                    bent.done().blocks(name).ifPresent(BlockedNames.Blocked::trigger);
                });
    }
}
