package org.pabal.transport;

import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A UDP address and the workers that receive there, each on a socket of its own among which the
/// kernel deals out the clients.
///
/// While there is no protocol the workers do not read, so datagrams wait in the sockets' buffers
/// for the successor.
final class DatagramListener implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DatagramListener.class);
    private static final long LEAVING_MOST = TimeUnit.SECONDS.toNanos(10);

    private final String name;
    private final Roster<DatagramTenant> tenants = new Roster<>();
    private final List<Worker> workers = new ArrayList<>();
    private volatile boolean closed;

    /// Opens the sockets and begins to receive once there is a protocol.
    DatagramListener(ListenerSettings settings, InetSocketAddress wanted) throws IOException {
        name = settings.name();
        Ports.DATAGRAMS.open(
                wanted,
                () -> {
                    openSockets(settings, wanted);
                    Ports.DATAGRAMS.hold(address());
                    return this;
                });
        workers.forEach(worker -> worker.thread.start());
    }

    private void openSockets(ListenerSettings settings, InetSocketAddress wanted)
            throws IOException {
        InetSocketAddress address = wanted;
        try {
            for (int i = 0; i < settings.workers(); i++) {
                UdpSocket socket = UdpSocket.open(name, address, settings.receiveBuffer());
                address = socket.address();
                workers.add(new Worker(socket, i));
            }
        } catch (IOException | RuntimeException e) {
            for (Worker worker : workers) {
                worker.socket.close();
            }
            throw e;
        }
    }

    InetSocketAddress address() {
        return workers.getFirst().socket.address();
    }

    boolean hasProtocol() {
        return tenants.best().isPresent();
    }

    /// A protocol has come.
    ///
    /// @param rank greater is better
    <R extends Comparable<? super R>> DatagramTenant add(R rank, DatagramProtocol protocol) {
        DatagramTenant tenant = new DatagramTenant(protocol);
        tenants.add(rank, tenant);
        return tenant;
    }

    /// The ranks have changed.
    void sort() {
        tenants.sort();
    }

    /// Returns when no worker is in the protocol's code any more: house rule 1.
    void remove(DatagramTenant tenant) {
        tenants.remove(tenant);
        tenant.leave();
        long begin = System.nanoTime();
        for (Worker worker : workers) {
            while (worker.busyWith == tenant && worker.thread != Thread.currentThread()) {
                if (System.nanoTime() - begin > LEAVING_MOST) {
                    LOG.error(
                            "listener {}: {} does not return from received(); it goes on without"
                                    + " the bundle that it came from",
                            name,
                            tenant.protocol().getClass().getName());
                    return;
                }
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100));
            }
        }
    }

    /// Closes the sockets and ends the workers. The protocols have to be removed before.
    @Override
    public void close() throws IOException {
        if (!closed) {
            Ports.DATAGRAMS.release(address());
        }
        closed = true;
        tenants.close();
        for (Worker worker : workers) {
            worker.socket.stop();
        }
        for (Worker worker : workers) {
            worker.end();
        }
    }

    private final class Worker {

        final UdpSocket socket;
        final Thread thread;
        volatile DatagramTenant busyWith = NOBODY;
        private long complaint = System.nanoTime() - TimeUnit.MINUTES.toNanos(1);
        private long silenced;

        Worker(UdpSocket socket, int number) {
            this.socket = socket;
            thread =
                    Thread.ofPlatform()
                            .name("listener " + name + " udp " + number)
                            .unstarted(this::run);
        }

        private void run() {
            while (!closed) {
                try {
                    if (tenants.await(Roster.FOREVER).isPresent()) {
                        int count = socket.receive();
                        if (count > 0) {
                            handOver(count);
                        }
                    }
                } catch (IOException e) {
                    complain("cannot receive or send datagrams: " + e.getMessage(), e);
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
                } catch (InterruptedException e) {
                    LOG.debug("listener {}: a worker was interrupted", name);
                }
            }
        }

        /// Gives the batch to the protocol that is there now, or to the next one when it has just
        /// left.
        private void handOver(int count) throws IOException, InterruptedException {
            Optional<DatagramTenant> tenant = enter();
            if (tenant.isPresent()) {
                try {
                    DatagramProtocol protocol = tenant.get().protocol();
                    for (int i = 0; i < count; i++) {
                        if (!socket.cut(i)) {
                            received(protocol, socket.datagram(i));
                        }
                    }
                } finally {
                    busyWith = NOBODY;
                }
                socket.send();
            }
        }

        /// Empty when the listener was closed.
        private Optional<DatagramTenant> enter() throws InterruptedException {
            while (true) {
                Optional<DatagramTenant> tenant = tenants.await(Roster.FOREVER);
                if (tenant.isEmpty()) {
                    return tenant;
                }
                busyWith = tenant.get();
                if (!tenant.get().leaving()) {
                    return tenant;
                }
                busyWith = NOBODY;
            }
        }

        private void received(DatagramProtocol protocol, Datagram datagram) {
            try {
                protocol.received(datagram);
            } catch (RuntimeException | Error e) {
                complain(
                        "a datagram from "
                                + datagram.peer().address()
                                + " was dropped by a fault of "
                                + protocol.getClass().getName(),
                        e);
            }
        }

        /// At most one line a second: whoever found a datagram that makes trouble can send many of
        /// them.
        private void complain(String what, Throwable why) {
            silenced++;
            if (System.nanoTime() - complaint > TimeUnit.SECONDS.toNanos(1)) {
                LOG.error(
                        "listener {}: {} ({} times since the last such line)",
                        name,
                        what,
                        silenced,
                        why);
                complaint = System.nanoTime();
                silenced = 0;
            }
        }

        void end() throws IOException {
            try {
                thread.join(LEAVING_MOST / 1_000_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (thread.isAlive() && thread != Thread.currentThread()) {
                LOG.error(
                        "listener {}: {} does not end; its socket stays open",
                        name,
                        thread.getName());
            } else {
                socket.close();
            }
        }
    }

    private static final DatagramTenant NOBODY = new DatagramTenant(datagram -> {});
}
