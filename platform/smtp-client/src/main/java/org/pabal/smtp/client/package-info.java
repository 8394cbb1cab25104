/// The client's side of SMTP (RFC 5321) and LMTP (RFC 2033): a conversation over a socket that
/// somebody else has opened, and a message in the form that the other side can take.
///
/// For whoever hands mail to another server. Nothing here looks up a name, opens a socket, starts a
/// thread or asks what time it is (that a write lasts too long is told by the timer of the Java
/// runtime's common pool); start at [SmtpConversation].
@Export
@Version("1.0.0")
package org.pabal.smtp.client;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
