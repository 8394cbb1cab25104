package org.pabal.protocol;

import org.osgi.annotation.versioning.ProviderType;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

import javax.net.ssl.SSLSession;

/// One client's connection, for the length of one [StreamProtocol#converse].
///
/// Used by the thread of its conversation alone, except for [#draining()] and [#wake()], which are
/// for any thread.
@ProviderType
public interface Connection {

    /// Who is at the other end; behind an allowed proxy the client that the proxy named.
    Peer peer();

    /// The address that the client connected to.
    InetSocketAddress local();

    /// What the client sends. Buffered. A read that has to wait first flushes [#output()], so a
    /// pipelined batch of commands is answered in one packet without the protocol thinking of it.
    ///
    /// `available()` tells what can be read without waiting, and may be less than what the client
    /// has sent.
    ///
    /// A read throws [java.net.SocketTimeoutException] when [#patience] is over, and [IOException]
    /// when the connection broke or the grace of a draining conversation ended.
    InputStream input();

    /// What we send. Buffered; see [#input()] for when it goes out by itself.
    OutputStream output();

    /// Waits for the client's next octets, and is the place where a conversation stands while
    /// nothing happens: call it before each command. It starts [#patience] anew, flushes the output
    /// when it has to wait, and returns
    ///
    /// - true when there is something to read,
    /// - false when the client has gone, or at once when the conversation is [#draining()].
    ///
    /// @throws java.net.SocketTimeoutException when nothing came within the patience
    boolean awaitInput() throws IOException;

    /// Waits like [#awaitInput()], and no longer than until there is news: for a conversation that
    /// waits not for its client alone but for other threads as well. Whoever makes `news` true
    /// calls [#wake()] behind it.
    ///
    /// @param news asked by the waiting thread, and often: it does nothing but look
    /// @return true when there is something to read; false when there is news, and when
    ///     [#awaitInput()] says so
    /// @throws java.net.SocketTimeoutException when neither came within the patience
    boolean awaitInput(BooleanSupplier news) throws IOException;

    /// Has the thread of the conversation look whether there is news, if it waits for that now.
    void wake();

    /// Sets how long the client may take for what comes next: the time that all reads from here on
    /// may wait in sum, until the next call of this method or of [#awaitInput()]. A sum, so that a
    /// client that sends an octet now and then gains nothing. A fresh connection has the patience
    /// of its listener.
    void patience(Duration limit);

    /// The TLS session, or empty while the connection is in the clear.
    Optional<SSLSession> tls();

    /// Whether [#startTls()] may be called: the listener's mode is `starttls`, it has a
    /// certificate, and TLS is not on yet.
    boolean canStartTls();

    /// Puts TLS on the connection. What the protocol wrote before goes out in the clear; what the
    /// client sent before the handshake is thrown away unread (RFC 3207 §4.2, RFC 8314).
    ///
    /// @throws IOException when the handshake failed; the connection is then of no further use
    /// @throws IllegalStateException when [#canStartTls()] is false
    void startTls() throws IOException;

    /// Whether the conversation should come to its end: finish the command at hand, say goodbye,
    /// return.
    boolean draining();

    /// Leaves the connection to the protocol that comes next, for a conversation that is
    /// [#draining()]: when it has returned, what was written goes out, the connection stays open,
    /// and the successor begins with the octets that nobody has read, TLS being on as before. When
    /// none comes, the client is treated like one that has connected meanwhile.
    ///
    /// For protocols that know nothing of a client between two exchanges, as DNS, where a query may
    /// come at any time and there is no word for goodbye.
    void leaveToSuccessor();
}
