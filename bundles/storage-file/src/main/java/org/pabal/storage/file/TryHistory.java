package org.pabal.storage.file;

import org.pabal.mail.Attempt;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Status;

import java.util.ArrayList;
import java.util.List;

/// What was tried with a message, kept within bounds: much of it is written by the hosts that we
/// talk to, and all of it is written to the journal with each settlement.
final class TryHistory {

    /// Characters of a host, a way or a reply.
    static final int MAX_TEXT = 500;

    /// Recipients who are named in one try.
    static final int MAX_RECIPIENTS = 100;

    /// Characters of a whole history; its octets are three times as many at worst.
    static final int MAX_LENGTH = 64 * 1024;

    /// How many tries an entry keeps when the memory for histories is used up.
    static final int FEW = 3;

    private static final int LENGTH_OF_THE_REST = 64;

    private TryHistory() {}

    /// The latest of both, oldest first.
    ///
    /// @param most how many to keep
    static List<Attempt> grown(List<Attempt> history, List<Attempt> more, int most) {
        List<Attempt> all = new ArrayList<>(history);
        int from = Math.max(0, more.size() - QueueEntry.MAX_HISTORY);
        more.subList(from, more.size()).forEach(attempt -> all.add(within(attempt)));
        int first = all.size();
        int length = 0;
        while (first > 0 && all.size() - first < most) {
            length += length(all.get(first - 1));
            if (length > MAX_LENGTH) {
                break;
            }
            first--;
        }
        return List.copyOf(all.subList(first, all.size()));
    }

    /// What a history takes in memory, roughly.
    static long length(List<Attempt> history) {
        long length = 0;
        for (Attempt attempt : history) {
            length += length(attempt);
        }
        return length;
    }

    static String within(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT - 1) + "…";
    }

    static Status within(Status status) {
        return status.text().length() <= MAX_TEXT
                ? status
                : new Status(status.code(), status.enhanced(), within(status.text()));
    }

    private static Attempt within(Attempt attempt) {
        return attempt.where().length() <= MAX_TEXT
                        && attempt.tls().length() <= MAX_TEXT
                        && attempt.reply().text().length() <= MAX_TEXT
                        && attempt.recipients().size() <= MAX_RECIPIENTS
                ? attempt
                : new Attempt(
                        attempt.at(),
                        within(attempt.where()),
                        within(attempt.tls()),
                        attempt.recipients()
                                .subList(0, Math.min(attempt.recipients().size(), MAX_RECIPIENTS)),
                        within(attempt.reply()));
    }

    private static int length(Attempt attempt) {
        int length =
                LENGTH_OF_THE_REST
                        + attempt.where().length()
                        + attempt.tls().length()
                        + attempt.reply().enhanced().length()
                        + attempt.reply().text().length();
        for (MailAddress recipient : attempt.recipients()) {
            length += 2 + recipient.localPart().length() + recipient.domain().length();
        }
        return length;
    }
}
