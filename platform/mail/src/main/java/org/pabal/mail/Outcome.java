package org.pabal.mail;

/// What became of a message for one recipient.
public sealed interface Outcome {

    /// It is there, and whoever took it answers for it now.
    ///
    /// @param where in words for the log: `mailbox bob@example.org`, `mx.example.net 250 2.0.0 Ok`
    /// @param reportsFollow whether whoever took it also took what the sender wishes to be told
    ///     (RFC 3461 §5.2.1), and tells it in our place
    record Delivered(String where, boolean reportsFollow) implements Outcome {

        public Delivered(String where) {
            this(where, false);
        }
    }

    /// Not now: try again.
    record Deferred(Status why) implements Outcome {}

    /// Never: tell the sender.
    record Failed(Status why) implements Outcome {}
}
