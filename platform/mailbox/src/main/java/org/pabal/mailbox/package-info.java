/// Mail at rest: an account's mailboxes and the messages in them, with the state that IMAP (RFC
/// 9051), CONDSTORE and QRESYNC (RFC 7162), POP3 (RFC 1939) and JMAP (RFC 8621) need.
///
/// For protocols that show mail and for couriers that bring it; stores implement it. Start at
/// [MailboxStore].
@Export
@Version("1.0.0")
package org.pabal.mailbox;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
