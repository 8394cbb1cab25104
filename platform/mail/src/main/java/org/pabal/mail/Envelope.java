package org.pabal.mail;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Who a message is from and for, RFC 5321 §2.3.1. Nothing in it is taken from the message's
/// header.
///
/// @param sender the reverse-path; empty for `<>`, to which no bounce may be sent (RFC 5321 §4.5.5)
/// @param parameters ESMTP parameters of MAIL as the client gave them: keyword in upper case, empty
///     value where there was none. `BODY` (RFC 6152), `SMTPUTF8` (RFC 6531), `RET` and `ENVID`
///     (RFC 3461), `BY` (RFC 2852, counted from the moment of acceptance), `HOLDUNTIL` (RFC 4865,
///     into which a `HOLDFOR` is turned), `MT-PRIORITY` (RFC 6710) and `REQUIRETLS` (RFC 8689) are
///     the ones that matter; `AUTH` and `SIZE` are not kept
/// @param recipients at least one in the queue, no address twice
public record Envelope(
        Optional<MailAddress> sender, Map<String, String> parameters, List<Recipient> recipients) {

    public Envelope {
        parameters = Map.copyOf(parameters);
        recipients = List.copyOf(recipients);
    }

    public Envelope(Optional<MailAddress> sender, List<Recipient> recipients) {
        this(sender, Map.of(), recipients);
    }

    /// The recipients' addresses, in order.
    public List<MailAddress> addresses() {
        return recipients.stream().map(Recipient::address).toList();
    }

    /// Whether the message may have UTF-8 in addresses and header, RFC 6531 §3.4.
    public boolean internationalized() {
        return parameters.containsKey("SMTPUTF8");
    }

    /// How urgent it is, −9 to 9, RFC 6710 §2; 0 where nothing was said.
    public int priority() {
        String said = parameters.getOrDefault("MT-PRIORITY", "");
        return !said.isEmpty() && said.matches("-?[0-9]") ? Integer.parseInt(said) : 0;
    }

    /// Not to be sent on before, RFC 4865 §4.
    public Optional<Instant> holdUntil() {
        try {
            return Optional.ofNullable(parameters.get("HOLDUNTIL"))
                    .map(until -> OffsetDateTime.parse(until).toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /// Whether it may go only where TLS is verified and promised onward, RFC 8689 §2.
    public boolean requiresTls() {
        return parameters.containsKey("REQUIRETLS");
    }

    /// The same for other recipients.
    public Envelope with(List<Recipient> others) {
        return new Envelope(sender, parameters, others);
    }
}
