package org.pabal.directory;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Optional;

/// Prepares logins and passwords for comparison, so that two keyboards that write the same word
/// mean the same word.
///
/// The OpaqueString and UsernameCasePreserved profiles of RFC 8265, without its contextual and bidi
/// rules: text becomes NFC, what can be neither seen nor typed is refused. The two profiles read
/// almost every text as SASLprep (RFC 4013) does, and ASCII always.
public final class Precis {

    /// The longest login, in octets: a mail address has at most 64 + 1 + 255.
    public static final int MAX_LOGIN_OCTETS = 320;

    /// The longest password, in octets, before and after preparation.
    public static final int MAX_PASSWORD_OCTETS = 1_024;

    private Precis() {}

    /// A login, RFC 8265 §3.4. Case stays; whoever looks the login up disregards it.
    ///
    /// @return empty when it is empty, too long, or has characters that no login may have
    public static Optional<String> login(String text) {
        if (text.isEmpty() || text.length() > MAX_LOGIN_OCTETS) {
            return Optional.empty();
        }
        String normal = Normalizer.normalize(text, Normalizer.Form.NFC);
        boolean good =
                normal.codePoints().allMatch(c -> c == ' ' || visible(c))
                        && octets(normal) <= MAX_LOGIN_OCTETS;
        return good ? Optional.of(normal) : Optional.empty();
    }

    /// A password, RFC 8265 §4.2: spaces beyond ASCII become the ASCII space, then NFC.
    ///
    /// @return empty when it is empty, too long, or has characters that no password may have
    public static Optional<char[]> password(char[] characters) {
        if (characters.length == 0 || characters.length > MAX_PASSWORD_OCTETS) {
            return Optional.empty();
        }
        CharBuffer spaced = CharBuffer.allocate(characters.length);
        for (char c : characters) {
            spaced.put(Character.getType(c) == Character.SPACE_SEPARATOR ? ' ' : c);
        }
        String normal = Normalizer.normalize(spaced.flip(), Normalizer.Form.NFC);
        boolean good =
                normal.codePoints().allMatch(Precis::opaque)
                        && octets(normal) <= MAX_PASSWORD_OCTETS;
        return good ? Optional.of(normal.toCharArray()) : Optional.empty();
    }

    /// Octets as UTF-8, or empty when they are not.
    static Optional<CharBuffer> decode(byte[] octets, int from, int to) {
        try {
            return Optional.of(
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(octets, from, to - from)));
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    private static boolean visible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR ->
                    false;
            default -> true;
        };
    }

    /// FreeformClass, RFC 8264 §4.3, but for joiners, which some scripts need.
    private static boolean opaque(int c) {
        return c == ' ' || c == 0x200C || c == 0x200D || visible(c);
    }

    private static int octets(String text) {
        return text.codePoints().map(c -> c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4).sum();
    }
}
