package org.pabal.smtp.client;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/// What the other side said that it can do, RFC 5321 §4.1.1.1: the keywords of its answer to EHLO
/// or LHLO. Those of a server that knows only HELO are empty.
///
/// @param keywords in upper case, each with its parameters as they came, parted by blanks
public record Capabilities(Map<String, String> keywords) {

    public static final Capabilities NONE = new Capabilities(Map.of());

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    public Capabilities {
        keywords = Map.copyOf(keywords);
    }

    /// Reads the answer to EHLO, RFC 5321 §4.1.1.1: the first line is a greeting, each other a
    /// keyword with its parameters. What is no keyword is passed over.
    static Capabilities of(Reply reply) {
        Map<String, String> keywords = new HashMap<>();
        for (String line : reply.lines().subList(1, reply.lines().size())) {
            // `AUTH=LOGIN` is how some wrote it before RFC 4954
            String[] words = line.strip().split("[ =]+", 2);
            String keyword = words[0].toUpperCase(Locale.ROOT);
            if (keyword.matches("[A-Z0-9][A-Z0-9-]{0,63}")) {
                String parameters = words.length == 2 ? words[1].strip() : "";
                keywords.merge(keyword, parameters, (one, other) -> (one + " " + other).strip());
            }
        }
        return new Capabilities(keywords);
    }

    /// RFC 2920: commands may be sent without waiting for each reply.
    public boolean pipelining() {
        return keywords.containsKey("PIPELINING");
    }

    /// RFC 6152.
    public boolean eightBit() {
        return keywords.containsKey("8BITMIME");
    }

    /// RFC 6531.
    public boolean utf8() {
        return keywords.containsKey("SMTPUTF8");
    }

    /// RFC 3030: BDAT.
    public boolean chunking() {
        return keywords.containsKey("CHUNKING");
    }

    /// RFC 3030 §3, which needs BDAT.
    public boolean binary() {
        return chunking() && keywords.containsKey("BINARYMIME");
    }

    /// RFC 3461.
    public boolean reports() {
        return keywords.containsKey("DSN");
    }

    /// RFC 3207.
    public boolean startTls() {
        return keywords.containsKey("STARTTLS");
    }

    /// RFC 8689.
    public boolean requireTls() {
        return keywords.containsKey("REQUIRETLS");
    }

    /// RFC 2852.
    public boolean deliverBy() {
        return keywords.containsKey("DELIVERBY");
    }

    /// The least time in seconds that a message with mode R must have left, RFC 2852 §4; 0 when
    /// nothing was said.
    public long deliverByLeast() {
        String said = keywords.getOrDefault("DELIVERBY", "").strip();
        return said.matches("[0-9]{1,9}") ? Long.parseLong(said) : 0;
    }

    /// RFC 6710.
    public boolean priority() {
        return keywords.containsKey("MT-PRIORITY");
    }

    /// The largest message in octets, RFC 1870 §3; empty when nothing or 0 was said.
    public OptionalLong size() {
        String said = keywords.getOrDefault("SIZE", "").strip();
        return NUMBER.matcher(said).matches() && Long.parseLong(said) > 0
                ? OptionalLong.of(Long.parseLong(said))
                : OptionalLong.empty();
    }

    public boolean sized() {
        return keywords.containsKey("SIZE");
    }

    /// SASL mechanisms in upper case, RFC 4954 §3.
    public Set<String> mechanisms() {
        String said = keywords.getOrDefault("AUTH", "").strip().toUpperCase(Locale.ROOT);
        return said.isEmpty() ? Set.of() : Set.copyOf(List.of(said.split(" +")));
    }

    /// A limit of RFC 9422, `RCPTMAX`, `MAILMAX` or `RCPTDOMAINMAX`.
    public OptionalLong limit(String name) {
        if (!keywords.containsKey("LIMITS")) {
            return OptionalLong.empty();
        }
        for (String word : keywords.getOrDefault("LIMITS", "").split(" +")) {
            if (word.matches("(?i)" + name + "=[1-9][0-9]{0,8}")) {
                return OptionalLong.of(Long.parseLong(word.substring(name.length() + 1)));
            }
        }
        return OptionalLong.empty();
    }
}
