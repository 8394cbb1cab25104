package org.pabal.pop3;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// What a client can ask for: RFC 1939 §5 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2
/// and §3.
sealed interface Pop3Command {

    /// @param login as it was sent, octets of UTF-8
    record User(byte[] login) implements Pop3Command {}

    /// @param password all octets after the one space, spaces included (RFC 1939 §7)
    record Pass(byte[] password) implements Pop3Command {
        @Override
        public String toString() {
            return "Pass[…]";
        }
    }

    /// @param initial what the client sent along in base64, or `=` for no octets
    record Auth(String mechanism, Optional<String> initial) implements Pop3Command {
        @Override
        public String toString() {
            return "Auth[" + mechanism + "]";
        }
    }

    record Quit() implements Pop3Command {}

    record Stat() implements Pop3Command {}

    /// @param number empty for all messages
    record Scan(OptionalInt number) implements Pop3Command {}

    record Retr(int number) implements Pop3Command {}

    record Dele(int number) implements Pop3Command {}

    record Noop() implements Pop3Command {}

    record Rset() implements Pop3Command {}

    /// @param lines how many of the body
    record Top(int number, int lines) implements Pop3Command {}

    /// @param number empty for all messages
    record Uidl(OptionalInt number) implements Pop3Command {}

    record Capa() implements Pop3Command {}

    record Stls() implements Pop3Command {}

    record Utf8() implements Pop3Command {}

    /// @param range empty to ask which languages there are
    record Lang(Optional<String> range) implements Pop3Command {}

    /// A command that we know, with arguments that it does not take.
    ///
    /// @param usage how it is written
    record Misused(String usage) implements Pop3Command {}

    record Unknown() implements Pop3Command {}

    /// Reads one line, without its CR LF. Keywords are taken in any case (RFC 1939 §3). Never
    /// fails: what cannot be understood is [Unknown] or [Misused].
    static Pop3Command parse(byte[] line) {
        int space = 0;
        while (space < line.length && line[space] != ' ') {
            space++;
        }
        boolean bare = space == line.length;
        byte[] rest = bare ? new byte[0] : Arrays.copyOfRange(line, space + 1, line.length);
        String keyword =
                new String(line, 0, space, StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
        // ISO 8859-1 keeps octets apart, so that no argument of ours can be spelt in two ways
        String[] words = words(new String(rest, StandardCharsets.ISO_8859_1));
        return switch (keyword) {
            case "USER" -> words.length == 0 ? new Misused("USER name") : new User(trimmed(rest));
            case "PASS" -> bare ? new Misused("PASS password") : new Pass(rest);
            case "AUTH" ->
                    words.length < 1 || words.length > 2
                            ? new Misused("AUTH mechanism [initial-response]")
                            : new Auth(
                                    words[0],
                                    words.length == 2 ? Optional.of(words[1]) : Optional.empty());
            case "QUIT" -> alone(words, new Quit(), "QUIT");
            case "STAT" -> alone(words, new Stat(), "STAT");
            case "NOOP" -> alone(words, new Noop(), "NOOP");
            case "RSET" -> alone(words, new Rset(), "RSET");
            case "CAPA" -> alone(words, new Capa(), "CAPA");
            case "STLS" -> alone(words, new Stls(), "STLS");
            case "UTF8" -> alone(words, new Utf8(), "UTF8");
            case "LIST" ->
                    !numbers(words, 0, 1)
                            ? new Misused("LIST [number]")
                            : new Scan(
                                    words.length == 0
                                            ? OptionalInt.empty()
                                            : OptionalInt.of(number(words[0])));
            case "UIDL" ->
                    !numbers(words, 0, 1)
                            ? new Misused("UIDL [number]")
                            : new Uidl(
                                    words.length == 0
                                            ? OptionalInt.empty()
                                            : OptionalInt.of(number(words[0])));
            case "RETR" ->
                    !numbers(words, 1, 1) ? new Misused("RETR number") : new Retr(number(words[0]));
            case "DELE" ->
                    !numbers(words, 1, 1) ? new Misused("DELE number") : new Dele(number(words[0]));
            case "TOP" ->
                    !numbers(words, 2, 2)
                            ? new Misused("TOP number lines")
                            : new Top(number(words[0]), number(words[1]));
            case "LANG" ->
                    words.length > 1
                            ? new Misused("LANG [language]")
                            : new Lang(
                                    words.length == 1 ? Optional.of(words[0]) : Optional.empty());
            default -> new Unknown();
        };
    }

    private static Pop3Command alone(String[] words, Pop3Command command, String usage) {
        return words.length == 0 ? command : new Misused(usage);
    }

    private static String[] words(String text) {
        String stripped = trimmed(text);
        return stripped.isEmpty() ? new String[0] : stripped.split(" +");
    }

    /// Without spaces at both ends; other white space stays, for it does not part arguments.
    private static String trimmed(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && text.charAt(from) == ' ') {
            from++;
        }
        while (to > from && text.charAt(to - 1) == ' ') {
            to--;
        }
        return text.substring(from, to);
    }

    private static byte[] trimmed(byte[] octets) {
        return trimmed(new String(octets, StandardCharsets.ISO_8859_1))
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static boolean numbers(String[] words, int least, int most) {
        if (words.length < least || words.length > most) {
            return false;
        }
        for (String word : words) {
            if (!word.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return false;
            }
        }
        return true;
    }

    /// A number too great for us is as good as the greatest: no maildrop has that many messages, no
    /// message that many lines.
    private static int number(String digits) {
        long value = 0;
        for (int i = 0; i < digits.length() && value <= Integer.MAX_VALUE; i++) {
            value = value * 10 + digits.charAt(i) - '0';
        }
        return (int) Math.min(value, Integer.MAX_VALUE);
    }
}
