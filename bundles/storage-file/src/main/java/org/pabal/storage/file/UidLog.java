package org.pabal.storage.file;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/// The file `pabal-uids.log` beside the messages of a mailbox: what Maildir names cannot tell.
///
/// Each line begins with its CRC-32C in eight hex digits. The first says which mailbox it is, so
/// that records of the journal find it under another name and do not take its successor for it; the
/// others are those of [MailboxIndex]. A line that is damaged is left out; a file whose first line
/// is damaged is lost, and the mailbox gets a new uid validity.
final class UidLog {

    static final String NAME = "pabal-uids.log";

    private static final Logger LOG = LoggerFactory.getLogger(UidLog.class);
    private static final Pattern FIRST = Pattern.compile("pabal-uids 1 (\\d{1,10}) ([0-9A-Z]{16})");

    /// Which mailbox it is.
    ///
    /// @param uidValidity as IMAP tells it
    /// @param id never given twice
    record Identity(long uidValidity, String id) {

        String line() {
            return "pabal-uids 1 " + uidValidity + " " + id;
        }
    }

    /// What was read.
    ///
    /// @param identity empty when there is no log or it is lost
    /// @param lines how many
    /// @param whole whether nothing was left out and more lines may be added
    record Found(Optional<Identity> identity, int lines, boolean whole) {}

    private static final Found NOTHING = new Found(Optional.empty(), 0, false);

    private UidLog() {}

    /// Reads a log.
    ///
    /// @param lines takes each line that is whole; throws [IllegalArgumentException] for one that
    ///     makes no sense
    static Found read(Path file, Consumer<String> lines) throws IOException {
        byte[] octets;
        try {
            octets = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return NOTHING;
        }
        return read(octets, file, lines);
    }

    static Found read(byte[] octets, Path file, Consumer<String> lines) {
        Optional<Identity> identity = Optional.empty();
        boolean whole = octets.length > 0 && octets[octets.length - 1] == '\n';
        int count = 0;
        int begin = 0;
        while (begin < octets.length) {
            int end = begin;
            while (end < octets.length && octets[end] != '\n') {
                end++;
            }
            Optional<String> line = checked(octets, begin, end);
            if (identity.isEmpty()) {
                identity = line.flatMap(UidLog::identity);
                if (identity.isEmpty()) {
                    break;
                }
            } else {
                whole &= line.isPresent() && taken(line.get(), lines, file);
                count++;
            }
            begin = end + 1;
        }
        if (identity.isEmpty()) {
            LOG.error("mailbox {}: {} is damaged; uids are given anew", file.getParent(), NAME);
            return NOTHING;
        }
        if (!whole) {
            LOG.warn("mailbox {}: damaged lines of {} are left out", file.getParent(), NAME);
        }
        return new Found(identity, count, whole);
    }

    private static boolean taken(String line, Consumer<String> lines, Path file) {
        try {
            lines.accept(line);
            return true;
        } catch (IllegalArgumentException e) {
            LOG.warn("mailbox {}: {} of {}: {}", file.getParent(), line, NAME, e.getMessage());
            return false;
        }
    }

    /// Only who it is.
    static Optional<Identity> identity(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (var reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            char[] start = new char[64];
            int length = Math.max(0, reader.read(start));
            String line = new String(start, 0, length).split("\n")[0];
            byte[] octets = line.getBytes(StandardCharsets.ISO_8859_1);
            return checked(octets, 0, octets.length).flatMap(UidLog::identity);
        }
    }

    /// Lines with their sums in front, as they are written.
    static byte[] octets(List<String> lines) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream(lines.size() * 128);
        for (String line : lines) {
            byte[] text = Words.utf8(line);
            octets.writeBytes(sum(text, 0, text.length).getBytes(StandardCharsets.US_ASCII));
            octets.write(' ');
            octets.writeBytes(text);
            octets.write('\n');
        }
        return octets.toByteArray();
    }

    private static Optional<Identity> identity(String line) {
        Matcher matcher = FIRST.matcher(line);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long validity = Long.parseLong(matcher.group(1));
        return validity >= 1 && validity <= 0xFFFF_FFFFL
                ? Optional.of(new Identity(validity, matcher.group(2)))
                : Optional.empty();
    }

    private static Optional<String> checked(byte[] octets, int begin, int end) {
        if (end - begin < 10 || octets[begin + 8] != ' ') {
            return Optional.empty();
        }
        String sum = new String(octets, begin, 8, StandardCharsets.ISO_8859_1);
        return sum.equals(sum(octets, begin + 9, end))
                ? Optional.of(
                        new String(octets, begin + 9, end - begin - 9, StandardCharsets.UTF_8))
                : Optional.empty();
    }

    private static String sum(byte[] octets, int begin, int end) {
        CRC32C crc = new CRC32C();
        crc.update(octets, begin, end - begin);
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }
}
