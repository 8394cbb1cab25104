package org.pabal.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/// The ports that the listeners of this process hold, for streams or for datagrams.
///
/// One listener may hold a port at all addresses and another the same port at one of them, as a
/// node does that answers from its zones everywhere and has its resolver at 127.0.0.1. The kernel
/// gives a client to the socket that names the address, but only lets both sockets be when both
/// say SO_REUSEPORT, and those do not notice a stranger who says it too. So a socket that does not
/// share is bound for a moment first, wherever none of ours is.
final class Ports {

    /// Binds without sharing, and lets go.
    @FunctionalInterface
    private interface Probe {
        void bind(InetSocketAddress address) throws IOException;
    }

    static final Ports STREAMS = new Ports(Ports::probeStreams);
    static final Ports DATAGRAMS = new Ports(Ports::probeDatagrams);

    private final Probe probe;
    private final List<InetSocketAddress> held = new ArrayList<>(); // guarded by this

    private Ports(Probe probe) {
        this.probe = probe;
    }

    /// How a socket is opened when the port is ours to take.
    @FunctionalInterface
    interface Opening<T> {
        T open() throws IOException;
    }

    /// Opens a socket at an address that nobody else has.
    ///
    /// @throws BindException when a stranger, or another listener of ours, has it
    synchronized <T> T open(InetSocketAddress wanted, Opening<T> opening) throws IOException {
        if (wanted.getPort() != 0) {
            refuseTaken(wanted);
        }
        return opening.open();
    }

    /// An opened socket holds its port until it is released.
    synchronized void hold(InetSocketAddress address) {
        held.add(address);
    }

    synchronized void release(InetSocketAddress address) {
        held.remove(address);
    }

    private void refuseTaken(InetSocketAddress wanted) throws IOException {
        InetAddress address = wanted.getAddress();
        List<InetAddress> ours =
                held.stream()
                        .filter(other -> other.getPort() == wanted.getPort())
                        .map(InetSocketAddress::getAddress)
                        .toList();
        if (ours.stream().anyMatch(other -> same(other, address))) {
            throw new BindException("Address already in use by another listener of this node");
        }
        if (ours.stream().anyMatch(other -> includes(other, address))) {
            // It was free everywhere when that one took it, and is ours since.
            return;
        }
        if (ours.stream().noneMatch(other -> includes(address, other))) {
            probe.bind(wanted);
            return;
        }
        for (InetAddress other : addresses()) {
            if (includes(address, other) && !ours.contains(other)) {
                probe.bind(new InetSocketAddress(other, wanted.getPort()));
            }
        }
    }

    private static boolean same(InetAddress one, InetAddress other) {
        return one.equals(other) || one.isAnyLocalAddress() && other.isAnyLocalAddress();
    }

    /// Whether all addresses are meant, and the other is one of them; `::` takes IPv4 as well.
    private static boolean includes(InetAddress all, InetAddress one) {
        return all.isAnyLocalAddress()
                && (all instanceof Inet6Address || !(one instanceof Inet6Address));
    }

    private static List<InetAddress> addresses() throws IOException {
        try {
            return NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void probeStreams(InetSocketAddress address) throws IOException {
        try (SocketChannel channel = SocketChannel.open()) {
            // Without this what is left of closed connections would count.
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(address);
        }
    }

    private static void probeDatagrams(InetSocketAddress address) throws IOException {
        try (DatagramSocket socket = new DatagramSocket(null)) {
            socket.setReuseAddress(false);
            socket.bind(address);
        }
    }
}
