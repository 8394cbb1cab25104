package org.pabal.smtp;

import org.pabal.directory.Directory;
import org.pabal.directory.Sasl;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailQueue;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// What all conversations share: the server of RFC 5321, seen from one of its sessions.
///
/// @param name the host's name, as it stands in the greeting and the Received field
/// @param domain the domain that `postmaster` without a domain means
/// @param refuseForgedSenders whether strangers from elsewhere may not write in the name of our own
/// people
/// @param forwarded who knows the addresses that stand for forwarded senders, when it is there
/// @param sending what each account may send in an hour
record SmtpHost(
        String name,
        String domain,
        SmtpLimits limits,
        boolean refuseForgedSenders,
        MailQueue queue,
        Directory directory,
        Sasl sasl,
        Policies policies,
        Supplier<Optional<ForwardedSenders>> forwarded,
        SendingLimits sending,
        MailDate date,
        Pause pause) {

    /// How a conversation waits before it tells a client of its failure.
    interface Pause {
        /// Waits for `length`, or until `enough` says so.
        void take(Duration length, BooleanSupplier enough) throws IOException;
    }
}
