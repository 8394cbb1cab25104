package org.pabal.delivery;

import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;
import org.pabal.directory.Directory;
import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.mail.Courier;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailQueue;
import org.pabal.mailbox.MailboxStore;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The doorway: settings in, services in, a [QueueWorker] that runs from activation to
/// deactivation.
///
/// Couriers come by a plain tracker and not by Declarative Services, whose patience ends after five
/// seconds: a courier's bundle stops when its last errand is over.
@Component(
        service = Delivery.class,
        immediate = true,
        configurationPid = "org.pabal.delivery",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Delivery {

    private static final Logger log = LoggerFactory.getLogger(Delivery.class);

    /// What a message that is under way may take when the bundle stops.
    private static final Duration GRACE = Duration.ofSeconds(30);

    /// A bundle that is replaced is back by then.
    private static final Duration RESOLVER_PATIENCE = Duration.ofSeconds(10);

    private final ServiceTracker<Resolver, Resolver> resolvers;
    private final ServiceRegistration<ForwardedSenders> forwarded;
    private final OutgoingMail outgoing;
    private final QueueWorker worker;
    private final ServiceTracker<Courier, Couriers.Post> tracker;

    @Activate
    public Delivery(
            BundleContext context,
            @Reference MailQueue queue,
            @Reference MailboxStore mailboxes,
            @Reference Directory accounts,
            @Reference InstantSource clock,
            Map<String, Object> properties)
            throws IOException {
        Settings settings = Settings.of(properties);
        int workers = (int) settings.number("workers", 64, 1, 10_000);
        int underWay = (int) settings.number("under-way", 10_000, 10, 1_000_000);
        RetrySchedule schedule = schedule(settings, properties);
        Duration delayNotice = settings.duration("delay-notice", Duration.ofHours(4));
        String host = settings.text("host", property(context, "pabal.host"));
        String domain = property(context, "pabal.domain");
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        RemoteSettings remote = RemoteSettings.of(settings, domain, home);
        settings.noOthers();
        checkSources(remote.sources());

        SecureRandom random = new SecureRandom();
        Path directory = Files.createDirectories(home.resolve("data/delivery"));
        resolvers = new ServiceTracker<>(context, Resolver.class, null);
        resolvers.open();
        OutgoingMail.Self self = new OutgoingMail.Self(host, domain, directory);
        outgoing = outgoing(settings, remote, self, queue, clock, random);
        SenderRewriting rewriting =
                new SenderRewriting(
                        domain, SenderRewriting.secret(directory.resolve("srs-secret")), clock);
        forwarded = context.registerService(ForwardedSenders.class, rewriting, null);
        var writer = new DeliveryReport.Writer(host, domain);
        Couriers couriers =
                new Couriers(new LocalCourier(mailboxes), Optional.of(outgoing.courier()));
        Reports reports = new Reports(queue, writer, schedule, delayNotice, clock, random);
        worker =
                new QueueWorker(
                        queue,
                        new AliasExpansion(accounts, rewriting),
                        couriers,
                        reports,
                        schedule,
                        clock,
                        random,
                        workers,
                        underWay);
        tracker = tracker(context, couriers, worker);
        tracker.open();
        outgoing.start();
        worker.start();
        log.info("delivery works the queue; what waits is tried again after {}", schedule);
    }

    @Deactivate
    void stop() throws InterruptedException {
        forwarded.unregister();
        worker.stop(GRACE);
        tracker.close();
        outgoing.stop();
        resolvers.close();
        log.info("delivery has stopped; what is not delivered waits in the queue");
    }

    private OutgoingMail outgoing(
            Settings settings,
            RemoteSettings remote,
            OutgoingMail.Self self,
            MailQueue queue,
            InstantSource clock,
            SecureRandom random) {
        try {
            return new OutgoingMail(remote, self, this::resolve, queue, clock, random);
        } catch (IOException e) {
            throw settings.bad(
                    "trusted-certificates",
                    remote.authorities().map(Path::toString).orElse(""),
                    "a file of certificates that can be read (" + Settings.why(e) + ")",
                    "etc/laboratory.pem");
        }
    }

    /// An address may come later than we do, so this stops nobody: mail waits for it.
    private static void checkSources(List<InetAddress> sources) {
        for (InetAddress source : sources) {
            if (!ReachableAddresses.onThisMachine(source)) {
                log.warn(
                        "org.pabal.delivery.cfg: source-address = {}: this machine has no such"
                                + " address now; mail to other hosts waits until it has",
                        source.getHostAddress());
            }
        }
    }

    /// Asks the resolver of the house. Mail waits for one that is being replaced, and is deferred
    /// where there is none.
    private Resolution resolve(Name name, int type) {
        try {
            Resolver resolver = resolvers.waitForService(RESOLVER_PATIENCE.toMillis());
            return resolver == null
                    ? new Resolution.Unavailable("this node has no resolver")
                    : resolver.resolve(name, type);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Resolution.Unavailable("told to stop");
        }
    }

    private static ServiceTracker<Courier, Couriers.Post> tracker(
            BundleContext context, Couriers couriers, QueueWorker worker) {
        return new ServiceTracker<>(context, Courier.class, null) {
            @Override
            public Couriers.Post addingService(ServiceReference<Courier> reference) {
                if (!(reference.getProperty(Courier.ROUTE) instanceof String route)) {
                    log.error(
                            "courier of {}: service property {} is missing: expected local, remote"
                                    + " or a domain; it is not used",
                            reference.getBundle().getSymbolicName(),
                            Courier.ROUTE);
                    return null;
                }
                int ranking =
                        reference.getProperty(Constants.SERVICE_RANKING) instanceof Integer r
                                ? r
                                : 0;
                Couriers.Post post = couriers.add(route, ranking, context.getService(reference));
                worker.courierCame();
                return post;
            }

            @Override
            public void removedService(ServiceReference<Courier> reference, Couriers.Post post) {
                couriers.remove(post);
                context.ungetService(reference);
            }
        };
    }

    private static RetrySchedule schedule(Settings settings, Map<String, Object> properties) {
        for (String old : List.of("first-retry", "longest-retry")) {
            if (properties.containsKey(old)) {
                throw new BadSetting(
                        "org.pabal.delivery.cfg: "
                                + old
                                + ": is no more; expected retry in its place, the waits one after"
                                + " another, for example retry = "
                                + RetrySchedule.EXAMPLE);
            }
        }
        String waits = settings.text("retry", RetrySchedule.EXAMPLE);
        Duration giveUp = settings.duration("give-up", RetrySchedule.DEFAULT.giveUp());
        try {
            return RetrySchedule.of(waits, giveUp);
        } catch (IllegalArgumentException e) {
            throw settings.bad(
                    "retry",
                    waits,
                    "the waits one after another, 1 s to 30 d each (s, m, h, d), the last repeats",
                    RetrySchedule.EXAMPLE);
        }
    }

    private static String property(BundleContext context, String name) {
        return Optional.ofNullable(context.getProperty(name)).orElse("localhost");
    }
}
