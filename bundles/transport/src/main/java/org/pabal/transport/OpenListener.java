package org.pabal.transport;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;

/// The sockets of one listener: for streams, for datagrams, or for both on one port.
final class OpenListener {

    private static final Logger LOG = LoggerFactory.getLogger(OpenListener.class);
    private static final int TRIES = 10;

    private final Optional<StreamListener> streams;
    private final Optional<DatagramListener> datagrams;
    private volatile ListenerSettings settings;

    private OpenListener(
            ListenerSettings settings,
            Optional<StreamListener> streams,
            Optional<DatagramListener> datagrams) {
        this.settings = settings;
        this.streams = streams;
        this.datagrams = datagrams;
    }

    /// @throws IOException when it cannot be opened; the message says why and what to do
    static OpenListener open(ListenerSettings settings) throws IOException {
        Optional<Credentials> credentials = credentials(settings);
        for (int left = TRIES; ; left--) {
            Optional<StreamListener> streams = Optional.empty();
            Optional<DatagramListener> datagrams = Optional.empty();
            try {
                // Who gets a connection may send a datagram next, so that has to be possible then.
                // Only when the system chooses the port, it chooses it for streams and the
                // datagrams follow.
                boolean datagramsFirst =
                        !settings.transport().streams() || settings.address().getPort() != 0;
                if (settings.transport().datagrams() && datagramsFirst) {
                    datagrams = Optional.of(new DatagramListener(settings, settings.address()));
                }
                if (settings.transport().streams()) {
                    streams = Optional.of(new StreamListener(settings, credentials));
                }
                if (settings.transport().datagrams() && !datagramsFirst) {
                    InetSocketAddress address = streams.orElseThrow().address();
                    datagrams = Optional.of(new DatagramListener(settings, address));
                }
                return new OpenListener(settings, streams, datagrams);
            } catch (IOException e) {
                if (streams.isPresent()) {
                    streams.get().close();
                }
                if (datagrams.isPresent()) {
                    datagrams.get().close();
                }
                boolean another =
                        settings.transport() == ListenerSettings.Transport.BOTH
                                && settings.address().getPort() == 0;
                if (!another || left == 0) {
                    throw new IOException(explained(settings, e), e);
                }
            }
        }
    }

    private static Optional<Credentials> credentials(ListenerSettings settings) throws IOException {
        if (settings.keyFiles().isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Credentials(settings.keyFiles().get()));
        } catch (java.nio.file.NoSuchFileException e) {
            throw new IOException(
                    "listener "
                            + settings.name()
                            + ": there is no file "
                            + e.getMessage()
                            + "; expected a PEM file, for example certificate ="
                            + " etc/tls/certificate.pem",
                    e);
        } catch (IOException e) {
            throw new IOException("listener " + settings.name() + ": " + e.getMessage(), e);
        }
    }

    private static String explained(ListenerSettings settings, IOException e) {
        String address = settings.address().getAddress().getHostAddress();
        int port = settings.address().getPort();
        String reason = "" + e.getMessage();
        String expected =
                reason.contains("in use")
                        ? "expected a free port, for example port = "
                                + (port < 64_000 ? port + 1_000 : port - 1_000)
                        : reason.contains("ermission denied")
                                ? "expected a port that this user may open, for example port = "
                                        + (port % 1_000 + 1_000)
                                : reason.contains("annot assign")
                                                || reason.contains("not be assigned")
                                        ? "expected an address of this machine, for example address"
                                                + " = 127.0.0.1"
                                        : "expected an address and a port of this machine, for"
                                                + " example port = 1025";
        return "listener "
                + settings.name()
                + ": cannot listen on "
                + address
                + " port "
                + port
                + ": "
                + reason
                + "; "
                + expected;
    }

    ListenerSettings settings() {
        return settings;
    }

    Optional<StreamListener> streams() {
        return streams;
    }

    Optional<DatagramListener> datagrams() {
        return datagrams;
    }

    InetSocketAddress address() {
        return streams.map(StreamListener::address)
                .orElseGet(() -> datagrams.orElseThrow().address());
    }

    boolean accepting() {
        return streams.map(StreamListener::hasProtocol).orElse(true)
                && datagrams.map(DatagramListener::hasProtocol).orElse(true);
    }

    /// Takes other settings for the same sockets.
    void reconfigure(ListenerSettings next) throws IOException {
        Optional<Credentials> credentials = credentials(next);
        streams.ifPresent(s -> s.reconfigure(next, credentials));
        settings = next;
    }

    /// Lets nobody in any more.
    void closeDoor() {
        try {
            if (streams.isPresent()) {
                streams.get().closeDoor();
            }
        } catch (IOException e) {
            LOG.warn("listener {}: closing its socket: {}", settings.name(), e.toString());
        }
    }

    /// Closes all sockets. The protocols have to be removed before.
    void close() {
        try {
            if (streams.isPresent()) {
                streams.get().close();
            }
            if (datagrams.isPresent()) {
                datagrams.get().close();
            }
        } catch (IOException e) {
            LOG.warn("listener {}: closing its sockets: {}", settings.name(), e.toString());
        }
    }
}
