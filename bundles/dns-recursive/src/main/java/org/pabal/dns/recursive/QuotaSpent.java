package org.pabal.dns.recursive;

import java.io.IOException;

/// A request may not send another query, or its time is over: it says nothing of the server.
final class QuotaSpent extends IOException {

    private static final long serialVersionUID = 1L;

    QuotaSpent(Quota quota) {
        super(
                quota.over()
                        ? "the time for the request is over"
                        : "the request has sent all its " + Quota.FETCHES + " queries");
    }

    /// Takes one query of it.
    static void fetch(Quota quota) throws QuotaSpent {
        if (!quota.fetch()) {
            throw new QuotaSpent(quota);
        }
    }
}
