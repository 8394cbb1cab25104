package org.pabal.mail;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// RFC 5321 §4.1.2 Mailbox, read strictly: what we do not understand we must not route.
final class AddressParser {

    // RFC 5321 §4.5.3.1.1 and §4.5.3.1.2
    private static final int MAX_LOCAL_OCTETS = 64;
    private static final int MAX_DOMAIN_OCTETS = 255;

    private AddressParser() {}

    static Optional<MailAddress> parse(String text) {
        StringBuilder local = new StringBuilder();
        int at = text.startsWith("\"") ? quotedLocal(text, local) : dotLocal(text, local);
        if (at <= 0
                || at >= text.length()
                || text.charAt(at) != '@'
                || octets(local) > MAX_LOCAL_OCTETS) {
            return Optional.empty();
        }
        String domain = text.substring(at + 1);
        if (octets(domain) > MAX_DOMAIN_OCTETS
                || !(domain.startsWith("[") ? literal(domain) : domainName(domain))) {
            return Optional.empty();
        }
        return Optional.of(new MailAddress(local.toString(), domain));
    }

    static String quoted(String local) {
        if (dotLocal(local + "@", new StringBuilder()) == local.length()) {
            return local;
        }
        return '"' + local.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /// Reads atoms with dots between them; answers where they end, or -1.
    private static int dotLocal(String text, StringBuilder local) {
        int atom = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '@') {
                return atom > 0 ? i : -1;
            }
            if (c == '.') {
                if (atom == 0) {
                    return -1;
                }
                atom = 0;
            } else if (atomText(c)) {
                atom++;
            } else {
                return -1;
            }
            local.append(c);
        }
        return -1;
    }

    private static int quotedLocal(String text, StringBuilder local) {
        for (int i = 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"') {
                return local.isEmpty() ? -1 : i + 1;
            }
            if (c == '\\' && ++i < text.length()) {
                c = text.charAt(i);
            }
            if (c < ' ' || c == 127) {
                return -1;
            }
            local.append(c);
        }
        return -1;
    }

    private static boolean domainName(String domain) {
        for (String label : domain.split("\\.", -1)) {
            if (label.isEmpty()
                    || label.startsWith("-")
                    || label.endsWith("-")
                    || octets(label) > 63) {
                return false;
            }
            if (!label.chars().allMatch(AddressParser::labelText)) {
                return false;
            }
        }
        return true;
    }

    private static boolean labelText(int c) {
        return c >= 128
                ? c != 0x3002
                        && c != 0xFF0E
                        && c != 0xFF61
                        && !Character.isISOControl(c)
                        && !Character.isWhitespace(c)
                : c >= 'a' && c <= 'z'
                        || c >= 'A' && c <= 'Z'
                        || c >= '0' && c <= '9'
                        || c == '-'
                        || c == '_';
    }

    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]`, RFC 5321 §4.1.3. General address literals are not
    /// known to anybody.
    private static boolean literal(String domain) {
        if (!domain.endsWith("]")) {
            return false;
        }
        String inside = domain.substring(1, domain.length() - 1);
        if (inside.regionMatches(true, 0, "IPv6:", 0, 5)) {
            return inside.length() > 7 && inside.substring(5).matches("[0-9A-Fa-f:.]{2,45}");
        }
        return inside.matches("(25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}");
    }

    // RFC 5322 §3.2.3 atext, and UTF-8 by RFC 6531 §3.3
    private static boolean atomText(char c) {
        return c >= 'a' && c <= 'z'
                || c >= 'A' && c <= 'Z'
                || c >= '0' && c <= '9'
                || "!#$%&'*+-/=?^_`{|}~".indexOf(c) >= 0
                || c >= 160;
    }

    private static int octets(CharSequence text) {
        return text.toString().getBytes(StandardCharsets.UTF_8).length;
    }
}
