package org.pabal.dns.server;

import java.security.SecureRandom;
import java.time.InstantSource;

/// What stands between a client and the answer, shared by the fast path and the readable one: what
/// the administrator set, who proved its address, who asks too much, what is counted, and the time.
public final class Edges {

    public final EdgeSettings settings;
    public final ServerCookies cookies;
    public final RateLimit limit;
    public final Statistics statistics = new Statistics();

    /// Stands still until somebody lends it a thread.
    public final Tick tick;

    public Edges(EdgeSettings settings, InstantSource clock) {
        this.settings = settings;
        this.cookies = new ServerCookies(settings.cookieSecrets());
        this.limit =
                new RateLimit(
                        settings.rateLimit(),
                        settings.rateLimitAccounts(),
                        settings.rateLimitSlip(),
                        settings.rateLimitExempt(),
                        new SecureRandom().nextLong());
        this.tick = new Tick(clock);
    }
}
