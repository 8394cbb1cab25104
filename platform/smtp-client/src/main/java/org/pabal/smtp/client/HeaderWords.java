package org.pabal.smtp.client;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/// A header field in 7 bits: words that are not ASCII become encoded words (RFC 2047).
///
/// Such a field is not by the rules where the message did not come with SMTPUTF8, and common all
/// the same. The charset is UTF-8 where the octets are that, else it is `unknown-8bit` (RFC 1428
/// §3). In a quoted string or a parameter RFC 2047 §5 has no encoded words, but there most readers
/// understand them, and nothing is lost.
final class HeaderWords {

    // their words end at special characters too, RFC 5322 §3.2.3
    private static final Set<String> STRUCTURED =
            Set.of(
                    "from",
                    "to",
                    "cc",
                    "bcc",
                    "sender",
                    "reply-to",
                    "resent-from",
                    "resent-to",
                    "resent-cc",
                    "resent-bcc",
                    "resent-sender",
                    "return-path",
                    "received",
                    "message-id",
                    "in-reply-to",
                    "references",
                    "content-type",
                    "content-disposition",
                    "content-id",
                    "mime-version",
                    "content-transfer-encoding");
    private static final int MAX_WORD = 75; // RFC 2047 §2

    private static final byte[] NEXT = {'?', '=', '\r', '\n', ' '};

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final byte[] octets;
    private final int to;
    private final String specials;

    private HeaderWords(byte[] octets, MimeHeader.Field field) {
        this.octets = octets;
        this.to = field.to();
        this.specials = STRUCTURED.contains(field.name()) ? "()<>[]:;@\\,\"=" : "";
    }

    /// @param octets of the header, without NUL and with neither CR nor LF alone
    static byte[] of(byte[] octets, MimeHeader.Field field) {
        HeaderWords words = new HeaderWords(octets, field);
        words.write(field.from());
        return words.out.toByteArray();
    }

    private void write(int from) {
        int i = from;
        // a name is never encoded
        while (i < to && octets[i] != ':') {
            out.write(octets[i] > 0 ? octets[i] : '?');
            i++;
        }
        if (i < to) {
            out.write(octets[i++]);
        }
        while (i < to) {
            int end = wordEnd(i);
            if (end == i) {
                out.write(octets[i++]);
            } else if (high(i, end)) {
                end = lastOfRow(end);
                encode(i, end);
                i = end;
            } else {
                out.write(octets, i, end - i);
                i = end;
            }
        }
    }

    /// Encoded words lose the blanks between them, so words in a row are encoded as one.
    private int lastOfRow(int first) {
        int last = first;
        while (true) {
            int next = last;
            while (next < to && blank(octets[next])) {
                next++;
            }
            int end = next > last ? wordEnd(next) : next;
            if (end == next || !high(next, end)) {
                return last;
            }
            last = end;
        }
    }

    private void encode(int from, int end) {
        boolean utf8 = utf8(from, end);
        byte[] begin =
                (utf8 ? "=?utf-8?Q?" : "=?unknown-8bit?Q?").getBytes(StandardCharsets.US_ASCII);
        int room = 0;
        for (int i = from; i < end; ) {
            int next = i + 1;
            while (utf8 && next < end && (octets[next] & 0xC0) == 0x80) {
                next++; // RFC 2047 §5: no character in two words
            }
            int length = next - i == 1 && plain(octets[i]) ? 1 : 3 * (next - i);
            if (length > room) {
                out.writeBytes(i == from ? new byte[0] : NEXT);
                out.writeBytes(begin);
                room = MAX_WORD - begin.length - 2;
            }
            room -= length;
            for (; i < next; i++) {
                word(octets[i]);
            }
        }
        out.write('?');
        out.write('=');
    }

    private void word(byte octet) {
        if (octet == ' ') {
            out.write('_');
        } else if (plain(octet)) {
            out.write(octet);
        } else if (octet != '\r' && octet != '\n') {
            QuotedPrintable.encode(octet, out);
        }
    }

    // RFC 2047 §5 (3): what may stand in a phrase, and the blank
    private static boolean plain(byte octet) {
        return octet >= 'a' && octet <= 'z'
                || octet >= 'A' && octet <= 'Z'
                || octet >= '0' && octet <= '9'
                || octet == ' ';
    }

    private int wordEnd(int from) {
        int i = from;
        while (i < to && !blank(octets[i]) && specials.indexOf(octets[i]) < 0) {
            i++;
        }
        return i;
    }

    private static boolean blank(byte octet) {
        return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
    }

    private boolean high(int from, int end) {
        for (int i = from; i < end; i++) {
            if (octets[i] < 0) {
                return true;
            }
        }
        return false;
    }

    private boolean utf8(int from, int end) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets, from, end - from));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
