package org.pabal.pop3;

import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/// Who has which maildrop, and whether an account may have its own just now.
///
/// A maildrop belongs to one conversation at a time (RFC 1939 §4), so that message numbers and
/// sizes hold still. Only POP3 is kept apart this way: IMAP and delivery go on beside it.
final class Maildrops {

    /// What came of asking for a maildrop.
    sealed interface Opening {
        /// To be closed by who asked.
        record Opened(Maildrop maildrop) implements Opening {}

        /// Another conversation has it.
        record InUse() implements Opening {}

        /// The account was here a moment ago.
        record TooSoon() implements Opening {}

        /// There is no such mailbox.
        record Missing() implements Opening {}
    }

    /// So many accounts are remembered for the login delay; the one that signed in longest ago is
    /// forgotten first.
    private static final int MAX_REMEMBERED = 100_000;

    private final MailboxStore store;
    private final Duration loginDelay;
    private final InstantSource clock;
    private final Set<MailAddress> locked = ConcurrentHashMap.newKeySet();

    /// Held while one maildrop is swept. Whoever has locked a maildrop passes it once before
    /// looking inside, so a sign-in waits out a sweep instead of being told that the maildrop is in
    /// use. Fair: the sweeper comes back for it at once.
    private final ReentrantLock sweeping = new ReentrantLock(true);

    /// When an account last signed in. Guarded by itself.
    private final LinkedHashMap<MailAddress, Instant> lastSignIn = new LinkedHashMap<>();

    Maildrops(MailboxStore store, Duration loginDelay, InstantSource clock) {
        this.store = store;
        this.loginDelay = loginDelay;
        this.clock = clock;
    }

    /// Opens the maildrop of an account that has proved who it is.
    Opening open(MailAddress owner) throws IOException {
        if (tooSoon(owner)) {
            return new Opening.TooSoon();
        }
        if (!locked.add(owner)) {
            return new Opening.InUse();
        }
        boolean opened = false;
        try {
            sweeping.lock();
            sweeping.unlock();
            Optional<Mailbox> inbox = store.open(owner, MailboxStore.INBOX);
            if (inbox.isEmpty()) {
                return new Opening.Missing();
            }
            Maildrop maildrop = new Maildrop(owner, inbox.get(), () -> locked.remove(owner));
            opened = true;
            remember(owner);
            return new Opening.Opened(maildrop);
        } finally {
            if (!opened) {
                locked.remove(owner);
            }
        }
    }

    /// Removes what came in before a moment, unless a conversation has the maildrop: its messages
    /// hold still, and the next sweep finds them.
    ///
    /// @return how many messages went
    int expire(MailAddress owner, Instant before) throws IOException {
        sweeping.lock();
        try {
            Optional<Mailbox> inbox =
                    locked.contains(owner)
                            ? Optional.empty()
                            : store.open(owner, MailboxStore.INBOX);
            if (inbox.isEmpty()) {
                return 0;
            }
            List<Long> old =
                    inbox.get().messages(UidSet.ALL).stream()
                            .filter(m -> m.received().isBefore(before))
                            .map(Message::uid)
                            .toList();
            if (!old.isEmpty()) {
                inbox.get().expunge(UidSet.of(old));
            }
            return old.size();
        } finally {
            sweeping.unlock();
        }
    }

    private boolean tooSoon(MailAddress owner) {
        if (loginDelay.isZero()) {
            return false;
        }
        synchronized (lastSignIn) {
            Instant last = lastSignIn.get(owner);
            return last != null && clock.instant().isBefore(last.plus(loginDelay));
        }
    }

    private void remember(MailAddress owner) {
        if (loginDelay.isZero()) {
            return;
        }
        synchronized (lastSignIn) {
            lastSignIn.remove(owner);
            lastSignIn.put(owner, clock.instant());
            if (lastSignIn.size() > MAX_REMEMBERED) {
                lastSignIn.pollFirstEntry();
            }
        }
    }
}
