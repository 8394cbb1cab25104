package org.pabal.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// The client of a [Dialogue] that is played over the wire. It believes any certificate.
final class WireClient implements Dialogue.Client, AutoCloseable {

    private static final int PATIENCE_MILLIS = (int) TestConnection.PATIENCE.toMillis();

    private Socket socket;

    WireClient(InetSocketAddress server, boolean tls) throws Exception {
        socket = new Socket();
        socket.connect(server, PATIENCE_MILLIS);
        socket.setSoTimeout(PATIENCE_MILLIS);
        if (tls) {
            startTls();
        }
    }

    @Override
    public OutputStream output() throws IOException {
        return socket.getOutputStream();
    }

    @Override
    public InputStream input() throws IOException {
        return socket.getInputStream();
    }

    @Override
    public void startTls() throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new BelievesAll()}, null);
        SSLSocket secured =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(socket, "localhost", socket.getPort(), true);
        secured.startHandshake();
        socket = secured;
    }

    @Override
    public void hangUp() throws IOException {
        socket.close();
    }

    @Override
    public void happen(String event) {
        throw new IllegalStateException("`-- " + event + "` can only be played in-process");
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private static final class BelievesAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
