package org.pabal.mail;

/// What became of a message for one recipient.
public sealed interface Outcome {

    /// It is there, and whoever took it answers for it now.
    ///
    /// @param where in words for the log: `mailbox bob@example.org`, `mx.example.net 250 2.0.0 Ok`
    record Delivered(String where) implements Outcome {}

    /// Not now: try again.
    record Deferred(Status why) implements Outcome {}

    /// Never: tell the sender.
    record Failed(Status why) implements Outcome {}
}
