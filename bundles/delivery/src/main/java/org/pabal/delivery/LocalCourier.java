package org.pabal.delivery;

import org.pabal.mail.Content;
import org.pabal.mail.Courier;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The last mile into a mailbox of this node: always INBOX, with the Return-Path field on top and
/// not an octet changed below it.
///
/// A delivery that is repeated after a crash adds nothing: it has a name made of the message's
/// alone, and a mailbox takes a name once.
final class LocalCourier implements Courier {

    private static final Logger log = LoggerFactory.getLogger(LocalCourier.class);

    private final MailboxStore mailboxes;

    LocalCourier(MailboxStore mailboxes) {
        this.mailboxes = mailboxes;
    }

    /// @param recipients accounts' own addresses
    @Override
    public Map<MailAddress, Outcome> deliver(QueueEntry entry, List<Recipient> recipients) {
        // RFC 5321 §4.4: whoever makes the final delivery says where it came from.
        String sender = entry.envelope().sender().map(MailAddress::toString).orElse("");
        byte[] returnPath = ("Return-Path: <" + sender + ">\r\n").getBytes(StandardCharsets.UTF_8);
        Content content = new PrefixedContent(returnPath, entry.content());
        String deliveryId = deliveryId(entry);
        Map<MailAddress, Outcome> outcomes = HashMap.newHashMap(recipients.size());
        for (Recipient recipient : recipients) {
            outcomes.put(
                    recipient.address(), append(entry, content, deliveryId, recipient.address()));
        }
        return outcomes;
    }

    private Outcome append(
            QueueEntry entry, Content content, String deliveryId, MailAddress account) {
        try {
            Mailbox inbox =
                    mailboxes
                            .open(account, MailboxStore.INBOX)
                            .orElseThrow(
                                    () ->
                                            new IOException(
                                                    "mailbox " + account + ": there is no INBOX"));
            inbox.append(content, Set.of(), entry.accepted(), deliveryId);
            return new Outcome.Delivered("mailbox " + account);
        } catch (IOException e) {
            log.warn(
                    "q{} to=<{}>: could not store the message: {}",
                    entry.id(),
                    account,
                    e.toString());
            return new Outcome.Deferred(
                    new Status(451, "4.3.0", "<" + account + ">: could not store the message"));
        }
    }

    /// The queue's id first, by which a store may know that it has these octets already. Then the
    /// time, for the day when a queue is made anew and begins its ids again. The recipient does not
    /// stand in it: a mailbox has one, and whoever is reached twice by one message, by an alias
    /// too, wants it once.
    static String deliveryId(QueueEntry entry) {
        return entry.id() + "." + Long.toString(entry.accepted().toEpochMilli(), 36);
    }
}
