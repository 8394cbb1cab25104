package org.pabal.delivery;

import org.pabal.mail.Content;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The header of a message, as much of it as is bearable.
///
/// @param octets whole lines, up to the empty one, which is not among them
record HeaderFields(byte[] octets) {

    private static final int MAX_OCTETS = 65_536;
    private static final Set<String> MASS_MAIL = Set.of("bulk", "list", "junk");
    private static final Pattern MESSAGE_ID = Pattern.compile("<[!-~&&[^<>]]{1,250}>");

    static HeaderFields of(Content content) throws IOException {
        byte[] start;
        try (InputStream in = content.open()) {
            start = in.readNBytes(MAX_OCTETS);
        }
        int end = 0;
        for (int at = 0; at < start.length; at++) {
            if (start[at] == '\n') {
                if (at == end || at == end + 1 && start[end] == '\r') {
                    return new HeaderFields(Arrays.copyOf(start, end));
                }
                end = at + 1;
            }
        }
        // One line that fills it all, or a header without an end.
        return new HeaderFields(
                end == 0 || start.length < MAX_OCTETS ? start : Arrays.copyOf(start, end));
    }

    /// The first field of a name, on one line, without the space around it.
    Optional<String> first(String name) {
        String prefix = name.toLowerCase(Locale.ROOT);
        String[] lines = new String(octets, StandardCharsets.ISO_8859_1).split("\r?\n");
        for (int i = 0; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon > 0 && lines[i].substring(0, colon).strip().equalsIgnoreCase(prefix)) {
                StringBuilder value = new StringBuilder(lines[i].substring(colon + 1));
                while (i + 1 < lines.length
                        && (lines[i + 1].startsWith(" ") || lines[i + 1].startsWith("\t"))) {
                    value.append(lines[++i]);
                }
                return Optional.of(value.toString().strip());
            }
        }
        return Optional.empty();
    }

    /// Whether no person wrote it to one, so that only who asked is to be bothered: RFC 3834 §2,
    /// security row S16.
    boolean automatic() {
        return first("Auto-Submitted").filter(how -> !word(how).equals("no")).isPresent()
                || first("Precedence").filter(how -> MASS_MAIL.contains(word(how))).isPresent()
                || first("List-Id").isPresent();
    }

    /// Empty when it is not of the form that may stand in a field of ours.
    Optional<String> messageId() {
        return first("Message-ID").filter(id -> MESSAGE_ID.matcher(id).matches());
    }

    private static String word(String value) {
        return value.split("[;( \t]", 2)[0].toLowerCase(Locale.ROOT);
    }
}
