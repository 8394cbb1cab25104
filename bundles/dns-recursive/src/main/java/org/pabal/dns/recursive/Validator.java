package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

/// Judges findings by DNSSEC, from a trust anchor down (RFC 4035 §5).
interface Validator {

    /// The finding with its [Security]. One that is bogus comes back with its records, and with
    /// the reason; who asked with CD may want them.
    ///
    /// @param fetch finds keys and delegation signers
    Finding judge(Finding finding, Fetch fetch, Request request);

    /// Whether there is a trust anchor at or above a name, and no negative one nearer: if not,
    /// nothing there needs signatures.
    boolean cares(Name name);

    /// Finds something without judging it, from memory or elsewhere. What the cache has comes with
    /// the verdict that it had.
    interface Fetch {
        Finding fetch(Question question, Request request);
    }
}
