package org.pabal.delivery;

import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// SRS, the Sender Rewriting Scheme: `SRS0=HHHHHHHH=TT=domain=local@ours`, and
/// `SRS1=HHHHHHHH=domain==HHHH=TT=…@ours` for mail that was forwarded before.
///
/// `TT` is the day, modulo 1,024. `HHHHHHHH` are 40 bits of an HMAC-SHA-256 over all that follows:
/// nobody but us has to check it, so that it need not be the SHA-1 of libsrs2, and who may guess at
/// every RCPT that a server can answer guesses for years. Both are base32 and compared without
/// regard to case, for there are hosts that fold it; what stands behind them is held against the
/// hash without regard to the case of ASCII letters too, and given back as it came.
///
/// An address that was rewritten elsewhere is not wrapped once more: `SRS1` names the host that
/// made it `SRS0`, whose own date and hash still guard it, and those between need not hear.
///
/// A sender that does not fit keeps its name. There is no room for a shorter token without keeping
/// a table of them; `<>` would lose every report without a word; a local part of more than 64
/// octets (RFC 5321 §4.5.3.1.1) is refused by many, by us too when a report comes back to it. As it
/// is, a host that insists on SPF refuses the message in our face, and its sender hears of that.
final class SenderRewriting implements ForwardedSenders {

    /// As long as in libsrs2: no host tries for longer, and few reports come later.
    static final int VALID_DAYS = 21;

    private static final int MAX_LOCAL_OCTETS = 64;
    private static final int HASH_CHARACTERS = 8;
    private static final int STAMP_MODULUS = 1_024;
    private static final int SECRET_OCTETS = 32;
    private static final int LEAST_SECRET_OCTETS = 16;

    // RFC 4648 §6
    private static final String BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    private static final Pattern FORM =
            Pattern.compile("SRS[01][=+-].*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /// Another host's; what is in front of `rest` is the separator that it chose.
    private static final Pattern THEIRS0 =
            Pattern.compile("SRS0(?<rest>[=+-].+)", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final Pattern THEIRS1 =
            Pattern.compile(
                    "SRS1[=+-][^=]+=(?<host>[^=]+)=(?<rest>[=+-].+)",
                    Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final Pattern OURS0 =
            Pattern.compile(
                    "SRS0=(?<hash>[A-Z2-7]{8})=(?<stamp>[A-Z2-7]{2})=(?<host>[^=]+)=(?<local>.+)",
                    Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final Pattern OURS1 =
            Pattern.compile(
                    "SRS1=(?<hash>[A-Z2-7]{8})=(?<host>[^=]+)=(?<rest>[=+-].+)",
                    Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private final String domain;
    private final SecretKeySpec key;
    private final InstantSource clock;

    /// @param domain whose addresses it makes
    /// @param secret at least 16 octets that nobody else knows
    SenderRewriting(String domain, byte[] secret, InstantSource clock) {
        if (secret.length < LEAST_SECRET_OCTETS) {
            throw new IllegalArgumentException(
                    "SRS secret: has "
                            + secret.length
                            + " octets, expected at least "
                            + LEAST_SECRET_OCTETS);
        }
        this.domain = domain.toLowerCase(Locale.ROOT);
        this.key = new SecretKeySpec(secret, "HmacSHA256");
        this.clock = clock;
    }

    /// Reads the secret, or makes one when there is none yet.
    ///
    /// It appears in one piece and for its owner only. Of two that make it at once one wins, and
    /// both use that.
    static byte[] secret(Path file) throws IOException {
        try {
            return existing(file);
        } catch (NoSuchFileException e) {
            byte[] secret = new byte[SECRET_OCTETS];
            new SecureRandom().nextBytes(secret);
            create(file.toAbsolutePath(), secret);
            return existing(file);
        }
    }

    /// A sender of our own domain stays as it is, and one that would become too long.
    @Override
    public MailAddress rewritten(MailAddress sender) {
        if (sender.domain().equals(domain)) {
            return sender;
        }
        String local = local(sender);
        return local.getBytes(StandardCharsets.UTF_8).length > MAX_LOCAL_OCTETS
                ? sender
                : new MailAddress(local, domain);
    }

    private String local(MailAddress sender) {
        Matcher once = THEIRS0.matcher(sender.localPart());
        if (once.matches()) {
            return forwardedBefore(sender.domain(), once.group("rest"));
        }
        Matcher often = THEIRS1.matcher(sender.localPart());
        if (often.matches()) {
            return forwardedBefore(often.group("host"), often.group("rest"));
        }
        String stamp = stamp(today());
        return String.join(
                "=",
                "SRS0",
                hash("SRS0", stamp, sender.domain(), sender.localPart()),
                stamp,
                sender.domain(),
                sender.localPart());
    }

    private String forwardedBefore(String host, String rest) {
        return String.join("=", "SRS1", hash("SRS1", host, rest), host, rest);
    }

    @Override
    public boolean form(MailAddress address) {
        return address.domain().equals(domain) && FORM.matcher(address.localPart()).matches();
    }

    @Override
    public Optional<MailAddress> original(MailAddress address) {
        if (!address.domain().equals(domain)) {
            return Optional.empty();
        }
        Matcher once = OURS0.matcher(address.localPart());
        if (once.matches()) {
            String stamp = once.group("stamp");
            String host = once.group("host");
            String local = once.group("local");
            return same(once.group("hash"), hash("SRS0", stamp, host, local)) && fresh(stamp)
                    ? address(local, host)
                    : Optional.empty();
        }
        Matcher often = OURS1.matcher(address.localPart());
        if (often.matches()) {
            String host = often.group("host");
            String rest = often.group("rest");
            return same(often.group("hash"), hash("SRS1", host, rest))
                    // It may lead back to us, for a message that came by twice.
                    ? address("SRS0" + rest, host)
                            .flatMap(to -> form(to) ? original(to) : Optional.of(to))
                    : Optional.empty();
        }
        return Optional.empty();
    }

    /// Only what may stand in a command.
    private static Optional<MailAddress> address(String local, String host) {
        return MailAddress.parse(new MailAddress(local, host).toString());
    }

    /// What is hashed has an end to each of its parts, unlike in libsrs2, where
    /// `example.comx=bob` has the hash of `example.com=xbob`.
    private String hash(String... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            for (String part : parts) {
                mac.update(folded(part).getBytes(StandardCharsets.UTF_8));
                mac.update((byte) 0);
            }
            byte[] code = mac.doFinal();
            long bits = ByteBuffer.wrap(code).getLong();
            StringBuilder hash = new StringBuilder(HASH_CHARACTERS);
            for (int i = 1; i <= HASH_CHARACTERS; i++) {
                hash.append(BASE32.charAt((int) (bits >>> 64 - 5 * i) & 31));
            }
            return hash.toString();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256: every Java has it", e);
        }
    }

    private static boolean same(String said, String expected) {
        return MessageDigest.isEqual(
                folded(said).getBytes(StandardCharsets.UTF_8),
                folded(expected).getBytes(StandardCharsets.UTF_8));
    }

    private boolean fresh(String stamp) {
        String folded = stamp.toUpperCase(Locale.ROOT);
        int day = BASE32.indexOf(folded.charAt(0)) * 32 + BASE32.indexOf(folded.charAt(1));
        return Math.floorMod(today() - day, STAMP_MODULUS) <= VALID_DAYS;
    }

    private static String stamp(int day) {
        return "" + BASE32.charAt(day / 32) + BASE32.charAt(day % 32);
    }

    private int today() {
        return (int)
                Math.floorMod(Duration.ofMillis(clock.millis()).toDays(), (long) STAMP_MODULUS);
    }

    /// ASCII letters only: Unicode has a sign that becomes a `k`, and it is not the same address.
    private static String folded(String text) {
        StringBuilder folded = new StringBuilder(text.length());
        text.chars().forEach(c -> folded.append((char) (c >= 'A' && c <= 'Z' ? c + 32 : c)));
        return folded.toString();
    }

    private static byte[] existing(Path file) throws IOException {
        byte[] secret = Files.readAllBytes(file);
        if (secret.length < LEAST_SECRET_OCTETS) {
            throw new IOException(
                    "SRS secret "
                            + file
                            + ": has "
                            + secret.length
                            + " octets, expected at least "
                            + LEAST_SECRET_OCTETS
                            + "; delete it to have a new one made");
        }
        return secret;
    }

    private static void create(Path file, byte[] secret) throws IOException {
        boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] owner =
                posix
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------"))
                        }
                        : new FileAttribute<?>[0];
        Path next = Files.createTempFile(file.getParent(), ".srs", ".next", owner);
        try {
            try (FileChannel channel = FileChannel.open(next, Set.of(StandardOpenOption.WRITE))) {
                channel.write(ByteBuffer.wrap(secret));
                channel.force(true);
            }
            Files.createLink(file, next);
        } catch (FileAlreadyExistsException e) {
            return;
        } catch (UnsupportedOperationException e) {
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(next);
        }
    }
}
