/// Receives mail by SMTP on port 25, by submission from our own people, and by LMTP from a
/// neighbour.
///
/// For whoever wants to know what a client hears and why: everything it says is answered in one
/// class. Start at [SmtpSession] and read from top to bottom; [SmtpServer] is the doorway that OSGi
/// sees.
package org.pabal.smtp;
