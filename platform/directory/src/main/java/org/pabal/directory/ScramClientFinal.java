package org.pabal.directory;

import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The last message of a SCRAM client, RFC 5802 §7.
///
/// @param withoutProof what the proof is about
/// @param channel the GS2 header again, and what the channel is bound to
/// @param nonce both nonces
record ScramClientFinal(String withoutProof, byte[] channel, String nonce, byte[] proof) {

    private static final Pattern GRAMMAR =
            Pattern.compile(
                    "(c=([A-Za-z0-9+/]{1,2000}={0,2}),r=([\\x21-\\x2B\\x2D-\\x7E]{1,1024})"
                        + "(?:,[A-Za-oq-z]=[^,\\x00]{1,1000})*+),p=([A-Za-z0-9+/]{1,200}={0,2})");

    static Optional<ScramClientFinal> parse(String message) {
        Matcher m = GRAMMAR.matcher(message);
        if (!m.matches()) {
            return Optional.empty();
        }
        try {
            Base64.Decoder base64 = Base64.getDecoder();
            return Optional.of(
                    new ScramClientFinal(
                            m.group(1),
                            base64.decode(m.group(2)),
                            m.group(3),
                            base64.decode(m.group(4))));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
