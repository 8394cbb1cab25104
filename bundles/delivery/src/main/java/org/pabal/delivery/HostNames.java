package org.pabal.delivery;

import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.net.IDN;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// How hosts and domains are written: in settings, in envelopes, in DNS.
final class HostNames {

    private static final int MAX_DOMAIN = 255; // RFC 5321 §4.5.3.1.2

    /// What DNS lets be named: letters, digits, hyphens, and the underscores that are seen in MX
    /// records.
    private static final Pattern HOST =
            Pattern.compile("(?!\\d+(\\.\\d+)*$)[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63})*");

    private static final Pattern FOUR = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern SIX = Pattern.compile("[0-9a-f:.]{2,45}");

    private HostNames() {}

    /// Whether a name in lower case can be a host's: no address in text, nothing that DNS has to
    /// escape.
    static boolean host(String name) {
        return name.length() <= MAX_DOMAIN && HOST.matcher(name).matches();
    }

    /// An IP address in text, without a zone.
    static Optional<InetAddress> address(String text) {
        boolean literal =
                FOUR.matcher(text).matches()
                        || text.indexOf(':') >= 0 && SIX.matcher(text).matches();
        try {
            return literal ? Optional.of(InetAddress.ofLiteral(text)) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// A domain as DNS and certificates have it, RFC 5890 §2.3.2.1; as it is when it has no such
    /// form.
    static String ascii(String domain) {
        if (domain.length() > MAX_DOMAIN || domain.chars().allMatch(c -> c < 128)) {
            return domain;
        }
        try {
            return IDN.toASCII(plain(domain), IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            return domain;
        }
    }

    /// The question for DNS; empty when no host can have such a name.
    static Optional<Name> name(String domain) {
        String ascii = plain(ascii(domain));
        try {
            return host(ascii) ? Optional.of(Name.fromString(ascii, Name.root)) : Optional.empty();
        } catch (TextParseException e) {
            return Optional.empty();
        }
    }

    static String plain(Name name) {
        return plain(name.toString());
    }

    /// In lower case and without the last dot.
    static String plain(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.length() > 1 && lower.endsWith(".")
                ? lower.substring(0, lower.length() - 1)
                : lower;
    }
}
