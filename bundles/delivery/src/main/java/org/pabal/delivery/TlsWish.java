package org.pabal.delivery;

import org.pabal.mail.Envelope;
import org.pabal.mail.QueueEntry;

import java.io.IOException;

/// What a message itself says of TLS, beside what the domains of its recipients want.
enum TlsWish {
    /// Nothing: the recipients' domain decides.
    USUAL,
    /// REQUIRETLS: only to a host that is proved, and that promises the same onward (RFC 8689 §2).
    REQUIRED,
    /// It should rather arrive than be safe: a report of TLS that failed (RFC 8460 §3), or whatever
    /// has the field `TLS-Required: No` (RFC 8689 §3). It goes as if nobody had a policy.
    RATHER_ARRIVE;

    static TlsWish of(QueueEntry entry) throws IOException {
        if (entry.envelope().requiresTls()) {
            return required(entry.envelope()) ? REQUIRED : USUAL;
        }
        boolean waived =
                TlsReport.isOne(entry.envelope())
                        || HeaderFields.of(entry.content())
                                .first("TLS-Required")
                                .filter("no"::equalsIgnoreCase)
                                .isPresent();
        return waived ? RATHER_ARRIVE : USUAL;
    }

    /// Whether policies of a next hop are passed over. It is the recipients' domain whose policy
    /// the sender waives (RFC 8689 §3), not ours: who gets our password has to be who they should
    /// be, whatever stands in a message.
    boolean waivesPoliciesOf(NextHop hop) {
        return this == RATHER_ARRIVE
                && !(hop instanceof NextHop.Server server && server.login().isPresent());
    }

    /// Whether it has to be REQUIRETLS. A report is to say so too where it can, but is not lost
    /// where it cannot (RFC 8689 §4.2.1, §5).
    static boolean required(Envelope envelope) {
        return envelope.requiresTls() && envelope.sender().isPresent();
    }
}
