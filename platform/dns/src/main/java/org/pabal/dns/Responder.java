package org.pabal.dns;

import org.osgi.annotation.versioning.ConsumerType;
import org.pabal.protocol.Peer;
import org.xbill.DNS.Message;

import java.util.stream.Stream;

/// Answers DNS queries in place of the built-in answer, for those who plug their own source of
/// names into a node.
@ConsumerType
public interface Responder {

    /// Service property, required, `String`: the name at and below which this responder is asked,
    /// e.g. `lab.example.`.
    String ORIGIN = "pabal.origin";

    /// The answer: one message, many (a zone transfer, over TCP), or none when the query is to be
    /// dropped.
    ///
    /// @param query with exactly one question, of class IN
    /// @param from the client
    Stream<Message> respond(Message query, Peer from);
}
