package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// A stream to another name server, by TCP or TLS. All of it together takes no longer than it was
/// told to, however slowly the other side sends.
final class ServerStream implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(5);

    /// How long the other side may be silent.
    private static final Duration IDLE = Duration.ofSeconds(30);

    private final Socket socket;
    private final InputStream input;
    private final long deadline;

    private ServerStream(Socket socket, long deadline) throws IOException {
        this.socket = socket;
        this.deadline = deadline;
        this.input = new BufferedInputStream(new Limited(socket.getInputStream()), 16_384);
    }

    /// @param trust certificates that the server's has to lead to; the system's when there are none
    /// @param total the time for everything
    /// @throws IOException when it cannot be reached, or is not who it should be
    static ServerStream open(RemoteServer server, Optional<Path> trust, Duration total)
            throws IOException {
        long deadline = System.nanoTime() + total.toNanos();
        Socket socket = new Socket();
        try {
            InetSocketAddress address = server.address();
            socket.connect(address, (int) Math.min(CONNECT.toMillis(), total.toMillis()));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) Math.min(IDLE.toMillis(), total.toMillis()));
            if (server.tls().isPresent()) {
                return new ServerStream(encrypted(socket, server.tls().get(), trust), deadline);
            }
            return new ServerStream(socket, deadline);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// RFC 9103 §7 and §8: TLS 1.3, its own ALPN name, and a certificate for the name that the
    /// administrator wrote.
    private static SSLSocket encrypted(Socket socket, String host, Optional<Path> trust)
            throws IOException {
        SSLContext context;
        try {
            context = trust.isPresent() ? trusting(trust.get()) : SSLContext.getDefault();
        } catch (GeneralSecurityException e) {
            throw new TransferFault(
                    "no TLS: "
                            + trust.map(file -> "tls-trust = " + file + ": ").orElse("")
                            + e.getMessage());
        }
        SSLSocket tls =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(socket, host, socket.getPort(), true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3"});
        parameters.setApplicationProtocols(new String[] {"dot"});
        parameters.setEndpointIdentificationAlgorithm("HTTPS"); // RFC 9525: the name is checked
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        return tls;
    }

    private static SSLContext trusting(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        Collection<? extends Certificate> certificates;
        try (InputStream in = Files.newInputStream(file)) {
            certificates = CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
        for (Certificate certificate : certificates) {
            store.setCertificateEntry("trusted-" + store.size(), certificate);
        }
        TrustManagerFactory managers =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    void send(byte[] message) throws IOException {
        DnsFraming.write(socket.getOutputStream(), message);
    }

    /// The next message.
    ///
    /// @throws EOFException when the stream has ended
    byte[] read() throws IOException {
        return DnsFraming.read(input)
                .orElseThrow(() -> new EOFException("the stream ended before the answer did"));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /// Gives up when the time for everything is over, also when an octet comes now and then.
    private final class Limited extends InputStream {

        private final InputStream in;

        Limited(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
            if (left <= 0) {
                throw new SocketTimeoutException("took too long");
            }
            socket.setSoTimeout((int) Math.min(IDLE.toMillis(), left));
            return in.read(buffer, from, length);
        }
    }
}
