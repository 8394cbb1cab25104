package org.pabal.smtp;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// On what terms we take a message: how long it is held, when it has to be there, how urgent it is,
/// by which ways it may go on. What is granted depends on who asks, by which way, and when; the
/// line alone tells only whether it is well-formed ([EsmtpParameters]).
///
/// @param refusal why we do not take it on these terms
/// @param kept what stays in the envelope
/// @param reply what MAIL is answered with when nothing else speaks against it
record MailTerms(Optional<SmtpReply> refusal, Map<String, String> kept, SmtpReply reply) {

    private static final SmtpReply PRIORITY_LOWERED =
            new SmtpReply(250, "2.3.6", "0 is the priority, a higher one is for those who sign in");

    /// Who asks.
    ///
    /// @param maxHold how long a message may be held; nothing: no message is
    record Asker(Role role, boolean tls, boolean signedIn, Duration maxHold) {

        /// RFC 4865: a service of submission.
        boolean mayHold() {
            return role == Role.SUBMISSION && maxHold.isPositive();
        }

        /// RFC 8689 §2: only what came by TLS can have to go on by TLS.
        boolean mayRequireTls() {
            return role != Role.LMTP && tls;
        }
    }

    /// What EHLO says of it.
    static List<String> announced(Asker asker, Instant now) {
        List<String> announced = new ArrayList<>();
        if (asker.mayHold()) {
            announced.add(
                    "FUTURERELEASE "
                            + asker.maxHold().toSeconds()
                            + " "
                            + written(now.plus(asker.maxHold())));
        }
        announced.add("DELIVERBY"); // RFC 2852: without a number, any time is tried
        announced.add("MT-PRIORITY"); // RFC 6710 §3: without a profile, all 19 levels are apart
        if (asker.mayRequireTls()) {
            announced.add("REQUIRETLS");
        }
        return announced;
    }

    static MailTerms of(Map<String, String> asked, Asker asker, Instant now) {
        Map<String, String> kept = new HashMap<>(asked);
        Optional<SmtpReply> refusal = hold(kept, asker, now).or(() -> requireTls(kept, asker));
        return new MailTerms(refusal, kept, priority(kept, asker));
    }

    /// RFC 4865. An interval becomes a moment, since the message may lie here over a restart.
    private static Optional<SmtpReply> hold(Map<String, String> kept, Asker asker, Instant now) {
        Optional<String> interval = Optional.ofNullable(kept.remove("HOLDFOR"));
        Optional<String> moment = Optional.ofNullable(kept.remove("HOLDUNTIL"));
        if (interval.isEmpty() && moment.isEmpty()) {
            return Optional.empty();
        }
        if (!asker.mayHold()) {
            return Optional.of(
                    EsmtpParameters.unknown(interval.isPresent() ? "HOLDFOR" : "HOLDUNTIL"));
        }
        Instant until =
                interval.map(seconds -> now.plusSeconds(Long.parseLong(seconds)))
                        .orElseGet(() -> OffsetDateTime.parse(moment.orElseThrow()).toInstant());
        if (until.isAfter(now.plus(asker.maxHold()))) {
            return Optional.of(
                    new SmtpReply(
                            554,
                            "5.5.4",
                            "a message is held for "
                                    + asker.maxHold().toSeconds()
                                    + " seconds at most"));
        }
        // what should have gone already goes now
        kept.put("HOLDUNTIL", written(until.isBefore(now) ? now : until));
        return Optional.empty();
    }

    /// RFC 8689 §2: it may be said only within TLS.
    private static Optional<SmtpReply> requireTls(Map<String, String> kept, Asker asker) {
        if (!kept.containsKey("REQUIRETLS") || asker.mayRequireTls()) {
            return Optional.empty();
        }
        return Optional.of(
                asker.role() == Role.LMTP
                        ? EsmtpParameters.unknown("REQUIRETLS")
                        : SmtpReply.REQUIRES_TLS);
    }

    /// RFC 6710 §4.1 leaves to us whom we trust: anybody may say that their mail has time, and only
    /// our own people that it goes before that of others.
    private static SmtpReply priority(Map<String, String> kept, Asker asker) {
        Optional<String> asked = Optional.ofNullable(kept.get("MT-PRIORITY"));
        if (asked.isEmpty()) {
            return SmtpReply.SENDER_OK;
        }
        if (!asker.signedIn() && Integer.parseInt(asked.get()) > 0) {
            kept.put("MT-PRIORITY", "0");
            return PRIORITY_LOWERED;
        }
        return new SmtpReply(250, "2.1.0", "sender ok, priority " + asked.get());
    }

    /// RFC 3339 §5.6, in whole seconds of UTC.
    private static String written(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
