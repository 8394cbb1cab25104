package org.pabal.pop3;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Stands in for a message with UTF-8 in its header when the client has not said UTF8 (RFC 6856
/// §4), in the manner of RFC 6858.
///
/// Addresses that such a client could not answer to become addresses that lead nowhere, with the
/// true one for the eye; other texts become encoded words (RFC 2047); fields that have room for
/// neither are left out. A reader without UTF-8 can read the mail, which a refusal would not allow.
/// What is stored stays as it is, and LIST tells the size of that.
final class Surrogate {

    private static final int FIRST_LOOK = 8_192;
    private static final int MAX_HEADER = 1_000_000;
    private static final Set<String> ADDRESSES =
            Set.of(
                    "from",
                    "sender",
                    "reply-to",
                    "to",
                    "cc",
                    "bcc",
                    "resent-from",
                    "resent-sender",
                    "resent-to",
                    "resent-cc",
                    "resent-bcc",
                    "resent-reply-to",
                    "return-path");
    private static final Set<String> TEXTS = Set.of("subject", "comments", "content-description");
    private static final String NOWHERE = "<invalid@internationalized-address.invalid>";

    private Surrogate() {}

    /// The message itself when its header is ASCII, or is in no encoding that we know; else what
    /// stands in for it.
    static InputStream of(InputStream message) throws IOException {
        byte[] head = message.readNBytes(FIRST_LOOK);
        int end = headerEnd(head);
        while (end < 0
                && head.length % FIRST_LOOK == 0
                && head.length > 0
                && head.length < MAX_HEADER) {
            byte[] more = message.readNBytes(head.length);
            if (more.length == 0) {
                break;
            }
            byte[] longer = new byte[head.length + more.length];
            System.arraycopy(head, 0, longer, 0, head.length);
            System.arraycopy(more, 0, longer, head.length, more.length);
            head = longer;
            end = headerEnd(head);
        }
        int length = end < 0 ? head.length : end;
        if (ascii(head, length) || !utf8(head, length)) {
            return followed(new ByteArrayInputStream(head), message);
        }
        ByteArrayOutputStream surrogate = new ByteArrayOutputStream(head.length + 512);
        for (String field : fields(new String(head, 0, length, StandardCharsets.UTF_8))) {
            surrogate.writeBytes(rewritten(field).getBytes(StandardCharsets.US_ASCII));
        }
        surrogate.write(head, length, head.length - length);
        return followed(new ByteArrayInputStream(surrogate.toByteArray()), message);
    }

    private static InputStream followed(InputStream head, InputStream rest) {
        return new SequenceInputStream(head, rest);
    }

    /// Where the empty line after the header begins, or -1.
    private static int headerEnd(byte[] head) {
        for (int i = 0; i + 1 < head.length; i++) {
            if (head[i] == '\r' && head[i + 1] == '\n' && (i == 0 || head[i - 1] == '\n')) {
                return i;
            }
        }
        return -1;
    }

    private static boolean ascii(byte[] octets, int length) {
        int all = 0;
        for (int i = 0; i < length; i++) {
            all |= octets[i];
        }
        return all >= 0;
    }

    private static boolean utf8(byte[] octets, int length) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets, 0, length));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /// The fields with their folding and their CR LF.
    private static List<String> fields(String header) {
        List<String> fields = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < header.length(); ) {
            int end = header.indexOf("\r\n", at);
            at = end < 0 ? header.length() : end + 2;
            if (at == header.length() || header.charAt(at) != ' ' && header.charAt(at) != '\t') {
                fields.add(header.substring(from, at));
                from = at;
            }
        }
        return fields;
    }

    private static String rewritten(String field) {
        if (ascii(field)) {
            return field;
        }
        int colon = field.indexOf(':');
        String name = colon < 0 ? "" : field.substring(0, colon).strip();
        String value = field.substring(colon + 1).replace("\r\n", "").strip();
        String lower = name.toLowerCase(Locale.ROOT);
        if (name.isEmpty() || !ascii(name)) {
            return "";
        }
        if (TEXTS.contains(lower)) {
            return name + ": " + encoded(value) + "\r\n";
        }
        return ADDRESSES.contains(lower) ? name + ": " + addresses(value) + "\r\n" : "";
    }

    private static String addresses(String value) {
        List<String> written = new ArrayList<>();
        int from = 0;
        boolean quoted = false;
        int depth = 0;
        for (int i = 0; i <= value.length(); i++) {
            char c = i < value.length() ? value.charAt(i) : ',';
            boolean end = i == value.length();
            if (c == '\\' && !end) {
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (!quoted && (c == '<' || c == '(')) {
                depth++;
            } else if (!quoted && (c == '>' || c == ')')) {
                depth = Math.max(0, depth - 1);
            }
            if (end || c == ',' && !quoted && depth == 0) {
                String address = value.substring(from, Math.min(i, value.length())).strip();
                if (!address.isEmpty()) {
                    written.add(address(address));
                }
                from = i + 1;
            }
        }
        return String.join(",\r\n ", written);
    }

    /// RFC 6858 §2.1: the display name is kept as encoded words, an address beyond ASCII is shown
    /// in it.
    private static String address(String address) {
        if (ascii(address)) {
            return address;
        }
        int open = address.lastIndexOf('<');
        int close = address.lastIndexOf('>');
        if (open < 0 || close < open) {
            return encoded(address) + "\r\n " + NOWHERE;
        }
        String display =
                address.substring(0, open)
                        .strip()
                        .replaceAll("^\"|\"$", "")
                        .replaceAll("\\\\(.)", "$1");
        String mailbox = address.substring(open, close + 1);
        return ascii(mailbox)
                ? encoded(display) + "\r\n " + mailbox
                : encoded((display + " " + mailbox).strip()) + "\r\n " + NOWHERE;
    }

    /// RFC 2047 §2: encoded words of at most 75 characters, each with whole characters.
    private static String encoded(String text) {
        StringBuilder words = new StringBuilder();
        StringBuilder chunk = new StringBuilder();
        int octets = 0;
        for (int at = 0; at < text.length(); ) {
            int character = text.codePointAt(at);
            int width = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
            if (octets + width > 42) {
                words.append(word(chunk)).append("\r\n ");
                chunk.setLength(0);
                octets = 0;
            }
            chunk.appendCodePoint(character);
            octets += width;
            at += Character.charCount(character);
        }
        return words.append(word(chunk)).toString();
    }

    private static String word(CharSequence chunk) {
        byte[] octets = chunk.toString().getBytes(StandardCharsets.UTF_8);
        return "=?UTF-8?B?" + Base64.getEncoder().encodeToString(octets) + "?=";
    }

    private static boolean ascii(String text) {
        return text.chars().allMatch(c -> c < 128);
    }
}
