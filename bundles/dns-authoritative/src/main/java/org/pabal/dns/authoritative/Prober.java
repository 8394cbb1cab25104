package org.pabal.dns.authoritative;

import org.xbill.DNS.Name;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Does health checks: one connection each, to the address that was named and nowhere else.
///
/// Security row D27: no name is looked up and no redirect followed; of what the other side says,
/// no more than a status line is read.
final class Prober implements AutoCloseable {

    /// Whether somebody is there.
    interface Probe {

        /// @param host who is asked for, by HTTP
        boolean answers(InetAddress address, HealthCheck check, Name host);
    }

    /// `HTTP/1.1 200 ` is what matters of it.
    private static final int STATUS_OCTETS = 13;

    private final Duration patience;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /// @param patience for the connection, and again for the answer
    Prober(Duration patience) {
        this.patience = patience;
    }

    boolean answers(InetAddress address, HealthCheck check, Name host) {
        try (Socket socket = new Socket()) {
            open.add(socket);
            try {
                return !closed && answers(socket, address, check, host);
            } finally {
                open.remove(socket);
            }
        } catch (IOException e) {
            return false; // whatever it was: nobody is there
        }
    }

    private boolean answers(Socket socket, InetAddress address, HealthCheck check, Name host)
            throws IOException {
        socket.setSoTimeout((int) patience.toMillis());
        socket.connect(new InetSocketAddress(address, check.port()), (int) patience.toMillis());
        if (check.path().isEmpty()) {
            return true;
        }
        String request =
                "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pabal\r\nConnection: close\r\n\r\n"
                        .formatted(check.path().get(), host.toString(true));
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return status(socket.getInputStream()).matches("HTTP/1\\.[01] 200[ \r]");
    }

    /// RFC 9112 §4; empty when it does not come in time, even if its octets come one by one.
    private String status(InputStream in) throws IOException {
        byte[] status = new byte[STATUS_OCTETS];
        long start = System.nanoTime();
        int length = 0;
        while (length < status.length) {
            int read = in.read(status, length, status.length - length);
            if (read < 0 || System.nanoTime() - start > patience.toNanos()) {
                return "";
            }
            length += read;
        }
        return new String(status, StandardCharsets.US_ASCII);
    }

    /// Ends the checks that are under way.
    @Override
    public void close() {
        closed = true;
        for (Socket socket : open) {
            try {
                socket.close();
            } catch (IOException e) {
                // It is gone either way.
            }
        }
    }
}
