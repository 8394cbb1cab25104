package org.pabal.testkit;

import java.security.Principal;
import java.security.cert.Certificate;
import java.time.Instant;

import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;

/// A TLS 1.3 session that nobody negotiated: enough for a protocol that asks whether it is
/// encrypted and with what.
final class TestTlsSession implements SSLSession {

    @Override
    public byte[] getId() {
        return new byte[0];
    }

    @Override
    public SSLSessionContext getSessionContext() {
        return null;
    }

    @Override
    public long getCreationTime() {
        return Instant.EPOCH.toEpochMilli();
    }

    @Override
    public long getLastAccessedTime() {
        return Instant.EPOCH.toEpochMilli();
    }

    @Override
    public void invalidate() {}

    @Override
    public boolean isValid() {
        return true;
    }

    @Override
    public void putValue(String name, Object value) {}

    @Override
    public Object getValue(String name) {
        return null;
    }

    @Override
    public void removeValue(String name) {}

    @Override
    public String[] getValueNames() {
        return new String[0];
    }

    @Override
    public Certificate[] getPeerCertificates() throws SSLPeerUnverifiedException {
        throw new SSLPeerUnverifiedException("the client showed no certificate");
    }

    @Override
    public Certificate[] getLocalCertificates() {
        return new Certificate[0];
    }

    @Override
    public Principal getPeerPrincipal() throws SSLPeerUnverifiedException {
        throw new SSLPeerUnverifiedException("the client showed no certificate");
    }

    @Override
    public Principal getLocalPrincipal() {
        return null;
    }

    @Override
    public String getCipherSuite() {
        return "TLS_AES_128_GCM_SHA256";
    }

    @Override
    public String getProtocol() {
        return "TLSv1.3";
    }

    @Override
    public String getPeerHost() {
        return "127.0.0.1";
    }

    @Override
    public int getPeerPort() {
        return 40_000;
    }

    @Override
    public int getPacketBufferSize() {
        return 16_709;
    }

    @Override
    public int getApplicationBufferSize() {
        return 16_384;
    }
}
