package org.pabal.storage.file;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Names of message files, as <https://cr.yp.to/proto/maildir.html> and Dovecot have them:
/// `1763812800.P4KX….host,S=4300:2,S`.
///
/// What stands before the colon is the base: it never changes and finds the message whoever renames
/// the file. The first part of a base of ours says where it comes from: `P` and a digest of the
/// delivery's name, so that a delivery that is repeated after a crash finds what the first one
/// left, or `M` and a number by chance.
final class MaildirName {

    /// The flags that have letters; `P` is what mutt and mbsync call passed.
    private static final List<String> FLAGS =
            List.of("\\Draft", "\\Flagged", "$Forwarded", "\\Answered", "\\Seen", "\\Deleted");

    private static final String LETTERS = "DFPRST";
    private static final String BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final Pattern OURS =
            Pattern.compile(
                    "\\d+\\.(?:P([0-9A-Z]{16})|M[0-9A-Z]{16})\\.[^,:]*,S=(\\d{1,15})(?:,W=\\d+)?");
    private static final Pattern SIZES = Pattern.compile(",([SW])=(\\d{1,15})(?=,|$)");

    private MaildirName() {}

    static String base(String name) {
        int colon = name.indexOf(':');
        return colon < 0 ? name : name.substring(0, colon);
    }

    /// What stands after the base, with its colon; empty in `new/`.
    static String suffix(String name) {
        int colon = name.indexOf(':');
        return colon < 0 ? "" : name.substring(colon);
    }

    /// 80 bits of a digest in 16 letters and digits.
    static String digest(String text) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return sixteen(longAt(hash, 0), longAt(hash, 5));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// Two times 40 bits as 16 letters and digits.
    static String sixteen(long first, long second) {
        StringBuilder text = new StringBuilder(16);
        for (int shift = 35; shift >= 0; shift -= 5) {
            text.append(BASE32.charAt((int) (first >>> shift) & 31));
        }
        for (int shift = 35; shift >= 0; shift -= 5) {
            text.append(BASE32.charAt((int) (second >>> shift) & 31));
        }
        return text.toString();
    }

    private static long longAt(byte[] octets, int at) {
        long value = 0;
        for (int i = at; i < at + 5; i++) {
            value = value << 8 | octets[i] & 0xFF;
        }
        return value;
    }

    /// The digest of the delivery that a file of ours comes from.
    static Optional<String> delivery(String base) {
        Matcher matcher = OURS.matcher(base);
        return matcher.matches() ? Optional.ofNullable(matcher.group(1)) : Optional.empty();
    }

    /// The octets that a file of ours has when it is whole; empty for files of others.
    static Optional<Long> wholeSize(String base) {
        Matcher matcher = OURS.matcher(base);
        return matcher.matches() ? Optional.of(Long.parseLong(matcher.group(2))) : Optional.empty();
    }

    /// A size that the name tells: `S`, octets of the file, or `W`, octets with CR LF at the end of
    /// each line.
    static Optional<Long> size(String base, char which) {
        Matcher matcher = SIZES.matcher(base);
        while (matcher.find()) {
            if (matcher.group(1).charAt(0) == which) {
                return Optional.of(Long.parseLong(matcher.group(2)));
            }
        }
        return Optional.empty();
    }

    /// An id for POP3 UIDL and JMAP: 1 to 70 characters of `!` to `~` (RFC 1939 §7).
    static String id(String base) {
        int comma = base.indexOf(',');
        String unique = comma < 0 ? base : base.substring(0, comma);
        return !unique.isEmpty()
                        && unique.length() <= 70
                        && unique.chars().allMatch(c -> c > ' ' && c < 127)
                ? unique
                : "H" + digest(unique);
    }

    /// The flags that a suffix tells.
    static Set<String> flags(String suffix) {
        if (!suffix.startsWith(":2,") || suffix.length() == 3) {
            return Set.of();
        }
        Set<String> flags = new TreeSet<>();
        for (int i = 3; i < suffix.length(); i++) {
            int at = LETTERS.indexOf(suffix.charAt(i));
            if (at >= 0) {
                flags.add(FLAGS.get(at));
            }
        }
        return flags;
    }

    /// Whether a flag has a letter.
    static boolean lettered(String flag) {
        return FLAGS.stream().anyMatch(flag::equalsIgnoreCase);
    }

    /// A system flag as RFC 9051 §2.3.2 spells it; others as they are.
    static String spelled(String flag) {
        for (String known : FLAGS) {
            if (known.equalsIgnoreCase(flag)) {
                return known;
            }
        }
        return flag;
    }

    /// The suffix for some flags. Letters that others have put there and that mean nothing to us
    /// stay.
    static String suffix(String before, Set<String> flags) {
        TreeSet<Character> letters = new TreeSet<>();
        if (before.startsWith(":2,")) {
            for (int i = 3; i < before.length(); i++) {
                if (LETTERS.indexOf(before.charAt(i)) < 0) {
                    letters.add(before.charAt(i));
                }
            }
        }
        for (int i = 0; i < FLAGS.size(); i++) {
            if (flags.contains(FLAGS.get(i))) {
                letters.add(LETTERS.charAt(i));
            }
        }
        StringBuilder suffix = new StringBuilder(":2,");
        letters.forEach(suffix::append);
        return suffix.toString();
    }

    /// A host name as it may stand in a file name.
    static String host(String host) {
        return host.replace("/", "\\057")
                .replace(":", "\\072")
                .replace(",", "\\054")
                .replaceAll("[^!-~]", "-");
    }
}
