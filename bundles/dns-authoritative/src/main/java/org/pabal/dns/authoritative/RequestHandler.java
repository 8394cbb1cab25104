package org.pabal.dns.authoritative;

import java.io.IOException;
import java.util.stream.Stream;

/// Answers requests that may take their time: updates, transfers, notifies, what a plugged-in
/// responder knows. Called on a thread that may wait.
interface RequestHandler {

    /// The answer: one message, many (a zone transfer, over a stream), or none when the request is
    /// to be dropped. Over datagrams only the first is sent.
    ///
    /// @throws IOException when it cannot be had; the client gets SERVFAIL
    Stream<byte[]> answer(Request request) throws IOException;
}
