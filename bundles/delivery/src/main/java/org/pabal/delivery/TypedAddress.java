package org.pabal.delivery;

import org.pabal.mail.MailAddress;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An address with the name of its kind, as ORCPT (RFC 3461 §4.2) and the fields of a report (RFC
/// 3464 §2.1.2) have it: `rfc822`, `utf-8` (RFC 6533 §3), or whatever others use.
///
/// @param type in lower case
/// @param address decoded
record TypedAddress(String type, String address) {

    private static final String RFC822 = "rfc822";
    private static final String UTF8 = "utf-8";
    private static final int MAX_TYPE = 40;

    /// RFC 3461 §5.4 has 500 for what we must take, and RFC 5322 §2.1.1 has 998 for a line.
    private static final int MAX_ADDRESS = 800;

    private static final Pattern EMBEDDED = Pattern.compile("\\\\x\\{([0-9A-Fa-f]{1,6})}");

    static TypedAddress of(MailAddress address) {
        return new TypedAddress(address.internationalized() ? UTF8 : RFC822, address.toString());
    }

    /// Reads the value of an ORCPT parameter, in any of the three forms that RFC 6533 §3 has for
    /// `utf-8`.
    static TypedAddress ofParameter(String orcpt) {
        int semicolon = orcpt.indexOf(';');
        String type =
                semicolon < 0 ? RFC822 : orcpt.substring(0, semicolon).toLowerCase(Locale.ROOT);
        String address = orcpt.substring(semicolon + 1);
        return new TypedAddress(type, type.equals(UTF8) ? fromUtf8(address) : fromXtext(address));
    }

    /// The value of an ORCPT parameter, in ASCII: good for any server with DSN.
    String parameter() {
        return type + ";" + (type.equals(UTF8) ? toAscii(address) : toXtext(address));
    }

    /// The value of a field.
    ///
    /// @param global whether it may have UTF-8
    String field(boolean global) {
        String kind = DeliveryReport.plain(type, MAX_TYPE) + "; ";
        if (!type.equals(UTF8)) {
            return kind + DeliveryReport.plain(address, MAX_ADDRESS);
        }
        return kind
                + (global
                        ? DeliveryReport.readable(address, MAX_ADDRESS)
                        : DeliveryReport.plain(toAscii(address), MAX_ADDRESS));
    }

    /// RFC 3461 §4: `+HH` stands for an octet.
    static String fromXtext(String text) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        byte[] from = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < from.length; i++) {
            if (from[i] == '+'
                    && i + 2 < from.length
                    && Character.digit(from[i + 1], 16) >= 0
                    && Character.digit(from[i + 2], 16) >= 0) {
                octets.write(
                        Character.digit(from[i + 1], 16) << 4 | Character.digit(from[i + 2], 16));
                i += 2;
            } else {
                octets.write(from[i]);
            }
        }
        return octets.toString(StandardCharsets.UTF_8);
    }

    /// RFC 3461 §4.
    static String toXtext(String text) {
        StringBuilder xtext = new StringBuilder();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            if (octet > ' ' && octet < 127 && octet != '+' && octet != '=') {
                xtext.append((char) octet);
            } else {
                xtext.append('+');
                HexFormat.of().withUpperCase().toHexDigits(xtext, octet);
            }
        }
        return xtext.toString();
    }

    /// RFC 6533 §3: `\x{HEX}` stands for a character; all else for itself.
    static String fromUtf8(String text) {
        return EMBEDDED.matcher(text)
                .replaceAll(
                        match -> {
                            int c = Integer.parseInt(match.group(1), 16);
                            boolean character =
                                    Character.isValidCodePoint(c)
                                            && !(c >= Character.MIN_SURROGATE
                                                    && c <= Character.MAX_SURROGATE);
                            return Matcher.quoteReplacement(
                                    character ? Character.toString(c) : match.group());
                        });
    }

    /// RFC 6533 §3, utf-8-addr-xtext: the form for where only ASCII may be.
    static String toAscii(String text) {
        StringBuilder ascii = new StringBuilder();
        text.codePoints()
                .forEach(
                        c -> {
                            if (c > ' ' && c < 127 && c != '+' && c != '=' && c != '\\') {
                                ascii.append((char) c);
                            } else {
                                ascii.append("\\x{")
                                        .append(c < 16 ? "0" : "")
                                        .append(Integer.toHexString(c).toUpperCase(Locale.ROOT))
                                        .append('}');
                            }
                        });
        return ascii.toString();
    }
}
