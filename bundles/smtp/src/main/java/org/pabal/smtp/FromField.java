package org.pabal.smtp;

import org.pabal.mail.MailAddress;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads the addresses of a From field, RFC 5322 §3.4 with groups (RFC 6854), comments and obsolete
/// routes.
///
/// Read strictly, since a receiver shows these addresses to a person: a field that cannot be
/// understood has no addresses that anybody could vouch for.
final class FromField {

    private static final int DEEPEST_COMMENT = 20;
    private static final int MOST_ADDRESSES = 100;
    private static final int LONGEST_ADDRESS = 1_000;

    private final String text;
    private final List<MailAddress> found = new ArrayList<>(1);
    private final StringBuilder bare = new StringBuilder();
    private Optional<String> angled = Optional.empty();
    private int at;

    private FromField(String text) {
        this.text = text;
    }

    /// All addresses, or empty when the field is not understood.
    static Optional<List<MailAddress>> addresses(String value) {
        FromField field = new FromField(value);
        return field.read() ? Optional.of(field.found) : Optional.empty();
    }

    private boolean read() {
        boolean good = true;
        while (good && at < text.length()) {
            char c = text.charAt(at);
            switch (c) {
                case '(' -> good = comment();
                case '"' -> good = quoted();
                case '<' -> good = angle();
                case ',', ';' -> {
                    good = endOfMailbox();
                    at++;
                }
                case ':' -> {
                    // the name of a group ends here
                    good = angled.isEmpty();
                    bare.setLength(0);
                    at++;
                }
                case ' ', '\t' -> {
                    bare.append(' ');
                    at++;
                }
                case '[' -> good = literal();
                default -> {
                    bare.append(c);
                    at++;
                }
            }
        }
        return good && endOfMailbox();
    }

    private boolean endOfMailbox() {
        String address = angled.orElse(bare.toString()).strip();
        bare.setLength(0);
        boolean nothing = angled.isEmpty() && address.isEmpty();
        angled = Optional.empty();
        if (nothing) {
            return true;
        }
        String compact = compact(address);
        Optional<MailAddress> parsed =
                compact.length() > LONGEST_ADDRESS ? Optional.empty() : MailAddress.parse(compact);
        parsed.ifPresent(found::add);
        return parsed.isPresent() && found.size() <= MOST_ADDRESSES;
    }

    /// Without the blanks that RFC 5322 §4.4 lets stand around dots and the `@`.
    private static String compact(String address) {
        StringBuilder compact = new StringBuilder(address.length());
        boolean blank = false;
        for (int i = 0; i < address.length(); i++) {
            char c = address.charAt(i);
            if (c == ' ') {
                blank = true;
                continue;
            }
            boolean joins =
                    c == '.'
                            || c == '@'
                            || compact.isEmpty()
                            || ".@".indexOf(compact.charAt(compact.length() - 1)) >= 0;
            if (blank && !joins) {
                compact.append(' ');
            }
            blank = false;
            compact.append(c);
        }
        return compact.toString();
    }

    private boolean comment() {
        int depth = 0;
        for (; at < text.length(); at++) {
            switch (text.charAt(at)) {
                case '\\' -> at++;
                case '(' -> depth++;
                case ')' -> depth--;
                default -> {}
            }
            if (depth > DEEPEST_COMMENT) {
                return false;
            }
            if (depth == 0) {
                at++;
                bare.append(' ');
                return true;
            }
        }
        return false;
    }

    private boolean quoted() {
        int start = at++;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '\\') {
                at++;
            } else if (c == '"') {
                at++;
                bare.append(text, start, at);
                return true;
            }
        }
        return false;
    }

    private boolean literal() {
        int end = text.indexOf(']', at);
        if (end < 0) {
            return false;
        }
        bare.append(text, at, end + 1);
        at = end + 1;
        return true;
    }

    private boolean angle() {
        if (angled.isPresent()) {
            return false;
        }
        bare.setLength(0);
        at++;
        boolean good = true;
        while (good && at < text.length()) {
            char c = text.charAt(at);
            switch (c) {
                case '>' -> {
                    at++;
                    // RFC 5322 §4.4: an obsolete route is ignored
                    String inside = bare.toString().strip();
                    angled =
                            Optional.of(
                                    inside.startsWith("@")
                                            ? inside.substring(inside.indexOf(':') + 1)
                                            : inside);
                    bare.setLength(0);
                    return true;
                }
                case '(' -> good = comment();
                case '"' -> good = quoted();
                case '<' -> good = false;
                default -> {
                    bare.append(c);
                    at++;
                }
            }
        }
        return false;
    }
}
