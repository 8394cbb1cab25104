package org.pabal.delivery;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.IDN;
import java.net.URI;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/// Finds MTA-STS policies as RFC 8461 §3 and §5.1 say: a TXT record tells whether there is one and
/// which, the policy itself comes by HTTPS, and is obeyed until it expires, whatever DNS and the
/// policy host say meanwhile. That last part is the protection: whoever can forge the one and block
/// the other gains nothing with a domain that we know.
///
/// What a message has to wait for is one lookup when nothing was asked for some minutes, and one
/// fetch when the record names another policy than ours. Who comes while another fetches waits for
/// the same fetch, or goes on with the policy that is known.
final class FetchedStsPolicies implements StsPolicies {

    private static final Logger log = LoggerFactory.getLogger(FetchedStsPolicies.class);

    static final int HTTPS = 443;

    /// A record is asked for again after its time to live, but neither at once nor much later.
    private static final Duration LEAST_TTL = Duration.ofMinutes(1);

    private static final Duration MOST_TTL = Duration.ofMinutes(5);

    /// §3.3: after a failure the same version is not fetched for five minutes or longer.
    private static final Duration AFTER_FAILURE = Duration.ofMinutes(5);

    /// §3.3: a policy in use is fetched anew once a day, so that nobody can wait for its end.
    private static final Duration REFRESH = Duration.ofDays(1);

    /// Leaves room for what is put before it.
    private static final int MAX_DOMAIN = 240;

    private static final int MAX_DOMAINS = 10_000;
    private static final int MAX_FETCHES = 32;

    /// Of policies that are longer than anybody needs so many are in memory: ten thousand of 64 KB
    /// would be all of it. The others are read again when they are needed.
    static final int MAX_LONG = 256;

    private static final int LONG_OCTETS = 4_096;

    /// What is known of a domain at some moment.
    ///
    /// @param lookAgain when DNS is asked again
    /// @param failedId which version could not be fetched; empty when the last fetch went well
    /// @param fetchAgain when that version may be asked for again
    private record Known(
            Optional<StsCache.Kept> kept, Instant lookAgain, String failedId, Instant fetchAgain) {

        static final Known NOTHING = new Known(Optional.empty(), Instant.MIN, "", Instant.MIN);

        boolean fresh(Instant now) {
            return now.isBefore(lookAgain);
        }

        Optional<StsCache.Kept> live(Instant now) {
            return kept.filter(policy -> now.isBefore(policy.expires()));
        }

        /// A policy of mode none is none, §5.
        Optional<StsPolicy> policy(Instant now) {
            return live(now)
                    .map(StsCache.Kept::policy)
                    .filter(policy -> policy.mode() != StsPolicy.Mode.NONE);
        }

        Known until(Instant next) {
            return new Known(kept, next, failedId, fetchAgain);
        }

        Known having(StsCache.Kept policy) {
            return new Known(Optional.of(policy), lookAgain, "", Instant.MIN);
        }

        Known failed(String id, Instant again) {
            return new Known(kept, lookAgain, id, again);
        }
    }

    /// One domain: whoever holds the lock finds out, the others read what was found.
    private static final class Domain {
        private final ReentrantLock finding = new ReentrantLock();
        private volatile boolean read;
        private volatile Known known = Known.NOTHING;
        private volatile Instant used;

        Domain(Instant now) {
            used = now;
        }
    }

    private final Resolver resolver;
    private final WebClient web;
    private final StsCache cache;
    private final InstantSource clock;
    private final TlsLedger ledger;
    private final int port;
    private final Map<String, Domain> domains = new ConcurrentHashMap<>();
    private final Semaphore fetches = new Semaphore(MAX_FETCHES);

    /// @param cache what is kept beyond the end of the process
    /// @param ledger hears of policies that could not be had
    /// @param port 443 but in a laboratory
    FetchedStsPolicies(
            Resolver resolver,
            WebClient web,
            StsCache cache,
            InstantSource clock,
            TlsLedger ledger,
            int port) {
        this.resolver = resolver;
        this.web = web;
        this.cache = cache;
        this.clock = clock;
        this.ledger = ledger;
        this.port = port;
    }

    @Override
    public Optional<StsPolicy> find(String domain) {
        Optional<String> name = ascii(domain);
        if (name.isEmpty()) {
            return Optional.empty();
        }
        Instant now = clock.instant();
        Domain place = place(name.get(), now);
        place.used = now;
        if (!place.known.fresh(now)) {
            try {
                findOut(name.get(), place);
            } catch (InterruptedIOException e) {
                // What is known is obeyed; who is interrupted does not send any more.
                Thread.currentThread().interrupt();
            }
        }
        return place.known.policy(clock.instant());
    }

    /// For an administrator: the policies that are obeyed, of domains that got mail of late.
    List<String> lines() {
        Instant now = clock.instant();
        return domains.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .flatMap(
                        entry ->
                                entry.getValue().known.live(now).stream()
                                        .map(kept -> entry.getKey() + "  " + kept.words()))
                .toList();
    }

    private void findOut(String name, Domain place) throws InterruptedIOException {
        boolean waits = place.known.live(clock.instant()).isEmpty();
        if (!waits && !place.finding.tryLock()) {
            return;
        }
        try {
            if (waits) {
                place.finding.lockInterruptibly();
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
        try {
            if (!place.read) {
                place.known = new Known(cache.read(name), Instant.MIN, "", Instant.MIN);
                place.read = true;
            }
            if (!place.known.fresh(clock.instant())) {
                place.known = looked(name, place.known);
            }
            if (isLong(place)) {
                makeRoomForLong();
            }
        } finally {
            place.finding.unlock();
        }
    }

    private Known looked(String name, Known known) throws InterruptedIOException {
        Instant now = clock.instant();
        return switch (resolver.resolve(recordName(name), Type.TXT)) {
            case Resolution.Found(var records, boolean _) -> {
                TextRecords texts = TextRecords.of(records);
                Known next = known.until(now.plus(bounded(texts.ttl())));
                yield texts.stsId().isPresent() ? fetched(name, texts.stsId().get(), next) : next;
            }
            // §5.1: that there is no record does not end a policy that is known.
            case Resolution.NoSuchRecord _, Resolution.NoSuchName _ ->
                    known.until(now.plus(MOST_TTL));
            case Resolution.Unavailable _ -> known.until(now.plus(LEAST_TTL));
        };
    }

    private Known fetched(String name, String id, Known known) throws InterruptedIOException {
        Instant now = clock.instant();
        boolean have =
                known.live(now)
                        .filter(kept -> kept.policy().id().equals(id))
                        .filter(kept -> now.isBefore(kept.refresh(REFRESH)))
                        .isPresent();
        boolean failedOfLate = known.failedId().equals(id) && now.isBefore(known.fetchAgain());
        if (have || failedOfLate) {
            return known;
        }
        try {
            if (!fetches.tryAcquire(HttpsClient.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                return known.until(now.plus(LEAST_TTL));
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
        try {
            StsCache.Kept kept = new StsCache.Kept(fetch(name, id), clock.instant());
            cache.write(name, kept);
            log.info("MTA-STS policy of {}: {}", name, kept.words());
            return known.having(kept);
        } catch (TlsFailure e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedIOException(); // our doing, not theirs
            }
            // RFC 8460 §4.3.2.2
            ledger.failed(
                    new TlsPolicy("sts", name, List.of(), List.of()),
                    e.result(),
                    "",
                    "",
                    e.getMessage());
            Instant end = clock.instant();
            log.warn(
                    "MTA-STS policy of {}: {}: {}; {}, asked for again in {} min",
                    name,
                    e.result().word(),
                    e.getMessage(),
                    known.live(end).isPresent()
                            ? "the one that is known stays in force"
                            : "its mail goes as if there were none",
                    AFTER_FAILURE.toMinutes());
            return known.failed(id, end.plus(AFTER_FAILURE));
        } finally {
            fetches.release();
        }
    }

    // RFC 8461 §3.3
    private StsPolicy fetch(String name, String id) throws TlsFailure {
        String host = "mta-sts." + name;
        WebClient.Answer answer;
        try {
            answer =
                    web.get(
                            URI.create(
                                    "https://"
                                            + host
                                            + (port == HTTPS ? "" : ":" + port)
                                            + "/.well-known/mta-sts.txt"));
        } catch (IOException e) {
            TlsResult result =
                    untrusted(e) ? TlsResult.STS_WEBPKI_INVALID : TlsResult.STS_POLICY_FETCH_ERROR;
            throw new TlsFailure(result, host + ": " + e.getMessage(), e);
        }
        if (answer.status() != 200) {
            throw new TlsFailure(
                    TlsResult.STS_POLICY_FETCH_ERROR,
                    host + ": answers " + answer.status(),
                    new IOException());
        }
        if (!answer.type().equals("text/plain")) {
            throw new TlsFailure(
                    TlsResult.STS_POLICY_FETCH_ERROR,
                    host + ": the policy is not of type text/plain",
                    new IOException());
        }
        try {
            return StsPolicy.parse(id, answer.body());
        } catch (IOException e) {
            throw new TlsFailure(TlsResult.STS_POLICY_INVALID, host + ": " + e.getMessage(), e);
        }
    }

    /// Whether it was the certificate, and not the connection.
    private static boolean untrusted(IOException trouble) {
        if (trouble instanceof SSLPeerUnverifiedException) {
            return true;
        }
        Throwable cause = trouble instanceof SSLException ? trouble : trouble.getCause();
        for (int depth = 0; cause != null && depth < 10; depth++, cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return true;
            }
        }
        return false;
    }

    private Domain place(String name, Instant now) {
        if (domains.size() >= MAX_DOMAINS && !domains.containsKey(name)) {
            makeRoom(now);
        }
        return domains.computeIfAbsent(name, n -> new Domain(now));
    }

    /// First those without a policy, then those that were not used for longest; their policies are
    /// still in the cache.
    private synchronized void makeRoom(Instant now) {
        if (domains.size() < MAX_DOMAINS) {
            return;
        }
        domains.entrySet().stream()
                .sorted(
                        Comparator.comparing(
                                        (Map.Entry<String, Domain> entry) ->
                                                entry.getValue().known.live(now).isPresent())
                                .thenComparing(entry -> entry.getValue().used))
                .limit(MAX_DOMAINS / 10)
                .map(Map.Entry::getKey)
                .toList()
                .forEach(domains::remove);
    }

    private static boolean isLong(Domain place) {
        return place.known.kept().filter(kept -> kept.policy().length() > LONG_OCTETS).isPresent();
    }

    private synchronized void makeRoomForLong() {
        List<Map.Entry<String, Domain>> longOnes =
                domains.entrySet().stream()
                        .filter(entry -> isLong(entry.getValue()))
                        .sorted(Comparator.comparing(entry -> entry.getValue().used))
                        .toList();
        if (longOnes.size() > MAX_LONG) {
            longOnes.stream()
                    .limit(longOnes.size() - MAX_LONG + MAX_LONG / 4)
                    .forEach(entry -> domains.remove(entry.getKey()));
        }
    }

    /// How many policies are in memory that are longer than they need be.
    long longOnes() {
        return domains.values().stream().filter(FetchedStsPolicies::isLong).count();
    }

    private static Duration bounded(Duration ttl) {
        return ttl.compareTo(LEAST_TTL) < 0
                ? LEAST_TTL
                : ttl.compareTo(MOST_TTL) > 0 ? MOST_TTL : ttl;
    }

    /// As it is asked for in DNS; empty for what has no policy: address literals and the like.
    static Optional<String> ascii(String domain) {
        String name = domain.endsWith(".") ? domain.substring(0, domain.length() - 1) : domain;
        try {
            return StsPolicy.hostName(
                            name.chars().allMatch(c -> c < 128) ? name : IDN.toASCII(name))
                    .filter(fine -> fine.length() <= MAX_DOMAIN);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Name recordName(String domain) {
        try {
            return Name.fromString("_mta-sts." + domain + ".");
        } catch (TextParseException e) {
            throw new IllegalStateException(domain + ": was looked at before", e);
        }
    }
}
