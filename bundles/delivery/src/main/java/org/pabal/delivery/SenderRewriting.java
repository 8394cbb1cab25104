package org.pabal.delivery;

import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailAddress;

import java.time.InstantSource;
import java.util.Optional;

/// SRS, the Sender Rewriting Scheme: `SRS0=HHHH=TT=domain=local@ours`, and `SRS1=…` for mail that
/// was forwarded before.
final class SenderRewriting implements ForwardedSenders {

    /// @param domain whose addresses it makes
    /// @param secret at least 16 octets that nobody else knows
    SenderRewriting(String domain, byte[] secret, InstantSource clock) {}

    @Override
    public MailAddress rewritten(MailAddress sender) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean form(MailAddress address) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<MailAddress> original(MailAddress address) {
        throw new UnsupportedOperationException();
    }
}
