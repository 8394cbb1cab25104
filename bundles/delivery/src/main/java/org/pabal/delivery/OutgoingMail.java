package org.pabal.delivery;

import org.pabal.dns.Resolver;
import org.pabal.mail.MailQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/// All that it takes to bring mail to other hosts, put together from the settings, with the one
/// thread that writes TLS reports while it runs.
final class OutgoingMail {

    private static final Logger log = LoggerFactory.getLogger(OutgoingMail.class);

    private static final Duration BETWEEN_LOOKS = Duration.ofMinutes(1);

    /// Who we are and what we keep.
    ///
    /// @param host the name that we give ourselves
    /// @param directory for policies of others and what is counted for reports
    record Self(String host, String domain, Path directory) {}

    private final Lanes lanes;
    private final RemoteCourier courier;
    private final Optional<TlsReports> reports;
    private final Optional<TlsCounts> counts;
    private final InstantSource clock;
    private final Thread reporting = Thread.ofVirtual().name("tls reports").unstarted(this::report);

    /// @throws IOException when the file of `trusted-certificates` cannot be used
    OutgoingMail(
            RemoteSettings settings,
            Self self,
            Resolver resolver,
            MailQueue queue,
            InstantSource clock,
            SecureRandom random)
            throws IOException {
        this.clock = clock;
        X509ExtendedTrustManager authorities = ClientTls.authorities(settings.authorities());
        Predicate<InetAddress> allowed = new ReachableAddresses(settings.privateDestinations());
        counts =
                settings.tlsReports()
                        ? Optional.of(new TlsCounts(self.directory.resolve("tls-reports"), clock))
                        : Optional.empty();
        TlsLedger ledger = counts.<TlsLedger>map(c -> c).orElse(TlsLedger.NONE);
        WebClient web =
                new HttpsClient(resolver, allowed, context(authorities), HttpsClient.PATIENCE);
        reports =
                counts.map(
                        ledgerOnDisk ->
                                new TlsReports(
                                        ledgerOnDisk,
                                        new TlsReport.Writer(
                                                self.domain,
                                                self.host,
                                                self.domain,
                                                settings.tlsReportContact(),
                                                settings.sources().stream()
                                                        .findFirst()
                                                        .map(InetAddress::getHostAddress)),
                                        queue,
                                        resolver,
                                        web,
                                        clock,
                                        random));
        lanes = new Lanes(settings.limits());
        Dialer dialer =
                new Dialer(
                        lookup(settings, self, resolver, allowed, clock, random),
                        policies(settings, self, resolver, web, ledger),
                        new ClientTls(authorities),
                        ledger,
                        settings.manner(self.host));
        courier = new RemoteCourier(settings.routes(), lanes, dialer, clock);
    }

    private static MailHostLookup lookup(
            RemoteSettings settings,
            Self self,
            Resolver resolver,
            Predicate<InetAddress> allowed,
            InstantSource clock,
            SecureRandom random) {
        // In a laboratory several nodes are on one machine, so that its addresses say nothing.
        Predicate<InetAddress> own =
                settings.privateDestinations()
                        ? address -> false
                        : ReachableAddresses::onThisMachine;
        return new MailHostLookup(
                resolver, Set.of(self.host), own, allowed, HostAddresses::routed, random, clock);
    }

    private TlsPolicies policies(
            RemoteSettings settings,
            Self self,
            Resolver resolver,
            WebClient web,
            TlsLedger ledger) {
        StsPolicies sts =
                settings.sts()
                        ? new FetchedStsPolicies(
                                resolver,
                                web,
                                new StsCache(self.directory.resolve("mta-sts")),
                                clock,
                                ledger,
                                settings.stsPort())
                        : StsPolicies.NONE;
        return new TlsPolicies(resolver, sts);
    }

    private static SSLContext context(X509ExtendedTrustManager authorities) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {authorities}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("no TLS in this Java: " + e.getMessage(), e);
        }
    }

    RemoteCourier courier() {
        return courier;
    }

    void start() {
        if (reports.isPresent()) {
            reporting.start();
        }
    }

    private void report() {
        try {
            while (true) {
                reports.orElseThrow().due(clock.instant());
                Thread.sleep(BETWEEN_LOOKS);
            }
        } catch (InterruptedException e) {
            log.debug("tls reports: told to stop");
        }
    }

    /// Says goodbye on connections that wait for mail, and writes down what was counted. To be
    /// called when no mail is under way any more.
    void stop() throws InterruptedException {
        lanes.close();
        if (reports.isPresent()) {
            reporting.interrupt();
            reporting.join();
            counts.orElseThrow().save();
        }
    }
}
