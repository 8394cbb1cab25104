package org.pabal.transport;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// The one thread of a TCP listener: it lets clients in, and watches the connections of those
/// conversations that wait long.
///
/// A virtual thread that blocks in a socket read can be woken only by closing the socket. A
/// conversation that is to say goodbye needs the socket, so long waits happen here, where
/// [LockSupport#unpark] ends them.
final class Doorkeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Doorkeeper.class);

    private static final class Waiter {
        final Thread thread = Thread.currentThread();
        volatile boolean ready;
    }

    private final Selector selector;
    private final ServerSocketChannel door;
    private final Consumer<SocketChannel> accepted;
    private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
    private final Thread thread;
    private final InetSocketAddress held;
    private volatile boolean closed;
    private long complaint = System.nanoTime() - TimeUnit.MINUTES.toNanos(1);

    /// @param accepted is given each new connection, on the doorkeeper's thread
    Doorkeeper(String name, InetSocketAddress address, Consumer<SocketChannel> accepted)
            throws IOException {
        this.accepted = accepted;
        selector = Selector.open();
        door = ServerSocketChannel.open();
        try {
            door.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            if (door.supportedOptions().contains(StandardSocketOptions.SO_REUSEPORT)) {
                door.setOption(StandardSocketOptions.SO_REUSEPORT, true); // see Ports
            }
            held = Ports.STREAMS.open(address, () -> bind(address));
            door.configureBlocking(false);
            door.register(selector, SelectionKey.OP_ACCEPT);
        } catch (IOException | RuntimeException e) {
            door.close();
            selector.close();
            throw e;
        }
        thread = Thread.ofPlatform().name("listener " + name).unstarted(this::run);
    }

    private InetSocketAddress bind(InetSocketAddress wanted) throws IOException {
        door.bind(wanted, 1024);
        InetSocketAddress bound =
                new InetSocketAddress(wanted.getAddress(), door.socket().getLocalPort());
        Ports.STREAMS.hold(bound);
        return bound;
    }

    void start() {
        thread.start();
    }

    InetSocketAddress address() {
        return new InetSocketAddress(door.socket().getInetAddress(), door.socket().getLocalPort());
    }

    /// Waits until the channel, which has to be in non-blocking mode, is ready, `enough` says so
    /// after somebody unparked the calling thread, or the time is over. Spurious returns do not
    /// happen before one of the three.
    void await(SocketChannel channel, int operation, long nanos, BooleanSupplier enough)
            throws IOException {
        Waiter waiter = new Waiter();
        waiters.add(waiter);
        SelectionKey key = register(channel, operation, waiter);
        try {
            selector.wakeup();
            long deadline = System.nanoTime() + nanos;
            for (long left = nanos;
                    left > 0
                            && !waiter.ready
                            && !closed
                            && channel.isOpen()
                            && !enough.getAsBoolean();
                    left = deadline - System.nanoTime()) {
                LockSupport.parkNanos(this, left);
                if (Thread.interrupted()) {
                    channel.close();
                }
            }
        } finally {
            waiters.remove(waiter);
            key.cancel();
            selector.wakeup();
        }
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    private SelectionKey register(SocketChannel channel, int operation, Waiter waiter)
            throws IOException {
        while (true) {
            try {
                return channel.register(selector, operation, waiter);
            } catch (CancelledKeyException e) {
                // The key of the last wait is still on its way out.
                selector.wakeup();
                Thread.yield();
            } catch (ClosedSelectorException e) {
                waiters.remove(waiter);
                throw new ClosedChannelException();
            }
        }
    }

    private void run() {
        while (!closed) {
            try {
                selector.select(this::ready);
            } catch (IOException | RuntimeException e) {
                complain(e);
            }
        }
    }

    private void ready(SelectionKey key) {
        if (key.attachment() instanceof Waiter waiter) {
            key.cancel();
            waiter.ready = true;
            LockSupport.unpark(waiter.thread);
        } else {
            accept();
        }
    }

    private void accept() {
        try {
            for (SocketChannel channel = door.accept(); channel != null; channel = door.accept()) {
                accepted.accept(channel);
            }
        } catch (ClosedChannelException e) {
            LOG.debug("{}: closed while accepting", thread.getName());
        } catch (IOException | RuntimeException e) {
            complain(e);
        }
    }

    /// Out of file descriptors, most likely: wait for some to come back, and say so once in a
    /// while.
    private void complain(Exception e) {
        if (System.nanoTime() - complaint > TimeUnit.SECONDS.toNanos(10)) {
            complaint = System.nanoTime();
            LOG.error(
                    "{}: cannot accept connections: {}; retried all the time",
                    thread.getName(),
                    e.toString());
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }

    /// Lets nobody in any more; those who are inside stay.
    void closeDoor() throws IOException {
        if (door.isOpen()) {
            door.close();
            Ports.STREAMS.release(held);
        }
        selector.wakeup();
    }

    /// Ends all waits too.
    ///
    /// @throws IOException when a socket could not be closed
    @Override
    public void close() throws IOException {
        closed = true;
        waiters.forEach(waiter -> LockSupport.unpark(waiter.thread));
        closeDoor();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        selector.close();
    }
}
