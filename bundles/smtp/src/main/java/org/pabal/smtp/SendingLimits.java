package org.pabal.smtp;

import org.pabal.directory.Account;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// How much each account sends in an hour, over all connections and both roles, so that a stolen
/// password is of little use to whoever has stolen it, and our host keeps its good name.
///
/// An hour is the last [#SLICES] slices of time, the one that is going on included: a limit holds
/// for every hour and not only for those of the clock. The table has a place for [#MOST_ACCOUNTS]
/// accounts; beyond them the one that has sent nothing for the longest is forgotten. A restart
/// forgets all of them.
///
/// ```
///   MAIL ─ message ─▶ RCPT ─ recipient ─▶ … ─ keep ──▶ it counts
///                      └─────────────────────── close ─▶ it never was
/// ```
/// What has begun counts at once, so that many connections do not get past a limit together, and is
/// given back when it comes to nothing, so that a message that is refused and sent again counts
/// once.
final class SendingLimits {

    static final int SLICES = 60;
    private static final long SLICE_SECONDS = Duration.ofHours(1).toSeconds() / SLICES;
    static final int MOST_ACCOUNTS = 10_000;

    private final int messages;
    private final int recipients;
    private final InstantSource clock;
    private final Logger log;

    // Guarded by this.
    private final LinkedHashMap<Account, Sent> accounts =
            new LinkedHashMap<>(16, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Account, Sent> eldest) {
                    return size() > MOST_ACCOUNTS;
                }
            };

    /// @param messages of an account in an hour; 0: any number
    /// @param recipients of an account in an hour, each message counted by itself; 0: any number
    SendingLimits(int messages, int recipients, InstantSource clock) {
        this(messages, recipients, clock, LoggerFactory.getLogger(SendingLimits.class));
    }

    SendingLimits(int messages, int recipients, InstantSource clock, Logger log) {
        this.log = log;
        this.messages = messages;
        this.recipients = recipients;
        this.clock = clock;
    }

    /// For one message of an account.
    Share share(Account account) {
        return new Share(account);
    }

    /// What one message takes of its account's hour.
    final class Share implements AutoCloseable {
        private final Account account;
        private final Map<Long, Integer> messagesTaken = new HashMap<>(2);
        private final Map<Long, Integer> recipientsTaken = new HashMap<>(2);

        private Share(Account account) {
            this.account = account;
        }

        /// Takes the message into the count; or tells why it has to wait.
        Optional<SmtpReply> message() {
            return take(account, messages, messagesTaken, true);
        }

        /// Takes one recipient more into the count; or tells why that one has to wait.
        Optional<SmtpReply> recipient() {
            return take(account, recipients, recipientsTaken, false);
        }

        /// The message is ours: it counts.
        void keep() {
            messagesTaken.clear();
            recipientsTaken.clear();
        }

        /// Gives back what was taken, unless it was kept.
        @Override
        public void close() {
            synchronized (SendingLimits.this) {
                Sent sent = accounts.get(account);
                if (sent != null) {
                    messagesTaken.forEach(sent.messages::giveBack);
                    recipientsTaken.forEach(sent.recipients::giveBack);
                }
            }
            keep();
        }
    }

    /// How many accounts have sent something lately.
    synchronized int accounts() {
        return accounts.size();
    }

    private synchronized Optional<SmtpReply> take(
            Account account, int limit, Map<Long, Integer> taken, boolean message) {
        if (limit == 0) {
            return Optional.empty();
        }
        long now = slice();
        Sent sent = accounts.computeIfAbsent(account, _ -> new Sent());
        Counts counts = message ? sent.messages : sent.recipients;
        if (counts.sum(now) < limit) {
            taken.merge(counts.add(now), 1, Integer::sum);
            return Optional.empty();
        }
        Instant possible = Instant.ofEpochSecond(counts.room(now, limit) * SLICE_SECONDS);
        warn(account, sent, limit + (message ? " messages" : " recipients"), possible);
        return Optional.of(refusal(limit, message, possible));
    }

    private SmtpReply refusal(int limit, boolean message, Instant possible) {
        long seconds = Duration.between(clock.instant(), possible).toSeconds();
        long minutes = Math.max(1, (seconds + 59) / 60);
        return new SmtpReply(
                message ? 451 : 450,
                "4.7.1",
                "your account may send "
                        + (message ? limit + " messages" : "to " + limit + " recipients")
                        + " an hour, try again in "
                        + (minutes == 1 ? "a minute" : minutes + " minutes"));
    }

    /// Once an hour for an account: whoever goes on trying must not fill the log.
    private void warn(Account account, Sent sent, String what, Instant possible) {
        Instant now = clock.instant();
        if (sent.warned.filter(last -> now.isBefore(last.plus(Duration.ofHours(1)))).isEmpty()) {
            sent.warned = Optional.of(now);
            log.warn(
                    "account {}: {} within an hour, the next has to wait until {}; is its password"
                            + " in the wrong hands? account-messages-per-hour and"
                            + " account-recipients-per-hour in org.pabal.smtp.cfg are the limits",
                    SmtpReply.plain(account.address().toString()),
                    what,
                    possible);
        }
    }

    private long slice() {
        return Math.floorDiv(clock.instant().getEpochSecond(), SLICE_SECONDS);
    }

    /// What an account has sent.
    private static final class Sent {
        final Counts messages = new Counts();
        final Counts recipients = new Counts();
        Optional<Instant> warned = Optional.empty();
    }

    /// Numbers for the slices of the last hour.
    private static final class Counts {
        private final int[] counts = new int[SLICES];
        private long newest;

        int sum(long now) {
            age(now);
            int sum = 0;
            for (int count : counts) {
                sum += count;
            }
            return sum;
        }

        /// @return the slice in which it stands
        long add(long now) {
            age(now);
            counts[place(newest)]++;
            return newest;
        }

        void giveBack(long slice, int count) {
            if (slice > newest - SLICES && slice <= newest) {
                counts[place(slice)] -= count;
            }
        }

        /// The first slice in which fewer than `limit` will be left.
        long room(long now, int limit) {
            age(now);
            int left = sum(now);
            long slice = newest - SLICES + 1;
            while (left >= limit) {
                left -= counts[place(slice++)];
            }
            return slice - 1 + SLICES;
        }

        /// A clock that was set back a little ages nothing; one that was set back by more than an
        /// hour has made all of it meaningless.
        private void age(long now) {
            if (now <= newest - SLICES) {
                Arrays.fill(counts, 0);
                newest = now;
            }
            for (long slice = Math.max(newest + 1, now - SLICES + 1); slice <= now; slice++) {
                counts[place(slice)] = 0;
            }
            newest = Math.max(newest, now);
        }

        private static int place(long slice) {
            return (int) Math.floorMod(slice, (long) SLICES);
        }
    }
}
