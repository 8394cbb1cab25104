package org.pabal.mail;

import java.util.List;

/// What a policy decided.
public sealed interface Verdict {

    /// Nothing against it, nothing to add.
    Verdict ACCEPT = new Accept(List.of());

    /// It may come in.
    ///
    /// @param headerFields complete header fields to put above the message (RFC 8601 for one),
    ///     without the last CR LF
    record Accept(List<String> headerFields) implements Verdict {
        public Accept {
            headerFields = List.copyOf(headerFields);
        }
    }

    /// It may not, or not now: the status is what the client hears, 4xx or 5xx.
    record Refuse(Status status) implements Verdict {}
}
