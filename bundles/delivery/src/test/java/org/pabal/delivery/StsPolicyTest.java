package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.testkit.Fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

class StsPolicyTest {

    private static final String RFC =
            """
            version: STSv1
            mode: enforce
            mx: mail.example.com
            mx: *.example.net
            mx: backupmx.example.com
            max_age: 604800
            """;

    // RFC 8461 §3.2
    @Test
    void exampleOfTheStandardIsRead() throws IOException {
        StsPolicy policy = parsed(RFC);
        assertEquals("1", policy.id());
        assertEquals(StsPolicy.Mode.ENFORCE, policy.mode());
        assertEquals(
                List.of("mail.example.com", "*.example.net", "backupmx.example.com"),
                policy.hosts());
        assertEquals(Duration.ofDays(7), policy.maxAge());
        assertEquals(RFC.lines().toList(), policy.lines());
    }

    @Test
    void linesMayEndAsInMail() throws IOException {
        assertEquals(parsed(RFC), parsed(RFC.replace("\n", "\r\n")));
        assertEquals(parsed(RFC), parsed(RFC.strip()));
    }

    @Test
    void whatNobodyKnowsIsSkippedAndTheFirstOfTwoCounts() throws IOException {
        StsPolicy policy = parsed(RFC + "mode: none\nmax_age: 1\nsaid-by: 나\n");
        assertEquals(StsPolicy.Mode.ENFORCE, policy.mode());
        assertEquals(Duration.ofDays(7), policy.maxAge());
    }

    @Test
    void policyOfNoneNeedsNoHosts() throws IOException {
        assertEquals(StsPolicy.Mode.NONE, parsed("version:STSv1\nmode:none\nmax_age:1\n").mode());
    }

    @Test
    void nothingIsKeptForMoreThanAYear() throws IOException {
        assertEquals(
                Duration.ofSeconds(31_557_600),
                parsed(RFC.replace("604800", "9999999999")).maxAge());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "<html>\n",
                "version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1\n",
                "mode: enforce\nmx: a.example\nmax_age: 1\n",
                "version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1\n",
                "version: STSv1\nmx: a.example\nmax_age: 1\n",
                "version: STSv1\nmode: enforce\nmax_age: 1\n",
                "version: STSv1\nmode: enforce\nmx: a.example\n",
                "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1\n",
                "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 12345678901\n",
                "version: STSv1\nmode: enforce\nmx: *.*.example\nmax_age: 1\n",
                "version: STSv1\nmode: enforce\nmx: a*.example\nmax_age: 1\n",
                "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n",
                "version: STSv1\nmode: enforce\nmx: a..example\nmax_age: 1\n",
                "version: STSv1\nmode: enforce\nmx:\nmax_age: 1\n",
                "version: STSv1\rmode: enforce\rmx: a.example\rmax_age: 1\r",
            })
    void whatIsNoPolicyIsRefused(String text) {
        assertThrows(IOException.class, () -> parsed(text));
    }

    @Test
    void policyThatIsTooLongIsRefused() throws IOException {
        String filler = ("x: " + "y".repeat(95) + "\n").repeat(700);
        String longest = filler.substring(0, 65_536 - RFC.length() - 1) + "\n" + RFC;
        assertEquals(StsPolicy.Mode.ENFORCE, parsed(longest).mode());
        assertThrows(IOException.class, () -> parsed(longest + "\n"));
        assertThrows(IOException.class, () -> parsed(RFC + "x: " + "y".repeat(2_000)));
        assertThrows(IOException.class, () -> parsed(RFC + "x:y\n".repeat(2_000)));
    }

    // RFC 8461 §4.1
    @ParameterizedTest
    @CsvSource({
        "mail.example.com, true",
        "MAIL.EXAMPLE.COM, true",
        "mail.example.com., true",
        "mx1.example.net, true",
        "a.mx1.example.net, false",
        "example.net, false",
        ".example.net, false",
        "evilexample.net, false",
        "www.example.com, false",
        "'', false",
    })
    void wildcardIsOneLabel(String host, boolean named) throws IOException {
        assertEquals(named, parsed(RFC).names(host));
    }

    @Test
    void anyOctetsAreRefusedOrRead() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/sts-policy"),
                input -> {
                    StsPolicy policy;
                    try {
                        policy = StsPolicy.parse("1", input);
                    } catch (IOException e) {
                        return;
                    }
                    assertTrue(policy.mode() == StsPolicy.Mode.NONE || !policy.hosts().isEmpty());
                    assertTrue(policy.maxAge().compareTo(Duration.ofSeconds(31_557_600)) <= 0);
                    assertFalse(policy.maxAge().isNegative());
                    for (String host : policy.hosts()) {
                        assertTrue(host.matches("(\\*\\.)?[a-z0-9_-]+(\\.[a-z0-9_-]+)*"), host);
                        assertTrue(policy.names(host.replace("*", "x")), host);
                    }
                    assertEquals(
                            policy,
                            StsPolicy.parse(
                                    "1",
                                    String.join("\n", policy.lines())
                                            .getBytes(StandardCharsets.UTF_8)));
                });
    }

    private static StsPolicy parsed(String text) throws IOException {
        return StsPolicy.parse("1", text.getBytes(StandardCharsets.UTF_8));
    }
}
