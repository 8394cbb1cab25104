package org.pabal.mail;

import org.osgi.annotation.versioning.ProviderType;

import java.util.Optional;

/// Envelope senders for mail that we forward to another domain: an address of ours that leads back
/// to the one it stands for, as the Sender Rewriting Scheme writes it (`SRS0=…`, `SRS1=…`).
///
/// A host that asks SPF (RFC 7208) whether we may send in the name of the original sender would
/// refuse forwarded mail otherwise. Nobody else can make such an address, and it is good for some
/// weeks only, so that it makes no open relay.
@ProviderType
public interface ForwardedSenders {

    /// The address of ours that stands for a sender elsewhere.
    MailAddress rewritten(MailAddress sender);

    /// Whether an address has the form of a rewritten one, of this node's domain: mail to it is
    /// forwarded or refused, and never looked up in the directory.
    boolean form(MailAddress address);

    /// Whom an address stands for; empty when it is forged, too old, or no such address.
    Optional<MailAddress> original(MailAddress address);
}
