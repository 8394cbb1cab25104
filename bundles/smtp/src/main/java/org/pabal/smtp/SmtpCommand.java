package org.pabal.smtp;

import org.pabal.mail.MailAddress;

import java.util.Map;
import java.util.Optional;

/// What a client asks for, RFC 5321 §4.1 and its extensions, as far as it can be told from the line
/// alone.
sealed interface SmtpCommand {

    /// @param verb `HELO`, `EHLO` or `LHLO` (RFC 2033 §4.1)
    /// @param name what the client calls itself
    record Hello(String verb, String name) implements SmtpCommand {}

    /// @param sender empty for `<>`
    /// @param size what the client says of the size (RFC 1870), or 0
    /// @param parameters those that stay in the envelope
    record Mail(Optional<MailAddress> sender, long size, Map<String, String> parameters)
            implements SmtpCommand {}

    /// @param address empty for `postmaster` without a domain, RFC 5321 §4.1.1.3
    /// @param parameters those that stay with the recipient
    record Rcpt(Optional<MailAddress> address, Map<String, String> parameters)
            implements SmtpCommand {}

    record Data() implements SmtpCommand {}

    /// RFC 3030 §2; the octets follow the line.
    record Bdat(long octets, boolean last) implements SmtpCommand {}

    record Rset() implements SmtpCommand {}

    record Noop() implements SmtpCommand {}

    record Quit() implements SmtpCommand {}

    record Help() implements SmtpCommand {}

    record Verify() implements SmtpCommand {}

    /// RFC 3207.
    record StartTls() implements SmtpCommand {}

    /// RFC 4954.
    ///
    /// @param initial the initial response as it was sent, in base64 or `=`
    record Auth(String mechanism, Optional<String> initial) implements SmtpCommand {
        @Override
        public String toString() {
            return "Auth[" + mechanism + "]";
        }
    }

    /// A line that is no command of ours, or one that is not well-formed.
    ///
    /// @param last whether nothing that follows can be trusted
    record Wrong(SmtpReply reply, boolean last) implements SmtpCommand {}

    /// @param line without its CR LF
    static SmtpCommand parse(byte[] line) {
        return CommandParser.parse(line);
    }
}
