package org.pabal.storage.file;

import org.pabal.mail.MailAddress;
import org.pabal.mailbox.MailboxStore;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;

/// How names of accounts and mailboxes become names of directories, and back (security row S13).
///
/// Mailboxes are Maildir++ folders: `Work/2026` is the directory `.Work.2026`, in modified UTF-7
/// (RFC 3501 §5.1.3) as Dovecot and mutt have it. A dot or a backslash within a level is written
/// `\2e` or `\5c`, as Dovecot's listescape does. What would be too long for a file system is cut
/// and ends in `#` and a digest; the directory then holds its path in the file `pabal-name`.
final class FolderName {

    private static final int MAX_LEVELS = 32;
    private static final int MAX_CHARACTERS = 1_000;
    private static final int MAX_OCTETS = 240;
    private static final String HEX = "0123456789ABCDEF";

    private FolderName() {}

    /// A path as the contract wants it.
    ///
    /// @throws IllegalArgumentException in words for the client
    static String checked(String path) {
        if (path.isEmpty() || path.length() > MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "a mailbox name has 1 to " + MAX_CHARACTERS + " characters");
        }
        String[] levels = path.split("/", -1);
        if (levels.length > MAX_LEVELS) {
            throw new IllegalArgumentException(
                    "a mailbox name has at most " + MAX_LEVELS + " levels");
        }
        for (String level : levels) {
            if (level.isEmpty() || level.equals(".") || level.equals("..")) {
                throw new IllegalArgumentException(
                        "no level of a mailbox name may be empty, . or ..");
            }
            if (!level.chars().allMatch(c -> !Character.isISOControl(c))
                    || !StandardCharsets.UTF_16BE.newEncoder().canEncode(level)) {
                throw new IllegalArgumentException("a mailbox name has no control characters");
            }
        }
        if (levels[0].equalsIgnoreCase(MailboxStore.INBOX)) {
            return MailboxStore.INBOX + path.substring(levels[0].length());
        }
        return path;
    }

    /// The directory of a checked path below the account's Maildir; empty for INBOX.
    static String directory(String path) {
        if (path.equals(MailboxStore.INBOX)) {
            return "";
        }
        String whole = encoded(path);
        return whole.length() <= MAX_OCTETS
                ? whole
                : whole.substring(0, 180) + "#" + MaildirName.digest(path);
    }

    /// Whether a directory's name was cut.
    static boolean cut(String directory) {
        return directory.length() == 180 + 17 && directory.charAt(180) == '#';
    }

    /// The path of a directory that was not cut; empty when its name is not one that we would have
    /// given.
    static Optional<String> path(String directory) {
        if (!directory.startsWith(".")) {
            return Optional.empty();
        }
        StringBuilder path = new StringBuilder();
        try {
            for (String level : directory.substring(1).split("\\.", -1)) {
                path.append(path.isEmpty() ? "" : "/").append(decoded(level));
            }
            String checked = checked(path.toString());
            return directory(checked).equals(directory) ? Optional.of(checked) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// The directory of an account below that of all mail: `example.org/bob`.
    static String owner(MailAddress owner) {
        return safe(owner.domain()) + "/" + safe(owner.localPart());
    }

    private static String encoded(String path) {
        StringBuilder whole = new StringBuilder(path.length() + 8);
        for (String level : path.split("/")) {
            whole.append('.');
            encode(level, whole);
        }
        return whole.toString();
    }

    private static void encode(String level, StringBuilder to) {
        int i = 0;
        while (i < level.length()) {
            char c = level.charAt(i);
            if (c >= ' ' && c < 127) {
                switch (c) {
                    case '&' -> to.append("&-");
                    case '.' -> to.append("\\2e");
                    case '\\' -> to.append("\\5c");
                    default -> to.append(c);
                }
                i++;
                continue;
            }
            int end = i;
            while (end < level.length() && (level.charAt(end) < ' ' || level.charAt(end) >= 127)) {
                end++;
            }
            byte[] utf16 = level.substring(i, end).getBytes(StandardCharsets.UTF_16BE);
            to.append('&')
                    .append(
                            Base64.getEncoder()
                                    .withoutPadding()
                                    .encodeToString(utf16)
                                    .replace('/', ','))
                    .append('-');
            i = end;
        }
    }

    private static String decoded(String level) {
        StringBuilder text = new StringBuilder(level.length());
        int i = 0;
        while (i < level.length()) {
            char c = level.charAt(i);
            if (c == '&') {
                int end = level.indexOf('-', i);
                if (end < 0) {
                    throw new IllegalArgumentException("modified UTF-7 without end");
                }
                if (end == i + 1) {
                    text.append('&');
                } else {
                    byte[] utf16 =
                            Base64.getDecoder()
                                    .decode(level.substring(i + 1, end).replace(',', '/'));
                    text.append(new String(utf16, StandardCharsets.UTF_16BE));
                }
                i = end + 1;
            } else if (c == '\\' && level.startsWith("2e", i + 1)) {
                text.append('.');
                i += 3;
            } else if (c == '\\' && level.startsWith("5c", i + 1)) {
                text.append('\\');
                i += 3;
            } else {
                text.append(c);
                i++;
            }
        }
        return text.toString();
    }

    /// A file name: letters, digits and a few signs as they are, other octets as `%` and two hex
    /// digits.
    private static String safe(String text) {
        StringBuilder name = new StringBuilder();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (octet & 0xFF);
            if (c < 128
                    && (Character.isLetterOrDigit(c)
                            || "-_+=@".indexOf(c) >= 0
                            || c == '.' && !name.isEmpty())) {
                name.append(c);
            } else {
                name.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            }
        }
        if (name.isEmpty()) {
            return "%";
        }
        return name.length() <= MAX_OCTETS
                ? name.toString()
                : name.substring(0, 180) + "%" + MaildirName.digest(text).toLowerCase(Locale.ROOT);
    }
}
