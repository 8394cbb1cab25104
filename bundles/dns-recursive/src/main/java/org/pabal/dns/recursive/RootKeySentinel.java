package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Lets who asks find out which keys of the root we believe, by names that fail or do not (RFC
/// 8509).
final class RootKeySentinel {

    /// RFC 8509 §2
    private static final Pattern LABEL =
            Pattern.compile("root-key-sentinel-(is|not)-ta-(\\d{5})", Pattern.CASE_INSENSITIVE);

    private static final int OTHER = 0; // RFC 8914 §4.1

    private RootKeySentinel() {}

    /// A secure finding for such a name is withheld when what its label says is not so.
    static Finding apply(Finding finding, TrustAnchors anchors) {
        Name name = finding.question().name();
        int type = finding.question().type();
        if (type != Type.A && type != Type.AAAA || name.labels() < 2) {
            return finding;
        }
        Matcher label = LABEL.matcher(name.getLabelString(0));
        if (!label.matches()) {
            return finding;
        }
        boolean trusted = anchors.ofTheRoot(Integer.parseInt(label.group(2)));
        if (trusted == label.group(1).equalsIgnoreCase("is")) {
            return finding;
        }
        return finding.judged(
                Security.BOGUS,
                Optional.of(
                        new Reason(
                                OTHER,
                                name
                                        + ": root key "
                                        + label.group(2)
                                        + (trusted ? " is" : " is not")
                                        + " a trust anchor")));
    }
}
