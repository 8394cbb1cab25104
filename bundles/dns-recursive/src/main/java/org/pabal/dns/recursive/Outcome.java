package org.pabal.dns.recursive;

/// What is done about a client's question when policies have spoken.
sealed interface Outcome {

    Outcome DROP = new Drop();
    Outcome OVER_TCP = new OverTcp();

    /// The client is told an answer.
    record Told(Answer answer) implements Outcome {}

    /// The client is told nothing; a stream is closed.
    record Drop() implements Outcome {}

    /// The client is told to come again over TCP: an empty answer with TC. Never for a client that
    /// is there already.
    record OverTcp() implements Outcome {}
}
