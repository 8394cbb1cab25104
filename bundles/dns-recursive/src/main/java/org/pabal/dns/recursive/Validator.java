package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.util.Optional;

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

    /// What follows from proofs that are in memory, without asking anybody (RFC 8198): that the
    /// name does not exist, or has no such records. It is secure.
    default Optional<Finding> denied(Question question) {
        return Optional.empty();
    }

    /// Forgets what it remembers of zones at and below a name.
    default void forget(Name name) {}

    /// Finds something without judging it, from memory or elsewhere. What the cache has comes with
    /// the verdict that it had.
    ///
    /// Who wants it fresh ([Request.Wish#refresh()]) does not believe what was said before:
    /// somebody else is asked, if there is somebody.
    interface Fetch {
        Finding fetch(Question question, Request request);
    }
}
