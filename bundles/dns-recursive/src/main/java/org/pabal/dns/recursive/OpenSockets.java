package org.pabal.dns.recursive;

import java.io.Closeable;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Every socket that is open, so that closing this wakes whoever waits at one.
final class OpenSockets implements AutoCloseable {

    private final Set<Closeable> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /// @throws IOException when this is closed; the socket then is too
    void add(Closeable socket) throws IOException {
        open.add(socket);
        if (closed) {
            release(socket);
            throw new IOException("this resolver is being stopped");
        }
    }

    void release(Closeable socket) {
        open.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone all the same
        }
    }

    boolean closed() {
        return closed;
    }

    int size() {
        return open.size();
    }

    @Override
    public void close() {
        closed = true;
        open.forEach(this::release);
    }
}
