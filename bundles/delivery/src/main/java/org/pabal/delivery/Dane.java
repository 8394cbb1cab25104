package org.pabal.delivery;

import org.xbill.DNS.TLSARecord;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXCertPathChecker;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Whether a certificate is the one that TLSA records speak of, RFC 6698 §2.1 as RFC 7671 and RFC
/// 7672 §3 narrow it for mail.
final class Dane {

    private static final int TRUST_ANCHOR = 2;
    private static final int END_ENTITY = 3;
    private static final int WHOLE_CERTIFICATE = 0;
    private static final int KEY = 1;
    private static final int FULL = 0;
    private static final int SHA_256 = 1;
    private static final int SHA_512 = 2;

    /// A chain that is longer is no chain, but somebody who wants us to check signatures.
    private static final int MAX_CHAIN = 10;

    private static final String SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"; // RFC 5280 §4.2.1.12
    private static final String ANY_USAGE = "2.5.29.37.0";
    private static final String EXTENDED_KEY_USAGE = "2.5.29.37";

    private Dane() {}

    /// Whether there is anything that the record could fit. Records of public authorities (usages 0
    /// and 1) are of no use in mail, RFC 7672 §3.1.3.
    static boolean usable(TLSARecord record) {
        int usage = record.getCertificateUsage();
        int selector = record.getSelector();
        byte[] data = record.getCertificateAssociationData();
        if (usage != TRUST_ANCHOR && usage != END_ENTITY
                || selector != WHOLE_CERTIFICATE && selector != KEY) {
            return false;
        }
        return switch (record.getMatchingType()) {
            case FULL -> selector == KEY ? key(data).isPresent() : certificate(data).isPresent();
            case SHA_256 -> data.length == 32;
            case SHA_512 -> data.length == 64;
            default -> false;
        };
    }

    /// @param chain as the server sent it, its own certificate first
    /// @throws TlsFailure when no record fits; of several reasons the one that came nearest
    static void verify(TlsRule.Dane rule, List<X509Certificate> chain) throws TlsFailure {
        if (chain.isEmpty()) {
            throw failure("the server has no certificate");
        }
        List<TLSARecord> records = strongest(rule.records());
        X509Certificate own = chain.getFirst();
        // RFC 7672 §3.1.1: neither its names nor its dates matter
        if (records.stream().anyMatch(each -> fits(each, END_ENTITY, own))) {
            return;
        }
        Optional<TlsFailure> nearest = Optional.empty();
        List<TLSARecord> anchors =
                records.stream()
                        .filter(each -> each.getCertificateUsage() == TRUST_ANCHOR)
                        .toList();
        List<X509Certificate> path = new ArrayList<>(List.of(own));
        while (!anchors.isEmpty()) {
            X509Certificate last = path.getLast();
            for (TrustAnchor anchor : anchors(anchors, last, issuers(chain, path))) {
                try {
                    validate(path, anchor, rule.names());
                    return;
                } catch (TlsFailure e) {
                    nearest = Optional.of(e);
                }
            }
            Optional<X509Certificate> issuer =
                    issuers(chain, path).stream().filter(each -> signed(each, last)).findFirst();
            if (issuer.isEmpty() || path.size() >= MAX_CHAIN) {
                break;
            }
            path.add(issuer.get());
        }
        throw nearest.orElseGet(() -> failure("its certificate is not what its TLSA records say"));
    }

    /// RFC 7671 §9: where the same is published by two digests, only the better one counts.
    private static List<TLSARecord> strongest(List<TLSARecord> records) {
        return records.stream()
                .filter(
                        each ->
                                each.getMatchingType() != SHA_256
                                        || records.stream()
                                                .noneMatch(
                                                        other ->
                                                                other.getMatchingType() == SHA_512
                                                                        && sameKind(each, other)))
                .toList();
    }

    private static boolean sameKind(TLSARecord one, TLSARecord other) {
        return one.getCertificateUsage() == other.getCertificateUsage()
                && one.getSelector() == other.getSelector();
    }

    /// Certificates of the chain that may have signed the last of the path.
    private static List<X509Certificate> issuers(
            List<X509Certificate> chain, List<X509Certificate> path) {
        return chain.stream()
                .limit(MAX_CHAIN)
                .filter(each -> !path.contains(each))
                .filter(
                        each ->
                                each.getSubjectX500Principal()
                                        .equals(path.getLast().getIssuerX500Principal()))
                .toList();
    }

    /// The trust anchors that may be above a certificate: those of the chain that a record fits,
    /// and those that stand in a record whole and need not be sent (RFC 7671 §5.2.2).
    private static List<TrustAnchor> anchors(
            List<TLSARecord> records, X509Certificate below, List<X509Certificate> issuers) {
        List<TrustAnchor> anchors = new ArrayList<>();
        for (TLSARecord record : records) {
            issuers.stream()
                    .filter(each -> fits(record, TRUST_ANCHOR, each))
                    .map(each -> new TrustAnchor(each, null))
                    .forEach(anchors::add);
            if (record.getMatchingType() != FULL) {
                continue;
            }
            byte[] data = record.getCertificateAssociationData();
            if (record.getSelector() == KEY) {
                key(data)
                        .map(key -> new TrustAnchor(below.getIssuerX500Principal(), key, null))
                        .ifPresent(anchors::add);
            } else {
                certificate(data)
                        .filter(
                                each ->
                                        each.getSubjectX500Principal()
                                                .equals(below.getIssuerX500Principal()))
                        .map(each -> new TrustAnchor(each, null))
                        .ifPresent(anchors::add);
            }
        }
        return anchors;
    }

    /// RFC 7672 §3.1.2: signatures, dates and names as with any authority.
    private static void validate(List<X509Certificate> path, TrustAnchor anchor, List<String> names)
            throws TlsFailure {
        try {
            if (anchor.getTrustedCert() != null) {
                anchor.getTrustedCert().checkValidity();
            }
            PKIXParameters parameters = new PKIXParameters(Set.of(anchor));
            parameters.setRevocationEnabled(false);
            parameters.addCertPathChecker(new ForServers());
            CertPathValidator.getInstance("PKIX")
                    .validate(
                            CertificateFactory.getInstance("X.509").generateCertPath(path),
                            parameters);
        } catch (GeneralSecurityException e) {
            throw CertificateNames.failure(e);
        }
        CertificateNames.require(path.getFirst(), names, true);
    }

    private static boolean fits(TLSARecord record, int usage, X509Certificate certificate) {
        if (record.getCertificateUsage() != usage) {
            return false;
        }
        try {
            byte[] octets =
                    record.getSelector() == KEY
                            ? certificate.getPublicKey().getEncoded()
                            : certificate.getEncoded();
            byte[] wanted = record.getCertificateAssociationData();
            return switch (record.getMatchingType()) {
                case FULL -> Arrays.equals(octets, wanted);
                case SHA_256 -> Arrays.equals(digest("SHA-256", octets), wanted);
                case SHA_512 -> Arrays.equals(digest("SHA-512", octets), wanted);
                default -> false;
            };
        } catch (CertificateException e) {
            return false;
        }
    }

    private static byte[] digest(String algorithm, byte[] octets) {
        try {
            return MessageDigest.getInstance(algorithm).digest(octets);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(algorithm + ": " + e.getMessage(), e);
        }
    }

    private static boolean signed(X509Certificate issuer, X509Certificate below) {
        try {
            below.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static Optional<X509Certificate> certificate(byte[] octets) {
        try {
            Certificate certificate =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(octets));
            return certificate instanceof X509Certificate x509
                    ? Optional.of(x509)
                    : Optional.empty();
        } catch (CertificateException e) {
            return Optional.empty();
        }
    }

    /// RFC 7671 §5.2.2: a bare key; of which kind stands in it.
    private static Optional<PublicKey> key(byte[] octets) {
        for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                return Optional.of(
                        KeyFactory.getInstance(algorithm)
                                .generatePublic(new X509EncodedKeySpec(octets)));
            } catch (GeneralSecurityException e) {
                // it may be of the next kind
            }
        }
        return Optional.empty();
    }

    private static TlsFailure failure(String message) {
        return new TlsFailure(TlsResult.VALIDATION_FAILURE, message, null);
    }

    /// Takes note of what a key is for, which Java's path validation leaves to others.
    private static final class ForServers extends PKIXCertPathChecker {

        @Override
        public void init(boolean forward) {}

        @Override
        public boolean isForwardCheckingSupported() {
            return true;
        }

        @Override
        public Set<String> getSupportedExtensions() {
            return Set.of(EXTENDED_KEY_USAGE);
        }

        @Override
        public void check(Certificate certificate, Collection<String> unresolved)
                throws CertPathValidatorException {
            try {
                List<String> usages = ((X509Certificate) certificate).getExtendedKeyUsage();
                if (usages != null
                        && !usages.contains(SERVER_AUTHENTICATION)
                        && !usages.contains(ANY_USAGE)) {
                    throw new CertPathValidatorException(
                            "a certificate of the chain is not for servers");
                }
            } catch (CertificateException e) {
                throw new CertPathValidatorException(e);
            }
            unresolved.remove(EXTENDED_KEY_USAGE);
        }
    }
}
