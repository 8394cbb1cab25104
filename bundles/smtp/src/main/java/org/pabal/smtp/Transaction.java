package org.pabal.smtp;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Recipient;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A mail transaction, RFC 5321 §3.3: from MAIL to the end of its message, or to whatever makes the
/// client begin anew.
final class Transaction implements AutoCloseable {

    /// How many recipients a log line names.
    private static final int SHOWN = 10;

    /// A message that comes in chunks, and how far it is.
    record Chunks(IncomingMessage message, BdatReader reader) {}

    private final Optional<MailAddress> sender;
    private final Map<String, String> parameters;
    private final Map<MailAddress, Recipient> recipients = new LinkedHashMap<>();
    private final List<MailAddress> answered = new ArrayList<>();
    private final List<String> headerFields = new ArrayList<>(0);
    private final Optional<SendingLimits.Share> share;
    private Optional<Chunks> chunks = Optional.empty();

    /// @param parameters those of MAIL that stay in the envelope
    /// @param share what the message takes of its account's hour, when somebody has signed in
    Transaction(
            Optional<MailAddress> sender,
            Map<String, String> parameters,
            Optional<SendingLimits.Share> share) {
        this.sender = sender;
        this.parameters = parameters;
        this.share = share;
    }

    Optional<MailAddress> sender() {
        return sender;
    }

    /// RFC 6531 §3.4.
    boolean internationalized() {
        return parameters.containsKey("SMTPUTF8");
    }

    /// RFC 3030 §3.
    boolean binary() {
        return "BINARYMIME".equals(parameters.get("BODY"));
    }

    /// An address that is named twice gets the message once, and the client an answer each time.
    void add(Recipient recipient) {
        recipients.putIfAbsent(recipient.address(), recipient);
        answered.add(recipient.address());
    }

    /// Each RCPT that was accepted, in order.
    List<MailAddress> answered() {
        return answered;
    }

    /// What policies want to put above the message.
    List<String> headerFields() {
        return headerFields;
    }

    Optional<SendingLimits.Share> share() {
        return share;
    }

    Optional<Chunks> chunks() {
        return chunks;
    }

    void chunks(Chunks begun) {
        chunks = Optional.of(begun);
    }

    /// As it is now.
    Envelope envelope() {
        return new Envelope(sender, parameters, List.copyOf(recipients.values()));
    }

    /// The sender as the log shows it.
    String from() {
        return sender.isEmpty() ? "<>" : "<" + SmtpReply.plain(sender.get().toString()) + ">";
    }

    /// The recipients as the log shows them.
    String to() {
        StringBuilder shown = new StringBuilder();
        int count = 0;
        for (MailAddress address : recipients.keySet()) {
            if (count++ == SHOWN) {
                return shown.append(" and ")
                        .append(recipients.size() - SHOWN)
                        .append(" more")
                        .toString();
            }
            shown.append(count == 1 ? "<" : ",<")
                    .append(SmtpReply.plain(address.toString()))
                    .append('>');
        }
        return shown.toString();
    }

    /// Gives up a message that has begun and is not accepted.
    @Override
    public void close() {
        chunks.ifPresent(begun -> begun.message().close());
        share.ifPresent(SendingLimits.Share::close);
    }
}
