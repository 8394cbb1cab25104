package org.pabal.smtp;

import java.time.Duration;

/// How much of everything a conversation may use; each has its reply.
///
/// @param messageOctets 552 5.3.4
/// @param headerOctets 552 5.3.4
/// @param recipients for one message: 452 4.5.3 (RFC 5321 §4.5.3.1.8: at least 100)
/// @param messages in one connection: 421 4.7.0
/// @param failures commands answered with 5xx since the last accepted message: 421 4.7.0
/// @param commandPatience for one command to arrive: 421 4.4.2 (RFC 5321 §4.5.3.2.7: at least 5
/// minutes)
/// @param dataPatience for each [#DATA_STRETCH] of a message to arrive: 421 4.4.2 (RFC 5321
/// §4.5.3.2.5: 3 minutes)
/// @param hold how long a message may be held by FUTURERELEASE: 554 5.5.4; nothing: it is not
/// offered
record SmtpLimits(
        long messageOctets,
        int headerOctets,
        int recipients,
        int messages,
        int failures,
        Duration commandPatience,
        Duration dataPatience,
        Duration hold) {

    /// Octets after which the patience for a message begins anew: a client that sends one octet a
    /// second gains nothing by it, and one with a modem of 1985 gets through.
    static final int DATA_STRETCH = 32_768;

    /// RFC 5321 §4.5.3.1.4 asks for 512 octets; the extensions' parameters add up to less than
    /// this.
    static final int COMMAND_OCTETS = 2_048;

    /// RFC 4954 §4: AUTH and what follows it.
    static final int AUTH_OCTETS = 12_288;

    /// A message with more Received fields than these goes in a circle: 554 5.4.6. RFC 5321 §6.3
    /// calls 100 normal; Postfix (`hopcount_limit`) has 50 as well, and no honest way is that long.
    static final int RECEIVED_FIELDS = 50;

    /// Commands that bring no mail on (NOOP, RSET, EHLO, ...) since the last accepted message: 421
    /// 4.7.0.
    static final int IDLE_COMMANDS = 100;

    /// Failed tries to sign in, in one connection: 421 4.7.0.
    static final int FAILED_SIGN_INS = 5;

    /// From this many failures on, each answer to a failure takes [#TARPIT].
    static final int FAILURES_UNPUNISHED = 5;

    static final Duration TARPIT = Duration.ofSeconds(1);

    static SmtpLimits defaults() {
        return new SmtpLimits(
                50_000_000,
                256_000,
                1_000,
                10_000,
                20,
                Duration.ofMinutes(5),
                Duration.ofMinutes(3),
                Duration.ofDays(30));
    }
}
