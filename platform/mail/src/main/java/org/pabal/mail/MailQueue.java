package org.pabal.mail;

import org.osgi.annotation.versioning.ProviderType;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Mail we answer for (RFC 5321 §6.1): what was committed stays until every recipient is settled,
/// whatever happens to the process or the machine.
///
/// ```
///   smtp ── draft ─ commit ──▶ queue ── lease ──▶ delivery ──▶ courier
///                                ▲                    │
///                                └───── settle ───────┘
/// ```
@ProviderType
public interface MailQueue {

    /// Begins a message. Nothing is visible to others before [Draft#commit].
    ///
    /// @throws IOException when the queue takes no more (disk full, limit reached): answer 452
    ///     4.3.1
    Draft draft(Envelope envelope) throws IOException;

    /// Hands out one message whose time has come, and hands it to nobody else until it is settled,
    /// released or the bundle that leased it is gone (a lease does not survive a restart of the
    /// queue). Of those due the highest priority first (RFC 6710 §4.1, [Envelope#priority]), of the
    /// same priority the one that has been due the longest.
    ///
    /// @param now what counts as due: entries with `next` after it are left alone
    /// @param patience how long to wait for one; a commit, a retry or a release wakes the waiting
    ///     at once
    /// @return empty when nothing was due within the patience
    /// @throws java.io.InterruptedIOException when the waiting thread was interrupted
    Optional<QueueEntry> lease(Instant now, Duration patience) throws IOException;

    /// Ends a lease. Recipients delivered or failed leave the entry, and an entry without
    /// recipients leaves the queue; recipients deferred, or not named in `outcomes`, stay with
    /// their reason, to be leased again from `retry` on. With at least one deferral the entry's
    /// attempts grow by one; without any outcome the entry is as before, and only waits until
    /// `retry`.
    ///
    /// A settlement may be lost in a crash, so that what was delivered is delivered again; a
    /// courier that can tell keeps it from happening twice. For those that cannot: when there are
    /// attempts, the settlement outlives this process once the method has returned. The machine it
    /// outlives a moment later.
    ///
    /// @param attempts what was tried, to stand in the entry's history; a queue may shorten texts
    ///     and lists that are very long
    void settle(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts)
            throws IOException;

    /// Ends a lease of which the history has nothing to tell.
    default void settle(QueueEntry entry, Map<MailAddress, Outcome> outcomes, Instant retry)
            throws IOException {
        settle(entry, outcomes, retry, List.of());
    }

    /// Everything in the queue at this moment, oldest first, leased or not.
    Stream<QueueEntry> entries() throws IOException;

    /// Makes an entry due at once, or does nothing when there is none.
    void retry(QueueId id) throws IOException;

    /// Keeps an entry back, or lets it go on. A lease that is out is not called back.
    void hold(QueueId id, boolean held) throws IOException;

    /// Takes an entry out for good, without a bounce. A lease that is out settles into nothing.
    void remove(QueueId id) throws IOException;
}
