package org.pabal.delivery;

import org.pabal.mail.QueueEntry;
import org.pabal.mail.Status;
import org.pabal.smtp.client.Capabilities;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Until when a sender wants a message delivered, and what is to be done when it is not: the `BY`
/// parameter of RFC 2852 §4, with the moment of acceptance added.
///
/// @param trace whether the sender wants to hear when the message is handed on
record DeliverBy(Instant deadline, Mode mode, boolean trace) {

    /// What happens at the deadline.
    enum Mode {
        /// The message goes back and is not tried any more.
        RETURN,
        /// The sender is told, and the message is tried on.
        NOTIFY
    }

    // RFC 2852 §4: ["-" / "+"]1*9digit ";" ("N" / "R") ["T"]
    private static final Pattern VALUE =
            Pattern.compile("([+-]?\\d{1,9});([NR])(T?)", Pattern.CASE_INSENSITIVE);

    private static final long MOST = 999_999_999;

    /// What the sender of a message asked for; empty when that was nothing, or nothing readable.
    static Optional<DeliverBy> of(QueueEntry entry) {
        return Optional.ofNullable(entry.envelope().parameters().get("BY"))
                .flatMap(value -> parse(value, entry.accepted()));
    }

    /// @param value `120;R`, `-5;NT`
    /// @param from when the seconds begin to count
    static Optional<DeliverBy> parse(String value, Instant from) {
        Matcher matcher = VALUE.matcher(value);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        boolean returned = matcher.group(2).toUpperCase(Locale.ROOT).equals("R");
        return Optional.of(
                new DeliverBy(
                        from.plusSeconds(Long.parseLong(matcher.group(1))),
                        returned ? Mode.RETURN : Mode.NOTIFY,
                        !matcher.group(3).isEmpty()));
    }

    boolean passed(Instant now) {
        return !now.isBefore(deadline);
    }

    /// Whether the message has to go back now instead of on.
    boolean returned(Instant now) {
        return mode == Mode.RETURN && passed(now);
    }

    /// Why a message may not be handed on to a host: with mode R only one that knows of deadlines
    /// gets it, and only while there is time enough for it (RFC 2852 §4.1.4). Sendmail says the
    /// same.
    ///
    /// @param where who that is
    Optional<Status> refusal(Capabilities they, String where, Instant now) {
        if (mode == Mode.NOTIFY) {
            return Optional.empty();
        }
        if (!they.deliverBy()) {
            return Optional.of(
                    new Status(
                            554,
                            "5.4.7",
                            where
                                    + " cannot promise to return the message when it is late"
                                    + " (DELIVERBY), which its sender demands"));
        }
        long seconds = Duration.between(now, deadline).getSeconds();
        long least = Math.max(1, they.deliverByLeast());
        return seconds >= least
                ? Optional.empty()
                : Optional.of(
                        new Status(
                                554,
                                "5.4.7",
                                where
                                        + " takes "
                                        + least
                                        + " s at least, and "
                                        + Math.max(0, seconds)
                                        + " s are left of the time that the sender gave it"));
    }

    /// What is said to the next host: the seconds that are left, whole ones only. Empty when there
    /// is nothing left to say: with mode R less than a second, so that it must not be handed on
    /// (RFC 2852 §4.1.4); with mode N the number becomes negative instead.
    Optional<String> remaining(Instant now) {
        long seconds = Math.clamp(Duration.between(now, deadline).getSeconds(), -MOST, MOST);
        if (mode == Mode.RETURN && seconds < 1) {
            return Optional.empty();
        }
        return Optional.of(seconds + (mode == Mode.RETURN ? ";R" : ";N") + (trace ? "T" : ""));
    }
}
