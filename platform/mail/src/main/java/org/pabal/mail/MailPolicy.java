package org.pabal.mail;

import org.osgi.annotation.versioning.ConsumerType;

/// May this mail come in? Asked at the four moments at which SMTP lets us answer. All policies are
/// asked, in the order of their service ranking; the first refusal ends the question.
///
/// Each moment accepts unless a policy says otherwise. A policy that throws counts as a refusal
/// with 451 4.3.0: mail waits at the sender rather than passing unseen.
@ConsumerType
public interface MailPolicy {

    /// A client has connected, before the greeting. A refusal is the greeting: 554 or 421 (RFC 5321
    /// §3.1).
    default Verdict connected(Client client) {
        return Verdict.ACCEPT;
    }

    /// MAIL: the envelope has its sender and no recipients.
    default Verdict sender(Client client, Envelope soFar) {
        return Verdict.ACCEPT;
    }

    /// RCPT: the envelope has those that were accepted before.
    default Verdict recipient(Client client, Envelope soFar, Recipient recipient) {
        return Verdict.ACCEPT;
    }

    /// The message is here but not accepted.
    default Verdict message(Client client, Envelope envelope, Content content) {
        return Verdict.ACCEPT;
    }
}
