package org.pabal.dns.recursive;

import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a client is told: the aliases that were followed and what came of the last name.
///
/// @param chain at least one finding; all but the last are aliases
record Answer(Question question, List<Finding> chain) {

    Answer {
        chain = List.copyOf(chain);
    }

    Finding last() {
        return chain.getLast();
    }

    /// That of the last name (RFC 6604 §2.1); SERVFAIL when any of it is bogus (RFC 4035 §5.5).
    int rcode() {
        return security() == Security.BOGUS ? Rcode.SERVFAIL : last().rcode();
    }

    /// That of the weakest link.
    Security security() {
        return chain.stream().map(Finding::security).reduce(Security.SECURE, Security::and);
    }

    boolean stale() {
        return chain.stream().anyMatch(Finding::stale);
    }

    Optional<Reason> reason() {
        return chain.stream().flatMap(finding -> finding.reason().stream()).findFirst();
    }

    /// The answer section.
    List<RRset> records() {
        return chain.stream().flatMap(finding -> finding.records().stream()).toList();
    }

    /// The authority section: proofs, of each finding in turn.
    List<RRset> authority() {
        List<RRset> sets = new ArrayList<>();
        chain.forEach(finding -> sets.addAll(finding.proof()));
        return sets;
    }
}
