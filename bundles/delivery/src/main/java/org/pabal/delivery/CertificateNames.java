package org.pabal.delivery;

import java.net.InetAddress;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import javax.security.auth.x500.X500Principal;

/// Whom a certificate was given to, and what is wrong when it is somebody else.
final class CertificateNames {

    private static final int DNS_NAME = 2; // RFC 5280 §4.2.1.6
    private static final int ADDRESS = 7;

    /// Names of a certificate that a message tells.
    private static final int MAX_TOLD = 5;

    private static final Pattern COMMON_NAME =
            Pattern.compile("(?:^|(?<!\\\\),)CN=([A-Za-z0-9.*_-]{1,255})(?:,|$)");

    private CertificateNames() {}

    /// @param names any of which will do: host names, or one address in brackets
    /// @param commonNameToo whether a certificate without DNS names may have it in its subject, as
    ///     RFC 7672 §3.2.3 still allows and RFC 9525 §6.3 does not
    /// @throws TlsFailure when the certificate has none of them
    static void require(X509Certificate certificate, List<String> names, boolean commonNameToo)
            throws TlsFailure {
        List<String> has = alternatives(certificate, DNS_NAME);
        if (has.isEmpty() && commonNameToo) {
            has = commonName(certificate).stream().toList();
        }
        List<String> dnsNames = has;
        for (String name : names) {
            if (name.startsWith("[")
                    ? address(certificate, name.substring(1, name.length() - 1))
                    : dnsNames.stream().anyMatch(each -> matches(each, name))) {
                return;
            }
        }
        throw new TlsFailure(
                TlsResult.CERTIFICATE_HOST_MISMATCH,
                "its certificate is for "
                        + (has.isEmpty()
                                ? "no host"
                                : String.join(", ", has.stream().limit(MAX_TOLD).toList()))
                        + ", not for "
                        + String.join(" or ", names),
                null);
    }

    /// Why Java does not like a chain, in the words of RFC 8460 §4.3.1.
    static TlsFailure failure(Exception trouble) {
        for (Throwable cause = trouble; cause != null; cause = cause.getCause()) {
            if (cause instanceof TlsFailure known) {
                return known;
            }
            if (cause instanceof CertificateExpiredException
                    || cause instanceof CertificateNotYetValidException
                    || cause instanceof CertPathValidatorException path
                            && (path.getReason() == BasicReason.EXPIRED
                                    || path.getReason() == BasicReason.NOT_YET_VALID)) {
                return new TlsFailure(
                        TlsResult.CERTIFICATE_EXPIRED,
                        "its certificate is out of date (" + innermost(trouble) + ")",
                        trouble);
            }
        }
        return new TlsFailure(
                TlsResult.CERTIFICATE_NOT_TRUSTED,
                "its certificate leads to no authority that is trusted ("
                        + innermost(trouble)
                        + ")",
                trouble);
    }

    /// Those around it tell by which classes that was found.
    static String innermost(Throwable trouble) {
        Throwable found = trouble;
        while (found.getCause() != null) {
            found = found.getCause();
        }
        return found.getMessage() == null ? found.getClass().getSimpleName() : found.getMessage();
    }

    /// RFC 9525 §6.3: equal but for case, or a wildcard for the whole of the first label.
    static boolean matches(String pattern, String name) {
        String wanted = HostNames.plain(name);
        String has = HostNames.plain(pattern);
        if (!has.startsWith("*.")) {
            return has.equals(wanted);
        }
        int dot = wanted.indexOf('.');
        String above = has.substring(1);
        return dot > 0 && above.indexOf('.', 1) > 0 && above.equals(wanted.substring(dot));
    }

    private static boolean address(X509Certificate certificate, String text) {
        Optional<InetAddress> wanted = HostNames.address(text.toLowerCase(Locale.ROOT));
        return wanted.isPresent()
                && alternatives(certificate, ADDRESS).stream()
                        .flatMap(each -> HostNames.address(each).stream())
                        .anyMatch(wanted.get()::equals);
    }

    private static List<String> alternatives(X509Certificate certificate, int kind) {
        try {
            var names = certificate.getSubjectAlternativeNames();
            return names == null
                    ? List.of()
                    : names.stream()
                            .filter(each -> each.getFirst().equals(kind))
                            .flatMap(each -> Stream.of(each.get(1)))
                            .filter(String.class::isInstance)
                            .map(String.class::cast)
                            .toList();
        } catch (CertificateParsingException e) {
            return List.of();
        }
    }

    private static Optional<String> commonName(X509Certificate certificate) {
        Matcher matcher =
                COMMON_NAME.matcher(
                        certificate.getSubjectX500Principal().getName(X500Principal.RFC2253));
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }
}
