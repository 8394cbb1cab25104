package org.pabal.delivery;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/// Looks at the certificate of one connection as its [TlsRule] wants it, and remembers what was
/// wrong.
final class CertificateJudge extends X509ExtendedTrustManager {

    private final TlsRule rule;
    private final X509ExtendedTrustManager authorities;
    private volatile Optional<TlsFailure> found = Optional.empty();

    CertificateJudge(TlsRule rule, X509ExtendedTrustManager authorities) {
        this.rule = rule;
        this.authorities = authorities;
    }

    /// Whether any certificate will do, so that there is nothing to judge.
    boolean indifferent() {
        return rule instanceof TlsRule.Opportunistic || rule instanceof TlsRule.Encrypted;
    }

    /// What was so wrong that the handshake had to end.
    Optional<TlsFailure> refusal() {
        return rule instanceof TlsRule.Tested ? Optional.empty() : found;
    }

    /// What was wrong, but is only told.
    Optional<TlsFailure> complaint() {
        return rule instanceof TlsRule.Tested ? found : Optional.empty();
    }

    String words() {
        return switch (rule) {
            case TlsRule.Dane dane -> "dane";
            case TlsRule.Verified verified -> "verified";
            case TlsRule.Tested tested when found.isEmpty() -> "verified";
            default -> "not verified";
        };
    }

    private void judge(X509Certificate[] chain, String kind, Socket socket)
            throws CertificateException {
        try {
            switch (rule) {
                case TlsRule.Opportunistic any -> {}
                case TlsRule.Encrypted any -> {}
                case TlsRule.Dane dane -> Dane.verify(dane, List.of(chain));
                case TlsRule.Verified verified -> verify(chain, kind, socket, verified.name());
                case TlsRule.Tested tested -> {
                    if (!tested.named()) {
                        throw new TlsFailure(
                                TlsResult.VALIDATION_FAILURE,
                                "the MTA-STS policy does not name " + tested.name(),
                                null);
                    }
                    verify(chain, kind, socket, tested.name());
                }
            }
        } catch (TlsFailure failure) {
            found = Optional.of(failure);
            if (refusal().isPresent()) {
                throw new CertificateException(failure.getMessage(), failure);
            }
        }
    }

    /// RFC 8461 §4.2: in date, from an authority that is trusted, and for this name.
    private void verify(X509Certificate[] chain, String kind, Socket socket, String name)
            throws TlsFailure {
        try {
            authorities.checkServerTrusted(chain, kind, socket);
        } catch (CertificateException e) {
            throw CertificateNames.failure(e);
        }
        CertificateNames.require(chain[0], List.of(name), false);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket)
            throws CertificateException {
        judge(chain, kind, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("only sockets are judged");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind)
            throws CertificateException {
        throw new CertificateException("only sockets are judged");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket)
            throws CertificateException {
        throw new CertificateException("only servers are judged");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("only servers are judged");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind)
            throws CertificateException {
        throw new CertificateException("only servers are judged");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
