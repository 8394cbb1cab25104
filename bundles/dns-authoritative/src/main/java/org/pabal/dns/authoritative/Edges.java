package org.pabal.dns.authoritative;

import org.pabal.dns.server.RateLimit;
import org.pabal.dns.server.ServerCookies;

import java.security.SecureRandom;
import java.time.InstantSource;

/// What stands between a client and the answer, shared by both paths: what the administrator set,
/// who proved its address, who asks too much, what is counted, and the time.
final class Edges implements AutoCloseable {

    final ServerSettings settings;
    final ServerCookies cookies;
    final RateLimit limit;
    final Statistics statistics = new Statistics();
    final Tick tick;

    /// The time stands still until [#start()].
    Edges(ServerSettings settings, InstantSource clock) {
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

    Edges start() {
        tick.start();
        return this;
    }

    @Override
    public void close() {
        tick.close();
    }
}
