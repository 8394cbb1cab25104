package org.pabal.directory;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The first message of a SCRAM client, RFC 5802 §7.
///
/// @param header the GS2 header with its last comma, RFC 5801 §4
/// @param binding `n`, `y` or `p=` with the name of a channel binding
/// @param authorize whose account to open; empty for the login's own
/// @param bare what follows the header
/// @param nonce the client's
record ScramClientFirst(
        String header, String binding, String authorize, String bare, String login, String nonce) {

    // A `m=` in front of the name would be an extension that we must understand, and we know none.
    // Extensions at the end may be ignored.
    private static final Pattern GRAMMAR =
            Pattern.compile(
                    "((n|y|p=[A-Za-z0-9.-]{1,64}),(?:a=([^,\\x00]{1,1000}))?,)"
                        + "(n=([^,\\x00]{1,1000}),r=([\\x21-\\x2B\\x2D-\\x7E]{1,512})(?:,[A-Za-z]=[^,\\x00]{1,1000})*+)");

    static Optional<ScramClientFirst> parse(String message) {
        Matcher m = GRAMMAR.matcher(message);
        if (!m.matches()) {
            return Optional.empty();
        }
        Optional<String> authorize = name(m.group(3) == null ? "" : m.group(3));
        return name(m.group(5))
                .filter(login -> authorize.isPresent())
                .map(
                        login ->
                                new ScramClientFirst(
                                        m.group(1),
                                        m.group(2),
                                        authorize.get(),
                                        m.group(4),
                                        login,
                                        m.group(6)));
    }

    /// A saslname: `=2C` stands for a comma, `=3D` for an equals sign, and `=` for nothing else.
    private static Optional<String> name(String text) {
        if (text.replace("=2C", "").replace("=3D", "").indexOf('=') >= 0) {
            return Optional.empty();
        }
        return Optional.of(text.replace("=2C", ",").replace("=3D", "="));
    }
}
