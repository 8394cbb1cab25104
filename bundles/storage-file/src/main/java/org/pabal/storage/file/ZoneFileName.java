package org.pabal.storage.file;

import org.xbill.DNS.Name;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/// The file of a zone: `example.org.zone`, and `@.zone` for the root.
///
/// Letters (in lower case), digits, `-` and `_` stand for themselves; every other octet of a label
/// is `%` and two hexadecimal digits, so that no name of a zone leads out of the directory
/// (security row S13): `0%2F25.2.0.192.in-addr.arpa.zone`.
final class ZoneFileName {

    static final String ENDING = ".zone";

    /// The change journal of `example.org.zone` is `example.org.journal`.
    static final String JOURNAL = ".journal";

    private static final String ROOT = "@";

    /// What file systems take, less the endings that we put behind.
    private static final int MAX_OCTETS = 230;

    private ZoneFileName() {}

    /// @throws IllegalArgumentException when the name would be too long for a file
    static String of(Name origin) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < origin.labels() - 1; i++) {
            byte[] label = origin.getLabel(i);
            text.append(i == 0 ? "" : ".");
            for (int at = 1; at < label.length; at++) {
                char c = Character.toLowerCase((char) (label[at] & 0xFF));
                text.append(
                        plain(c)
                                ? String.valueOf(c)
                                : "%" + HexFormat.of().withUpperCase().toHexDigits(label[at]));
            }
        }
        if (text.length() > MAX_OCTETS) {
            throw new IllegalArgumentException(
                    "zone " + origin + ": its name is too long for a file");
        }
        return (text.isEmpty() ? ROOT : text.toString()) + ENDING;
    }

    /// The zone of a file, or empty when no zone is kept in a file of that name.
    static Optional<Name> origin(String file) {
        if (!file.endsWith(ENDING) || file.length() == ENDING.length()) {
            return Optional.empty();
        }
        String text = file.substring(0, file.length() - ENDING.length()).toLowerCase(Locale.ROOT);
        if (text.equals(ROOT)) {
            return Optional.of(Name.root);
        }
        ByteArrayOutputStream wire = new ByteArrayOutputStream();
        for (String label : text.split("\\.", -1)) {
            Optional<byte[]> octets = octets(label);
            if (octets.isEmpty() || octets.get().length < 1 || octets.get().length > 63) {
                return Optional.empty();
            }
            wire.write(octets.get().length);
            wire.writeBytes(octets.get());
        }
        wire.write(0);
        try {
            return wire.size() > 255 ? Optional.empty() : Optional.of(new Name(wire.toByteArray()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Optional<byte[]> octets(String label) {
        byte[] text = label.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        for (int i = 0; i < text.length; i++) {
            if (plain((char) text[i])) {
                octets.write(text[i]);
            } else if (text[i] == '%'
                    && i + 2 < text.length
                    && hex(text[i + 1])
                    && hex(text[i + 2])) {
                octets.write(
                        HexFormat.fromHexDigits(
                                new String(text, i + 1, 2, StandardCharsets.US_ASCII)));
                i += 2;
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(octets.toByteArray());
    }

    private static boolean plain(char c) {
        return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_';
    }

    private static boolean hex(byte c) {
        return HexFormat.isHexDigit(c);
    }
}
