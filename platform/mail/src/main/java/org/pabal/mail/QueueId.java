package org.pabal.mail;

/// Names a message in the queue, in logs, in its Received field and at the shell.
///
/// @param text 1 to 32 letters and digits, unique for the life of the queue; usable as a file name
public record QueueId(String text) {

    public QueueId {
        if (text.isEmpty()
                || text.length() > 32
                || !text.chars().allMatch(QueueId::letterOrDigit)) {
            throw new IllegalArgumentException(
                    "queue id '" + text + "': expected 1 to 32 letters and digits");
        }
    }

    @Override
    public String toString() {
        return text;
    }

    private static boolean letterOrDigit(int c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }
}
