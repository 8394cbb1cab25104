package org.pabal.mail;

import org.osgi.annotation.versioning.ProviderType;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/// A message on its way into the queue. Closing it without [#commit] leaves no trace; so does a
/// crash.
///
/// Used by one thread.
@ProviderType
public interface Draft extends AutoCloseable {

    /// The id that the message will have, known early so that it can stand in the Received field.
    QueueId id();

    /// Takes the octets of the message, in any portions; need not be closed. What is small stays in
    /// memory.
    ///
    /// @throws IOException from a write when there is no room: answer 452 4.3.1
    OutputStream body();

    /// What was written so far, for those who look at a message before it is accepted.
    Content content();

    /// Puts header fields above the message and puts it in the queue, to be leased at once. Returns
    /// when it is on disk and would survive a crash of the machine; only now may 250 be said (RFC
    /// 5321 §6.1). Concurrent commits share the wait.
    ///
    /// @param headerFields complete fields, folded where they should be, without the last CR LF;
    ///     the first comes on top
    /// @throws IOException when it could not be stored; the draft is then as good as closed, and
    ///     the client hears 451 or 452
    QueueId commit(List<String> headerFields) throws IOException;

    /// Gives up the draft, or does nothing after a commit.
    @Override
    void close();
}
