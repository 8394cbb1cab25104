package org.pabal.dns.recursive;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.util.List;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// TLS with a server that has to prove its name: RFC 7858 by the strict profile of RFC 8310 §5.
/// Nothing is ever asked in clear text instead.
final class StrictTls {

    private final SSLContext context;

    /// @param trusted what the server's certificate has to lead to; empty for what the Java runtime
    ///     trusts
    StrictTls(List<Certificate> trusted) {
        try {
            this.context = trusted.isEmpty() ? SSLContext.getDefault() : trusting(trusted);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("TLS: " + e.getMessage(), e);
        }
    }

    private static SSLContext trusting(List<Certificate> trusted)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (Certificate certificate : trusted) {
            store.setCertificateEntry("trusted-" + store.size(), certificate);
        }
        TrustManagerFactory managers =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext made = SSLContext.getInstance("TLS");
        made.init(null, managers.getTrustManagers(), null);
        return made;
    }

    /// Encrypts a stream; returns when the server has proved that it has that name.
    SSLSocket encrypted(Socket socket, String name) throws IOException {
        SSLSocket tls =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(socket, name, socket.getPort(), true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"}); // RFC 8310 §9
        parameters.setApplicationProtocols(new String[] {"dot"});
        parameters.setEndpointIdentificationAlgorithm("HTTPS"); // RFC 8310 §8.1
        tls.setSSLParameters(parameters);
        try {
            tls.startHandshake();
        } catch (SSLException e) {
            throw new SSLException(
                    certified(e)
                            ? "TLS: its certificate does not prove that it is "
                                    + name
                                    + " ("
                                    + innermost(e).getMessage()
                                    + ")"
                            : "TLS: " + e.getMessage(),
                    e);
        }
        return tls;
    }

    /// What is wrong with the certificate; those around it tell by which classes that was found.
    private static Throwable innermost(Throwable trouble) {
        Throwable found = trouble;
        while (found.getCause() != null) {
            found = found.getCause();
        }
        return found;
    }

    private static boolean certified(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return true;
            }
        }
        return false;
    }
}
