package org.pabal.transport;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The system calls of Linux that receive and send many datagrams at once, which the JDK does not
/// offer.
///
/// Offsets and constants are those of 64-bit Linux, the same on x86-64 and AArch64.
@SuppressWarnings("restricted") // the launcher allows native access
final class Libc {

    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    static final int SOL_SOCKET = 1;
    static final int SO_SNDBUF = 7;
    static final int SO_RCVBUF = 8;
    static final int SO_REUSEPORT = 15;
    static final int IPPROTO_IP = 0;
    static final int IPPROTO_IPV6 = 41;
    static final int IP_PKTINFO = 8;
    static final int IPV6_V6ONLY = 26;
    static final int IPV6_RECVPKTINFO = 49;
    static final int IPV6_PKTINFO = 50;
    static final int MSG_TRUNC = 0x20;
    static final int MSG_DONTWAIT = 0x40;
    static final int MSG_WAITFORONE = 0x10000;
    static final int SHUT_RD = 0;
    static final int EINTR = 4;
    static final int EAGAIN = 11;

    /// struct mmsghdr { struct msghdr { name, namelen, iov, iovlen, control, controllen, flags },
    /// unsigned len }
    static final int MMSGHDR = 64;

    static final int NAME = 0;
    static final int NAMELEN = 8;
    static final int IOV = 16;
    static final int IOVLEN = 24;
    static final int CONTROL = 32;
    static final int CONTROLLEN = 40;
    static final int FLAGS = 48;
    static final int LEN = 56;

    /// struct iovec { void *base; size_t len }
    static final int IOVEC = 16;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final long ERRNO_OFFSET =
            Linker.Option.captureStateLayout()
                    .byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle SOCKET =
            call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SETSOCKOPT =
            call("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle BIND = call("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle GETSOCKNAME =
            call("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle SHUTDOWN = call("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = call("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle RECVMMSG =
            call("recvmmsg", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle SENDMMSG =
            call("sendmmsg", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle STRERROR =
            LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow("strerror"),
                    FunctionDescriptor.of(ADDRESS, JAVA_INT));

    private Libc() {}

    private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                ERRNO);
    }

    /// Room for the error number of a thread's calls.
    static MemorySegment errorRoom(Arena arena) {
        return arena.allocate(Linker.Option.captureStateLayout());
    }

    static int errno(MemorySegment error) {
        return error.get(JAVA_INT, ERRNO_OFFSET);
    }

    /// What a failed call says, in the system's words, e.g. `Address already in use`.
    static IOException failure(MemorySegment error) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno(error));
            return new IOException(text.reinterpret(256).getString(0));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int socket(MemorySegment error, int family, int type) throws IOException {
        try {
            return checked(error, (int) SOCKET.invokeExact(error, family, type, 0));
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    static void option(MemorySegment error, int socket, int level, int name, int value)
            throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocateFrom(JAVA_INT, value);
            checked(error, (int) SETSOCKOPT.invokeExact(error, socket, level, name, room, 4));
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    static void bind(MemorySegment error, int socket, MemorySegment address) throws IOException {
        try {
            checked(
                    error,
                    (int) BIND.invokeExact(error, socket, address, (int) address.byteSize()));
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    /// Fills in the socket's own address.
    static void ownAddress(MemorySegment error, int socket, MemorySegment address)
            throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocateFrom(JAVA_INT, (int) address.byteSize());
            checked(error, (int) GETSOCKNAME.invokeExact(error, socket, address, length));
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    /// Wakes whoever waits in a receive. On a socket without a peer it also says ENOTCONN, which is
    /// no trouble.
    static void wakeReceivers(MemorySegment error, int socket) throws IOException {
        try {
            int ignored = (int) SHUTDOWN.invokeExact(error, socket, SHUT_RD);
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    static void close(MemorySegment error, int socket) throws IOException {
        try {
            checked(error, (int) CLOSE.invokeExact(error, socket));
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    /// @return the number of datagrams, or -1: see [#errno]
    static int receive(MemorySegment error, int socket, MemorySegment headers, int count, int flags)
            throws IOException {
        try {
            return (int)
                    RECVMMSG.invokeExact(error, socket, headers, count, flags, MemorySegment.NULL);
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    /// @return how many were sent, or -1 when the first could not be
    static int send(MemorySegment error, int socket, MemorySegment headers, int count, int flags)
            throws IOException {
        try {
            return (int) SENDMMSG.invokeExact(error, socket, headers, count, flags);
        } catch (Throwable e) {
            throw sneak(e);
        }
    }

    private static int checked(MemorySegment error, int result) throws IOException {
        if (result < 0) {
            throw failure(error);
        }
        return result;
    }

    /// What an invocation can throw: our own failures, and faults of the machine.
    private static IOException sneak(Throwable e) {
        return switch (e) {
            case IOException known -> known;
            case RuntimeException fault -> throw fault;
            case Error fault -> throw fault;
            default -> new IOException(e);
        };
    }
}
