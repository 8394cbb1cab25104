package org.pabal.storage.file;

import org.pabal.directory.ScramKeys;
import org.pabal.mail.MailAddress;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A line of `accounts.txt`: an address, and by what its owner is known.
///
/// ```
/// bob@example.org $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH SCRAM-SHA-256$10000:SALT$STORED:SERVER SCRAM-SHA-1$…
/// ```
///
/// @param password empty for an account that gets mail and signs in nowhere
/// @param scram by hash, written as RFC 5803 §2 says
record AccountLine(
        MailAddress address, Optional<PasswordHash> password, Map<String, ScramKeys> scram) {

    static final String EXPECTED =
            "expected ADDRESS $argon2id$… SCRAM-SHA-256$… SCRAM-SHA-1$…, for example made by"
                    + " account:add";

    private static final Pattern SCRAM =
            Pattern.compile(
                    "SCRAM-(SHA-1|SHA-256)\\$(\\d{1,8}):([A-Za-z0-9+/=]{4,172})\\$([A-Za-z0-9+/=]{28,44}):([A-Za-z0-9+/=]{28,44})");

    /// RFC 7677 §4.
    private static final int MIN_ITERATIONS = 4_096;

    /// Empty when the line is malformed.
    static Optional<AccountLine> parse(List<String> words) {
        Optional<MailAddress> address =
                words.isEmpty() ? Optional.empty() : MailAddress.parse(words.getFirst());
        if (address.isEmpty()) {
            return Optional.empty();
        }
        Optional<PasswordHash> password = Optional.empty();
        Map<String, ScramKeys> scram = new LinkedHashMap<>();
        for (String word : words.subList(1, words.size())) {
            if (word.startsWith("$")) {
                boolean second = password.isPresent();
                password = PasswordHash.parse(word);
                if (second || password.isEmpty()) {
                    return Optional.empty();
                }
            } else if (!addKeys(word, scram)) {
                return Optional.empty();
            }
        }
        return Optional.of(new AccountLine(address.get(), password, Map.copyOf(scram)));
    }

    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(written(address));
        password.ifPresent(hash -> line.append(' ').append(hash));
        Base64.Encoder base64 = Base64.getEncoder();
        for (String hash : ScramKeys.HASHES) {
            ScramKeys keys = scram.get(hash);
            if (keys != null) {
                line.append(" SCRAM-")
                        .append(hash)
                        .append('$')
                        .append(keys.iterations())
                        .append(':');
                line.append(base64.encodeToString(keys.salt())).append('$');
                line.append(base64.encodeToString(keys.storedKey())).append(':');
                line.append(base64.encodeToString(keys.serverKey()));
            }
        }
        return line.toString();
    }

    /// An address as a word of a line: one that begins with `#` is quoted, so that it is no remark.
    static String written(MailAddress address) {
        String text = address.toString();
        return text.startsWith("#") ? "\"" + address.localPart() + "\"@" + address.domain() : text;
    }

    private static boolean addKeys(String word, Map<String, ScramKeys> scram) {
        Matcher m = SCRAM.matcher(word);
        if (!m.matches() || Integer.parseInt(m.group(2)) < MIN_ITERATIONS) {
            return false;
        }
        try {
            Base64.Decoder base64 = Base64.getDecoder();
            ScramKeys keys =
                    new ScramKeys(
                            base64.decode(m.group(3)),
                            Integer.parseInt(m.group(2)),
                            base64.decode(m.group(4)),
                            base64.decode(m.group(5)));
            int length = m.group(1).equals("SHA-1") ? 20 : 32;
            return keys.storedKey().length == length
                    && keys.serverKey().length == length
                    && scram.putIfAbsent(m.group(1), keys) == null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
