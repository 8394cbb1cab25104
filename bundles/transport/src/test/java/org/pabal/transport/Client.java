package org.pabal.transport;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// A plain blocking client, as far from the code under test as can be.
final class Client implements Closeable {

    Socket socket;
    private BufferedReader reader;

    Client(InetSocketAddress server) throws IOException {
        socket = new Socket();
        socket.setSoTimeout(20_000);
        socket.connect(server);
        reader = reader();
    }

    private BufferedReader reader() throws IOException {
        return new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
    }

    /// Puts TLS on, of one of these versions when any is given.
    SSLSocket secure(String... versions) throws IOException {
        SSLSocket secured =
                (SSLSocket)
                        trusting().getSocketFactory().createSocket(socket, "localhost", 1, true);
        if (versions.length > 0) {
            secured.setEnabledProtocols(versions);
        }
        secured.startHandshake();
        socket = secured;
        reader = reader();
        return secured;
    }

    Client send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    Client send(byte[] octets) throws IOException {
        socket.getOutputStream().write(octets);
        return this;
    }

    /// The next line, or `(end)`.
    String line() throws IOException {
        String line = reader.readLine();
        return line == null ? "(end)" : line;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    static SSLContext trusting() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new Everybody()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static final class Everybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
