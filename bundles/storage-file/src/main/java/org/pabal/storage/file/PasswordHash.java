package org.pabal.storage.file;

import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An Argon2id hash of a password, RFC 9106, written as a PHC string:
/// `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
///
/// Other programs write and read the same text, so accounts can be carried over from them.
record PasswordHash(int kibibytes, int passes, int lanes, byte[] salt, byte[] hash) {

    private static final Pattern PHC =
            Pattern.compile(
                    "\\$argon2id\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,2})\\$([A-Za-z0-9+/]{11,88})\\$([A-Za-z0-9+/]{16,88})");

    /// A line that was written by hand must not make a check take minutes or all memory.
    private static final int MAX_KIBIBYTES = 1 << 20;

    private static final long MAX_WORK = 4L << 20;

    static PasswordHash of(char[] password, PasswordCost cost, byte[] salt) {
        PasswordHash empty =
                new PasswordHash(cost.kibibytes(), cost.passes(), cost.lanes(), salt, new byte[32]);
        return new PasswordHash(
                cost.kibibytes(), cost.passes(), cost.lanes(), salt, empty.argon2id(password));
    }

    /// Empty when the text is no such hash, or one that would cost too much to check.
    static Optional<PasswordHash> parse(String text) {
        Matcher m = PHC.matcher(text);
        if (!m.matches()) {
            return Optional.empty();
        }
        int kibibytes = Integer.parseInt(m.group(1));
        int passes = Integer.parseInt(m.group(2));
        int lanes = Integer.parseInt(m.group(3));
        // RFC 9106 §3.1: at least 8 KiB a lane, one pass, one lane
        if (lanes < 1
                || passes < 1
                || kibibytes < 8 * lanes
                || kibibytes > MAX_KIBIBYTES
                || (long) kibibytes * passes > MAX_WORK) {
            return Optional.empty();
        }
        try {
            Base64.Decoder base64 = Base64.getDecoder();
            return Optional.of(
                    new PasswordHash(
                            kibibytes,
                            passes,
                            lanes,
                            base64.decode(m.group(4)),
                            base64.decode(m.group(5))));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// Whether this is the hash of a password; slow on purpose.
    boolean fits(char[] password) {
        return MessageDigest.isEqual(argon2id(password), hash);
    }

    /// What a check costs, in KiB written.
    long work() {
        return (long) kibibytes * passes;
    }

    /// The PHC string.
    @Override
    public String toString() {
        Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
        return "$argon2id$v=19$m="
                + kibibytes
                + ",t="
                + passes
                + ",p="
                + lanes
                + "$"
                + base64.encodeToString(salt)
                + "$"
                + base64.encodeToString(hash);
    }

    private byte[] argon2id(char[] password) {
        Argon2BytesGenerator generator = new Argon2BytesGenerator();
        generator.init(
                new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                        .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                        .withMemoryAsKB(kibibytes)
                        .withIterations(passes)
                        .withParallelism(lanes)
                        .withSalt(salt)
                        .build());
        byte[] result = new byte[hash.length];
        generator.generateBytes(password, result);
        return result;
    }
}
