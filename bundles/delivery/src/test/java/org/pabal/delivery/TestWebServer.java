package org.pabal.delivery;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// A web server on the loopback that says what it is told, octet for octet, with a certificate of
/// `tls/sts.p12`: `good` and `expired` for mta-sts.example.org, `other` for www.example.org,
/// `common` with a common name and nothing else. All are of one authority, which [#authorities]
/// trusts.
final class TestWebServer implements AutoCloseable {

    /// What is answered to a request.
    interface Page {
        void write(String request, OutputStream out) throws IOException;
    }

    private static final char[] SECRET = "pabal-test".toCharArray();

    final List<String> requests = new CopyOnWriteArrayList<>();
    private final SSLServerSocket socket;
    private volatile Page page;

    TestWebServer(String certificate, Page page) throws IOException, GeneralSecurityException {
        this.page = page;
        socket =
                (SSLServerSocket)
                        context(certificate)
                                .getServerSocketFactory()
                                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::serve);
    }

    static Page text(String answer) {
        return (request, out) -> out.write(answer.getBytes(StandardCharsets.UTF_8));
    }

    /// A page of type text/plain.
    static Page plain(String body) {
        return text(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
                        + body.getBytes(StandardCharsets.UTF_8).length
                        + "\r\n\r\n"
                        + body);
    }

    void page(Page next) {
        page = next;
    }

    int port() {
        return socket.getLocalPort();
    }

    URI uri(String host, String path) {
        return URI.create("https://" + host + ":" + port() + path);
    }

    /// Trusts the authority of the test certificates.
    static SSLContext authorities() throws IOException, GeneralSecurityException {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry("authority", keys().getCertificate("authority"));
        TrustManagerFactory managers =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    private static KeyStore keys() throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = TestWebServer.class.getResourceAsStream("/tls/sts.p12")) {
            keys.load(file, SECRET);
        }
        return keys;
    }

    private static SSLContext context(String certificate)
            throws IOException, GeneralSecurityException {
        KeyStore all = keys();
        Key key = all.getKey(certificate, SECRET);
        KeyStore one = KeyStore.getInstance("PKCS12");
        one.load(null, null);
        one.setKeyEntry(certificate, key, SECRET, all.getCertificateChain(certificate));
        KeyManagerFactory managers =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(one, SECRET);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private void serve() {
        while (!socket.isClosed()) {
            try {
                SSLSocket connection = (SSLSocket) socket.accept();
                Thread.ofVirtual().start(() -> converse(connection));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void converse(SSLSocket connection) {
        try (connection) {
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    connection.getInputStream(), StandardCharsets.ISO_8859_1));
            StringBuilder request = new StringBuilder();
            int length = 0;
            for (String line = in.readLine();
                    line != null && !line.isEmpty();
                    line = in.readLine()) {
                request.append(line).append('\n');
                if (line.startsWith("Content-Length: ")) {
                    length = Integer.parseInt(line.substring(16));
                }
            }
            for (int i = 0; i < length; i++) {
                request.append(i == 0 ? "\n" : "").append((char) in.read());
            }
            requests.add(request.toString());
            page.write(request.toString(), connection.getOutputStream());
            connection.getOutputStream().flush();
        } catch (IOException e) {
            requests.add("broken off");
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
