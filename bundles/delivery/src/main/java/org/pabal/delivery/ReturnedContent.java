package org.pabal.delivery;

import org.pabal.mail.Content;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// What of a message goes back to its sender below a report: all of it, or its header.
///
/// What strangers wrote must not break the report. A message with a line of more than 998 octets, a
/// NUL, or a CR or LF alone cannot stand in a part as it is (RFC 2045 §6.4 allows no encoding
/// there), and one of more than 1 MB is nothing to send back; its header goes instead, encoded as
/// quoted-printable where it is broken itself (RFC 6522 §4).
///
/// @param message the content; only read when all of it goes
/// @param encoding in which it stands in its part
record ReturnedContent(Content message, HeaderFields header, boolean whole, Encoding encoding) {

    private static final int MAX_WHOLE = 1_000_000;
    private static final int MAX_LINE = 998;
    private static final int MAX_QUOTED_LINE = 76;

    /// RFC 2045 §6.
    enum Encoding {
        SEVEN_BIT("7bit"),
        EIGHT_BIT("8bit"),
        QUOTED_PRINTABLE("quoted-printable");

        private final String token;

        Encoding(String token) {
            this.token = token;
        }

        @Override
        public String toString() {
            return token;
        }
    }

    /// @param all whether the sender wants all of it
    static ReturnedContent of(Content message, boolean all) throws IOException {
        HeaderFields header = HeaderFields.of(message);
        if (all && message.size() <= MAX_WHOLE) {
            try (InputStream in = message.open()) {
                Encoding encoding = natural(in.readNBytes(MAX_WHOLE));
                if (encoding != Encoding.QUOTED_PRINTABLE) {
                    return new ReturnedContent(message, header, true, encoding);
                }
            }
        }
        return new ReturnedContent(message, header, false, natural(header.octets()));
    }

    /// RFC 6522 §3 and §4, RFC 6533 §6.
    ///
    /// @param global whether it may have UTF-8 in its header
    String type(boolean global) {
        if (whole) {
            return global ? "message/global" : "message/rfc822";
        }
        return global ? "message/global-headers" : "text/rfc822-headers";
    }

    boolean eightBit() {
        return encoding == Encoding.EIGHT_BIT;
    }

    void write(OutputStream out) throws IOException {
        if (whole) {
            try (InputStream in = message.open()) {
                in.transferTo(out);
            }
        } else if (encoding == Encoding.QUOTED_PRINTABLE) {
            out.write(quotedPrintable(header.octets()));
        } else {
            out.write(header.octets());
        }
    }

    /// The least that these octets need.
    static Encoding natural(byte[] octets) {
        boolean eightBit = false;
        int line = 0;
        for (int i = 0; i < octets.length; i++) {
            byte octet = octets[i];
            if (octet == '\r' && i + 1 < octets.length && octets[i + 1] == '\n') {
                line = 0;
                i++;
            } else if (octet == '\r' || octet == '\n' || octet == 0 || ++line > MAX_LINE) {
                return Encoding.QUOTED_PRINTABLE;
            }
            eightBit |= octet < 0;
        }
        return eightBit ? Encoding.EIGHT_BIT : Encoding.SEVEN_BIT;
    }

    /// RFC 2045 §6.7: CR LF ends a line, all that is not printable is written in hexadecimal.
    static byte[] quotedPrintable(byte[] octets) {
        ByteArrayOutputStream quoted = new ByteArrayOutputStream(octets.length * 2);
        int line = 0;
        for (int i = 0; i < octets.length; i++) {
            int octet = octets[i] & 0xFF;
            if (lineEnds(octets, i)) {
                quoted.writeBytes(ascii("\r\n"));
                line = 0;
                i++;
                continue;
            }
            boolean last = i + 1 == octets.length || lineEnds(octets, i + 1);
            boolean blank = octet == ' ' || octet == '\t';
            String text =
                    octet > ' ' && octet < 127 && octet != '=' || blank && !last
                            ? Character.toString(octet)
                            : "=" + HexFormat.of().withUpperCase().toHexDigits((byte) octet);
            if (line + text.length() >= MAX_QUOTED_LINE) {
                quoted.writeBytes(ascii("=\r\n"));
                line = 0;
            }
            quoted.writeBytes(ascii(text));
            line += text.length();
        }
        return quoted.toByteArray();
    }

    private static boolean lineEnds(byte[] octets, int at) {
        return octets[at] == '\r' && at + 1 < octets.length && octets[at + 1] == '\n';
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
