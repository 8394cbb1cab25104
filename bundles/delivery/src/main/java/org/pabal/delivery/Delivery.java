package org.pabal.delivery;

import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;
import org.pabal.directory.Directory;
import org.pabal.mail.Courier;
import org.pabal.mail.MailQueue;
import org.pabal.mailbox.MailboxStore;
import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
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

    private final QueueWorker worker;
    private final ServiceTracker<Courier, Couriers.Post> tracker;

    @Activate
    public Delivery(
            BundleContext context,
            @Reference MailQueue queue,
            @Reference MailboxStore mailboxes,
            @Reference Directory directory,
            @Reference InstantSource clock,
            Map<String, Object> properties) {
        Settings settings = Settings.of(properties);
        int workers = (int) settings.number("workers", 64, 1, 10_000);
        RetrySchedule schedule =
                new RetrySchedule(
                        settings.duration("first-retry", RetrySchedule.DEFAULT.first()),
                        settings.duration("longest-retry", RetrySchedule.DEFAULT.longest()),
                        settings.duration("give-up", RetrySchedule.DEFAULT.giveUp()));
        if (schedule.first().isZero()) {
            throw settings.bad("first-retry", "0", "longer than nothing", "5 m");
        }
        Duration delayNotice = settings.duration("delay-notice", Duration.ofHours(4));
        String host = settings.text("host", property(context, "pabal.host"));
        settings.noOthers();

        var writer = new DeliveryReport.Writer(host, property(context, "pabal.domain"));
        Couriers couriers = new Couriers(new LocalCourier(mailboxes));
        Reports reports =
                new Reports(queue, writer, schedule, delayNotice, clock, new SecureRandom());
        worker =
                new QueueWorker(
                        queue,
                        new AliasExpansion(directory),
                        couriers,
                        reports,
                        schedule,
                        clock,
                        workers);
        tracker = tracker(context, couriers, worker);
        tracker.open();
        worker.start();
        log.info("delivery works the queue, {} messages at once", workers);
    }

    @Deactivate
    void stop() throws InterruptedException {
        worker.stop(GRACE);
        tracker.close();
        log.info("delivery has stopped; what is not delivered waits in the queue");
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

    private static String property(BundleContext context, String name) {
        return Optional.ofNullable(context.getProperty(name)).orElse("localhost");
    }
}
