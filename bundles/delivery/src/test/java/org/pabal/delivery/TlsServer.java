package org.pabal.delivery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;

/// A host on loopback that begins with TLS at once, answers each octet with the next one, and keeps
/// what it was asked for.
final class TlsServer implements AutoCloseable {

    private final ServerSocket listening =
            new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final SSLContext context;
    private volatile Minted[] chain;

    /// For each connection the name that the client asked for, or what went wrong.
    final BlockingQueue<String> asked = new LinkedBlockingQueue<>();

    /// @param chain the server's own first, as it is to be sent
    TlsServer(Minted... chain) throws IOException {
        this.chain = chain;
        try {
            context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[] {new Chain()}, null, null);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    void show(Minted... next) {
        chain = next;
    }

    Socket connect() throws IOException {
        Socket socket = new Socket(listening.getInetAddress(), listening.getLocalPort());
        socket.setSoTimeout(30_000);
        return socket;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try (Socket plain = listening.accept();
                    SSLSocket socket =
                            (SSLSocket)
                                    context.getSocketFactory()
                                            .createSocket(plain, null, plain.getPort(), true)) {
                plain.setSoTimeout(30_000);
                socket.setUseClientMode(false);
                socket.startHandshake();
                int octet = socket.getInputStream().read();
                var names = ((ExtendedSSLSession) socket.getSession()).getRequestedServerNames();
                asked.add(names.isEmpty() ? "" : ((SNIHostName) names.getFirst()).getAsciiName());
                socket.getOutputStream().write(octet + 1);
            } catch (IOException e) {
                asked.add("failed: " + e.getMessage());
            }
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }

    private final class Chain extends X509ExtendedKeyManager {

        @Override
        public String chooseServerAlias(String kind, Principal[] issuers, Socket socket) {
            return kind.startsWith("EC") ? "own" : null;
        }

        @Override
        public String chooseEngineServerAlias(String kind, Principal[] issuers, SSLEngine engine) {
            return chooseServerAlias(kind, issuers, null);
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return Arrays.stream(chain).map(Minted::certificate).toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return List.of(chain).getFirst().keys().getPrivate();
        }

        @Override
        public String[] getServerAliases(String kind, Principal[] issuers) {
            return new String[] {"own"};
        }

        @Override
        public String[] getClientAliases(String kind, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public String chooseClientAlias(String[] kinds, Principal[] issuers, Socket socket) {
            return null;
        }
    }
}
