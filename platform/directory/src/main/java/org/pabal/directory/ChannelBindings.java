package org.pabal.directory;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidParameterSpecException;
import java.security.spec.PSSParameterSpec;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLKeyException;
import javax.net.ssl.SSLSession;

/// What a sign-in can be tied to on a TLS connection, so that nobody in the middle can pass it on,
/// RFC 5056.
final class ChannelBindings {

    private static final Pattern HASH =
            Pattern.compile("(MD5|SHA-?(?:1|224|256|384|512))with.*", Pattern.CASE_INSENSITIVE);

    private ChannelBindings() {}

    /// The bindings of a connection, by the name a client gives in `p=`.
    static Map<String, byte[]> of(Optional<SSLSession> tls) {
        Map<String, byte[]> bindings = new LinkedHashMap<>();
        tls.ifPresent(
                session -> {
                    exporter(session).ifPresent(octets -> bindings.put("tls-exporter", octets));
                    endPoint(session)
                            .ifPresent(octets -> bindings.put("tls-server-end-point", octets));
                });
        return bindings;
    }

    /// RFC 9266 §2: 32 octets of exported keying material. Over TLS 1.2 Java hands it out only with
    /// the extended master secret, as §4.2 there asks. No context is given, which in TLS 1.3 is the
    /// same as an empty one; for TLS 1.2 this is what GnuTLS, Exim and Dovecot do.
    private static Optional<byte[]> exporter(SSLSession session) {
        if (!(session instanceof ExtendedSSLSession extended)) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    extended.exportKeyingMaterialData("EXPORTER-Channel-Binding", null, 32));
        } catch (SSLKeyException | UnsupportedOperationException | IllegalStateException e) {
            return Optional.empty();
        }
    }

    /// RFC 5929 §4.1: the hash of our certificate by the hash of its signature, SHA-256 in place of
    /// MD5 and SHA-1. Undefined for signatures without one such hash, like Ed25519.
    private static Optional<byte[]> endPoint(SSLSession session) {
        Certificate[] ours = session.getLocalCertificates();
        if (ours == null || ours.length == 0 || !(ours[0] instanceof X509Certificate certificate)) {
            return Optional.empty();
        }
        try {
            byte[] encoded = certificate.getEncoded();
            return hash(certificate).map(hash -> ScramKeys.digest(hash, encoded));
        } catch (GeneralSecurityException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> hash(X509Certificate certificate)
            throws GeneralSecurityException {
        String name = certificate.getSigAlgName();
        if (name.equals("RSASSA-PSS")) {
            name = pssHash(certificate) + "with";
        }
        Matcher matcher = HASH.matcher(name);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String hash = matcher.group(1).toUpperCase(Locale.ROOT).replace("-", "");
        return Optional.of(
                hash.equals("MD5") || hash.equals("SHA1") ? "SHA-256" : "SHA-" + hash.substring(3));
    }

    private static String pssHash(X509Certificate certificate) throws GeneralSecurityException {
        try {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("RSASSA-PSS");
            parameters.init(certificate.getSigAlgParams());
            return parameters.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm();
        } catch (java.io.IOException | InvalidParameterSpecException e) {
            throw new GeneralSecurityException("unreadable RSASSA-PSS parameters", e);
        }
    }
}
