/// POP3: hands out the messages of an account's INBOX and removes those that the client asked to
/// remove (RFC 1939).
///
/// For mail programs that download, whether they keep the mail on the server or not. Start at
/// [Pop3Server], the doorway, and go on to [Pop3Session], the conversation.
package org.pabal.pop3;
