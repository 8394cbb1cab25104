package org.pabal.pop3;

import org.pabal.mail.Content;
import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/// The messages that were there when a client signed in, numbered from 1, and what the client wants
/// to become of them.
///
/// Nothing is removed before [#update()]; a maildrop that is closed without it leaves the mailbox
/// as it was (RFC 1939 §6). Flags are never touched: whether a message was seen is for the reader
/// of the mailbox to say, not for a download.
final class Maildrop implements AutoCloseable {

    private final MailAddress owner;
    private final Mailbox mailbox;
    private final List<Message> messages;
    private final BitSet marked = new BitSet();
    private final BitSet retrieved = new BitSet();
    private final Runnable unlock;

    /// @param unlock run once the maildrop is closed
    Maildrop(MailAddress owner, Mailbox mailbox, Runnable unlock) throws IOException {
        this.owner = owner;
        this.mailbox = mailbox;
        this.messages = mailbox.messages(UidSet.ALL);
        this.unlock = unlock;
    }

    MailAddress owner() {
        return owner;
    }

    /// The highest message number, marked messages included.
    int last() {
        return messages.size();
    }

    /// How many messages are not marked.
    int count() {
        return messages.size() - marked.cardinality();
    }

    /// The sum of the sizes of messages that are not marked.
    long octets() {
        long octets = 0;
        for (int number = 1; number <= messages.size(); number++) {
            octets += marked.get(number) ? 0 : messages.get(number - 1).octets();
        }
        return octets;
    }

    /// A message, or empty when there is none of this number or it is marked as deleted: to the
    /// client the same (RFC 1939 §5).
    Optional<Message> message(int number) {
        return number < 1 || number > messages.size() || marked.get(number)
                ? Optional.empty()
                : Optional.of(messages.get(number - 1));
    }

    /// The octets of a message, or empty when somebody else has expunged it meanwhile.
    Optional<Content> content(Message message) throws IOException {
        return mailbox.content(message.uid());
    }

    void mark(int number) {
        marked.set(number);
    }

    void unmark() {
        marked.clear();
    }

    void retrieved(int number) {
        retrieved.set(number);
    }

    int retrievals() {
        return retrieved.cardinality();
    }

    /// Removes what is marked, and no more, in one step: all or nothing.
    ///
    /// @param retrievedToo whether what was retrieved goes as well (RFC 2449 §6.7, `EXPIRE 0`)
    /// @return how many messages went
    int update(boolean retrievedToo) throws IOException {
        BitSet going = (BitSet) marked.clone();
        if (retrievedToo) {
            going.or(retrieved);
        }
        if (!going.isEmpty()) {
            List<Long> uids = new ArrayList<>(going.cardinality());
            going.stream().forEach(number -> uids.add(messages.get(number - 1).uid()));
            mailbox.expunge(UidSet.of(uids));
        }
        return going.cardinality();
    }

    @Override
    public void close() {
        unlock.run();
    }
}
