package org.pabal.smtp;

import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The parameters of MAIL and RCPT, RFC 5321 §4.1.1.11: checked here, kept as they came for those
/// who act on them.
///
/// @param refusal why they are not accepted
/// @param size what SIZE said (RFC 1870), or 0
/// @param kept all but SIZE and AUTH; values that are words of the standard in upper case,
/// the number of BY without a plus sign and leading zeros
record EsmtpParameters(Optional<SmtpReply> refusal, long size, Map<String, String> kept) {

    private static final EsmtpParameters NONE = new EsmtpParameters(Optional.empty(), 0, Map.of());
    private static final Pattern BY = Pattern.compile("([+-]?[0-9]{1,9});([RN])T?");
    private static final Set<String> NOTIFIED = Set.of("SUCCESS", "FAILURE", "DELAY");

    static EsmtpParameters ofMail(String text) {
        return of(text, true);
    }

    static EsmtpParameters ofRcpt(String text) {
        return of(text, false);
    }

    private static EsmtpParameters of(String text, boolean mail) {
        if (text.isEmpty()) {
            return NONE;
        }
        Map<String, String> kept = new HashMap<>();
        Set<String> seen = new HashSet<>();
        long size = 0;
        for (String parameter : text.strip().split(" +")) {
            int equals = parameter.indexOf('=');
            String keyword =
                    (equals < 0 ? parameter : parameter.substring(0, equals))
                            .toUpperCase(Locale.ROOT);
            String value = equals < 0 ? "" : parameter.substring(equals + 1);
            if (!seen.add(keyword)) {
                return refused(new SmtpReply(501, "5.5.4", keyword(keyword) + " stands twice"));
            }
            Optional<String> good = mail ? mailValue(keyword, value) : rcptValue(keyword, value);
            if (good.isEmpty()) {
                boolean known = (mail ? MAIL_KEYWORDS : RCPT_KEYWORDS).contains(keyword);
                return refused(
                        known
                                ? new SmtpReply(
                                        501, "5.5.4", keyword + " has a value that it cannot have")
                                : unknown(keyword));
            }
            switch (keyword) {
                case "SIZE" -> size = CommandParser.number(value).orElse(Long.MAX_VALUE);
                case "AUTH" -> {} // RFC 4954 §5: nobody is trusted to vouch for others, so it
                // counts as <>
                default -> kept.put(keyword, good.get());
            }
        }
        if (kept.containsKey("HOLDFOR") && kept.containsKey("HOLDUNTIL")) {
            // RFC 4865
            return refused(new SmtpReply(501, "5.5.4", "HOLDFOR or HOLDUNTIL, not both"));
        }
        return new EsmtpParameters(Optional.empty(), size, kept);
    }

    /// What is said to a parameter that is not offered to this client.
    static SmtpReply unknown(String keyword) {
        return new SmtpReply(555, "5.5.4", keyword(keyword) + " is no parameter known here");
    }

    private static final List<String> MAIL_KEYWORDS =
            List.of(
                    "SIZE",
                    "BODY",
                    "SMTPUTF8",
                    "AUTH",
                    "RET",
                    "ENVID",
                    "HOLDFOR",
                    "HOLDUNTIL",
                    "BY",
                    "MT-PRIORITY",
                    "REQUIRETLS");
    private static final List<String> RCPT_KEYWORDS = List.of("NOTIFY", "ORCPT");

    /// The value to keep; empty when it is wrong, or the keyword is not known.
    private static Optional<String> mailValue(String keyword, String value) {
        String word = value.toUpperCase(Locale.ROOT);
        boolean good =
                switch (keyword) {
                    case "SIZE" -> CommandParser.number(value).isPresent(); // RFC 1870 §4
                    case "BODY" ->
                            word.equals("7BIT")
                                    || word.equals("8BITMIME") // RFC 6152 §2
                                    || word.equals("BINARYMIME"); // RFC 3030 §3
                    case "SMTPUTF8" -> value.isEmpty(); // RFC 6531 §3.4
                    case "REQUIRETLS" -> value.isEmpty(); // RFC 8689 §2
                    case "HOLDFOR" -> value.matches("[1-9][0-9]{0,8}"); // RFC 4865
                    case "HOLDUNTIL" -> dateTime(word);
                    case "BY" -> deliverBy(word);
                    case "MT-PRIORITY" -> value.matches("0|-?[1-9]"); // RFC 6710 §3
                    case "AUTH" ->
                            !value.isEmpty()
                                    && value.length() <= 500
                                    && (value.equals("<>") || xtext(value));
                    case "RET" -> word.equals("FULL") || word.equals("HDRS"); // RFC 3461 §4.3
                    case "ENVID" ->
                            !value.isEmpty()
                                    && value.length() <= 100
                                    && xtext(value); // RFC 3461 §4.4
                    default -> false;
                };
        if (!good) {
            return Optional.empty();
        }
        return Optional.of(
                switch (keyword) {
                    case "ENVID" -> value;
                    case "BY" ->
                            Integer.parseInt(word, 0, word.indexOf(';'), 10)
                                    + word.substring(word.indexOf(';'));
                    default -> word;
                });
    }

    /// RFC 3339 §5.6, which RFC 4865 means (erratum 2040).
    private static boolean dateTime(String word) {
        if (!word.matches(
                "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?"
                        + "(Z|[+-][0-9]{2}:[0-9]{2})")) {
            return false;
        }
        try {
            OffsetDateTime.parse(word);
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }

    /// RFC 2852: a return (`R`) needs time that is still to come; a notice (`N`) may be late
    /// already.
    private static boolean deliverBy(String word) {
        Matcher by = BY.matcher(word);
        return by.matches() && (by.group(2).equals("N") || Integer.parseInt(by.group(1)) > 0);
    }

    private static Optional<String> rcptValue(String keyword, String value) {
        String word = value.toUpperCase(Locale.ROOT);
        return switch (keyword) {
            case "NOTIFY" -> notification(word) ? Optional.of(word) : Optional.empty();
            case "ORCPT" -> originalRecipient(value) ? Optional.of(value) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /// RFC 3461 §4.1: NEVER stands alone.
    private static boolean notification(String word) {
        return word.equals("NEVER") || NOTIFIED.containsAll(List.of(word.split(",", -1)));
    }

    /// RFC 3461 §4.2, and RFC 6533 §3 for addresses in UTF-8.
    private static boolean originalRecipient(String value) {
        int semicolon = value.indexOf(';');
        if (semicolon <= 0 || semicolon == value.length() - 1 || value.length() > 500) {
            return false;
        }
        String type = value.substring(0, semicolon);
        String address = value.substring(semicolon + 1);
        boolean unicode = type.equalsIgnoreCase("utf-8");
        boolean goodType =
                type.chars()
                        .allMatch(
                                c ->
                                        c >= 'a' && c <= 'z'
                                                || c >= 'A' && c <= 'Z'
                                                || c >= '0' && c <= '9'
                                                || c == '-');
        return goodType && (unicode ? xtext(asciiOnly(address)) : xtext(address));
    }

    private static String asciiOnly(String text) {
        StringBuilder ascii = new StringBuilder(text.length());
        text.chars().filter(c -> c < 128).forEach(c -> ascii.append((char) c));
        return ascii.toString();
    }

    /// RFC 3461 §4: printable characters but `+` and `=`, and `+` with two upper-case hexadecimal
    /// digits.
    static boolean xtext(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '+') {
                if (i + 2 >= text.length()
                        || !hexadecimal(text.charAt(i + 1))
                        || !hexadecimal(text.charAt(i + 2))) {
                    return false;
                }
                i += 2;
            } else if (c < '!' || c > '~' || c == '=') {
                return false;
            }
        }
        return true;
    }

    private static boolean hexadecimal(char c) {
        return c >= '0' && c <= '9' || c >= 'A' && c <= 'F';
    }

    private static String keyword(String text) {
        return text.length() > 40 ? text.substring(0, 40) : text;
    }

    private static EsmtpParameters refused(SmtpReply reply) {
        return new EsmtpParameters(Optional.of(reply), 0, Map.of());
    }
}
