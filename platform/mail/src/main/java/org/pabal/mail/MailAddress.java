package org.pabal.mail;

import java.util.Locale;
import java.util.Optional;

/// A mailbox address as it stands in an envelope, RFC 5321 §4.1.2, with UTF-8 as RFC 6531 §3.3
/// allows.
///
/// Two addresses are equal when their local parts are the same to the letter (RFC 5321 §2.4) and
/// their domains are the same but for case. The local part is held without quotes; [#toString()]
/// puts them back where they are needed.
///
/// @param localPart what stands before the `@`, 1 to 64 octets, unquoted
/// @param domain a domain in lower case, or an address literal with its brackets; at most 255
///     octets
public record MailAddress(String localPart, String domain) {

    public MailAddress {
        domain = domain.toLowerCase(Locale.ROOT);
    }

    /// Reads `local@domain`. Empty when the text is no address: wrong characters, a part too long,
    /// a source route.
    public static Optional<MailAddress> parse(String text) {
        return AddressParser.parse(text);
    }

    /// Whether either part has characters beyond ASCII, so that only a server with SMTPUTF8 can
    /// take it.
    public boolean internationalized() {
        return !ascii(localPart) || !ascii(domain);
    }

    /// The address as it is written in a command or a header field: `bob@example.org`, `"b
    /// b"@example.org`.
    @Override
    public String toString() {
        return AddressParser.quoted(localPart) + "@" + domain;
    }

    private static boolean ascii(String text) {
        return text.chars().allMatch(c -> c < 128);
    }
}
