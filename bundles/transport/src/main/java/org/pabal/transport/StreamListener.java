package org.pabal.transport;

import org.pabal.protocol.Peer;
import org.pabal.protocol.StreamProtocol;
import org.pabal.transport.ListenerSettings.Tls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import javax.net.ssl.SSLException;

/// A listening TCP socket and the conversations that go on over the connections it accepted.
///
/// ```
/// client ──► Doorkeeper ──► serve(): PROXY header, limits, TLS ──► StreamTenant ──► StreamProtocol.converse
///            one thread      one virtual thread a connection        the protocol that is here now,
///                                                                   or a wait for the next one
/// ```
final class StreamListener implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StreamListener.class);

    /// Clients beyond the limit who are just being told so; still more are closed without a word.
    private static final int TURNED_AWAY = 100;

    private static final Duration NO_LIMIT = Duration.ofDays(10_000);
    private static final long FAREWELL = TimeUnit.MILLISECONDS.toNanos(1_500);

    private final String name;
    private final Doorkeeper doorkeeper;
    private final Roster<StreamTenant> tenants = new Roster<>();
    private final Occupancy occupancy = new Occupancy();
    private final Set<SocketChannel> channels = ConcurrentHashMap.newKeySet();
    private volatile ListenerSettings settings;
    private volatile Optional<Credentials> credentials;
    private volatile Optional<String> goodbye = Optional.empty();

    /// Opens the socket; clients are let in from then on.
    StreamListener(ListenerSettings settings, Optional<Credentials> credentials)
            throws IOException {
        this.name = settings.name();
        this.settings = settings;
        this.credentials = credentials;
        doorkeeper = new Doorkeeper(name, settings.address(), this::accepted);
        doorkeeper.start();
    }

    InetSocketAddress address() {
        return doorkeeper.address();
    }

    /// Connections that are open now.
    int connections() {
        return channels.size();
    }

    boolean hasProtocol() {
        return tenants.best().isPresent();
    }

    /// Goes on with other settings for the connections to come.
    void reconfigure(ListenerSettings next, Optional<Credentials> nextCredentials) {
        settings = next;
        credentials = nextCredentials;
    }

    /// A protocol has come.
    ///
    /// @param rank greater is better
    /// @param lastWords the protocol's [StreamProtocol#GOODBYE], which is kept for when it is away
    <R extends Comparable<? super R>> StreamTenant add(
            R rank, StreamProtocol protocol, Optional<String> lastWords) {
        StreamTenant tenant = new StreamTenant(name, protocol);
        goodbye = lastWords;
        tenants.add(rank, tenant);
        return tenant;
    }

    /// The protocols that are here now.
    List<StreamTenant> tenants() {
        return tenants.all();
    }

    /// The ranks have changed.
    void sort() {
        tenants.sort();
    }

    /// Gives the protocol no more conversations and tells those that it holds to end. Returns at
    /// once.
    void beginRemoving(StreamTenant tenant) {
        tenants.remove(tenant);
        tenant.beginLeaving();
    }

    /// The same for whatever tenant this protocol is here.
    ///
    /// @return whether it is one
    boolean beginRemoving(StreamProtocol protocol) {
        List<StreamTenant> leaving =
                tenants().stream().filter(tenant -> tenant.protocol() == protocol).toList();
        leaving.forEach(this::beginRemoving);
        return !leaving.isEmpty();
    }

    /// Returns when the protocol's last conversation has ended: house rule 1.
    void remove(StreamTenant tenant) {
        tenants.remove(tenant);
        tenant.leave(settings.grace());
    }

    /// Lets nobody in any more, and no connection wait for a protocol.
    void closeDoor() throws IOException {
        doorkeeper.closeDoor();
        tenants.close();
    }

    /// Closes what is still open, after a moment for those clients that are just hearing goodbye.
    /// The protocols have to be removed before.
    @Override
    public void close() throws IOException {
        closeDoor();
        long begin = System.nanoTime();
        while (!channels.isEmpty() && System.nanoTime() - begin < FAREWELL) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        for (SocketChannel channel : channels) {
            channel.close();
        }
        doorkeeper.close();
    }

    private void accepted(SocketChannel channel) {
        if (channels.size() >= settings.maxConnections() + TURNED_AWAY) {
            closeQuietly(channel);
            return;
        }
        channels.add(channel);
        Thread.ofVirtual()
                .name(name)
                .inheritInheritableThreadLocals(false)
                .start(
                        () -> {
                            try (channel) {
                                serve(channel);
                            } catch (IOException e) {
                                LOG.debug("listener {}: {}", name, e.toString());
                            } finally {
                                channels.remove(channel);
                            }
                        });
    }

    private void serve(SocketChannel channel) throws IOException {
        ListenerSettings now = settings;
        Optional<Credentials> keys = credentials;
        InetSocketAddress remote = (InetSocketAddress) channel.getRemoteAddress();
        StreamConnection connection =
                new StreamConnection(
                        new Wire(channel, doorkeeper, now.patience(), this::idleLimit),
                        new Peer(remote, name),
                        (InetSocketAddress) channel.getLocalAddress(),
                        keys.filter(k -> now.tls() == Tls.STARTTLS),
                        now.handshakePatience());
        try {
            if (now.proxyFrom().stream()
                    .anyMatch(network -> network.contains(remote.getAddress()))) {
                connection.readProxyHeader();
            }
            InetSocketAddress client = connection.peer().address();
            if (channels.size() > now.maxConnections()) {
                refuse(connection, now, "too many connections here, try again later");
            } else if (!occupancy.enter(client.getAddress(), now.maxConnectionsPerAddress())) {
                refuse(connection, now, "too many connections from your address, try again later");
            } else {
                try {
                    if (now.tls() == Tls.IMPLICIT) {
                        connection.handshake(keys.orElseThrow());
                    }
                    converse(connection, now);
                } finally {
                    occupancy.leave(client.getAddress());
                }
            }
        } catch (ProtocolException e) {
            LOG.warn(
                    "listener {}: closed {}: {}; expected from the networks of proxy-from, for"
                            + " example PROXY TCP4 192.0.2.1 192.0.2.2 40000 25",
                    name,
                    Addresses.text(remote),
                    e.getMessage());
        } catch (SocketTimeoutException | SSLException e) {
            LOG.info(
                    "listener {}: closed {}: {}",
                    name,
                    Addresses.text(connection.peer().address()),
                    e.getMessage());
        } catch (IOException e) {
            LOG.debug(
                    "listener {}: {} is gone: {}",
                    name,
                    Addresses.text(connection.peer().address()),
                    e.toString());
        } catch (InterruptedException e) {
            LOG.debug(
                    "listener {}: {} was interrupted while it waited",
                    name,
                    Addresses.text(connection.peer().address()));
        }
    }

    /// When three quarters of the places are taken, whoever says nothing has less time (RFC 7766
    /// §6.2.3).
    private Duration idleLimit() {
        ListenerSettings now = settings;
        return channels.size() > now.maxConnections() * 3L / 4 ? now.crowdedPatience() : NO_LIMIT;
    }

    private void converse(StreamConnection connection, ListenerSettings now)
            throws IOException, InterruptedException {
        long nanos = now.protocolWait().toNanos();
        long begin = System.nanoTime();
        try {
            Optional<StreamTenant> tenant = tenants.await(nanos);
            while (tenant.isPresent() && !tenant.get().converse(connection)) {
                if (connection.isLeft()) {
                    connection.passOn(now.patience());
                    begin = System.nanoTime();
                }
                tenant = tenants.await(nanos - (System.nanoTime() - begin));
            }
            if (tenant.isEmpty()) {
                goodbye(connection, now, "the service is away for a moment, try again later");
            }
        } catch (RuntimeException | Error e) {
            LOG.error(
                    "listener {}: the conversation with {} ended by a fault of protocol {}",
                    name,
                    Addresses.text(connection.peer().address()),
                    now.protocol(),
                    e);
        } finally {
            connection.finish();
        }
    }

    /// Says why there is no conversation, where that can be said: under implicit TLS it would cost
    /// a handshake.
    private void refuse(StreamConnection connection, ListenerSettings now, String reason)
            throws IOException {
        LOG.info(
                "listener {}: refused {}: {}",
                name,
                Addresses.text(connection.peer().address()),
                reason);
        if (now.tls() != Tls.IMPLICIT) {
            connection.patience(Duration.ofSeconds(1));
            goodbye(connection, now, reason);
        }
        connection.finish();
    }

    private void goodbye(StreamConnection connection, ListenerSettings now, String reason)
            throws IOException {
        Optional<String> template = now.goodbye().or(() -> goodbye);
        if (template.isPresent()) {
            String line = template.get().replace("{}", reason) + "\r\n";
            connection.output().write(line.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing {}: {}", channel, e.toString());
        }
    }
}
