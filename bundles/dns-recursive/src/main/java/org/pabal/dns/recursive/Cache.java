package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.util.Optional;

/// Remembers findings and delegations for as long as their TTLs say. For many threads at once.
interface Cache {

    /// What is known of exactly this question, or the alias that the name is, or that the name
    /// does not exist; with what is left of the TTLs. Failures too (RFC 9520).
    Optional<Finding> find(Question question);

    /// The same, but of names that do not exist (RFC 8020) only those at or below one count.
    ///
    /// @param top at or above the name in question
    default Optional<Finding> find(Question question, Name top) {
        return find(question);
    }

    /// The same when its TTL may be over, by no more than the stale limit (RFC 8767 §5); never a
    /// failure. What is over has TTL 30 and says that it is stale.
    Optional<Finding> stale(Question question);

    /// Keeps a finding under its [Finding#key()]. What is stronger by [Security], and not over, is
    /// not replaced by what is weaker; a failure replaces nothing that is not over.
    void keep(Finding finding);

    /// The delegation that is nearest to a name: at it or above it.
    Optional<Delegation> delegation(Name name);

    /// Keeps a delegation; one that is there and not over stays, if it has the same name servers
    /// (security row D5).
    void keep(Delegation delegation);

    /// Forgets everything at and below a name, and returns how many findings that was.
    int flush(Name name);
}
