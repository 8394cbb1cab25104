package org.pabal.smtp;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.pabal.directory.Directory;
import org.pabal.directory.Sasl;
import org.pabal.directory.SignInLimits;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailPolicy;
import org.pabal.mail.MailQueue;
import org.pabal.protocol.Connection;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.Settings;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// The doorway: reads the settings and registers the three roles as protocols, each a service of
/// its own, since one service can have one [StreamProtocol#NAME] only.
///
/// They are registered after the policies that are there have been found, so that no mail passes
/// them unseen.
@Component(
        configurationPid = "org.pabal.smtp",
        configurationPolicy = ConfigurationPolicy.REQUIRE,
        service = {})
public final class SmtpServer {

    private final BundleContext bundle;
    private final SmtpHost host;
    private final ServiceTracker<MailPolicy, MailPolicy> policies;
    private final ServiceTracker<ForwardedSenders, ForwardedSenders> forwarded;
    private final List<ServiceRegistration<StreamProtocol>> roles = new ArrayList<>();

    @Activate
    public SmtpServer(
            BundleContext bundle,
            Map<String, Object> properties,
            @Reference MailQueue queue,
            @Reference Directory directory,
            @Reference SignInLimits signInLimits,
            @Reference InstantSource clock) {
        this.bundle = bundle;
        Settings settings = Settings.of(properties);
        SmtpLimits defaults = SmtpLimits.defaults();
        String name = settings.text("host", property("pabal.host"));
        SmtpLimits limits =
                new SmtpLimits(
                        settings.octets("max-size", defaults.messageOctets()),
                        (int)
                                Math.min(
                                        settings.octets("max-header", defaults.headerOctets()),
                                        16_000_000),
                        // RFC 5321 §4.5.3.1.8: at least 100
                        (int)
                                settings.number(
                                        "max-recipients", defaults.recipients(), 100, 100_000),
                        (int)
                                settings.number(
                                        "max-messages", defaults.messages(), 1, 1_000_000_000),
                        (int)
                                settings.number(
                                        "max-failed-commands", defaults.failures(), 1, 1_000_000),
                        settings.duration("command-patience", defaults.commandPatience()),
                        settings.duration("data-patience", defaults.dataPatience()),
                        hold(settings, defaults.hold()));
        SendingLimits sending =
                new SendingLimits(
                        (int) settings.number("account-messages-per-hour", 1_000, 0, 10_000_000),
                        (int) settings.number("account-recipients-per-hour", 5_000, 0, 10_000_000),
                        clock);
        boolean refuseForgedSenders =
                settings.choice("forged-senders", "refuse", "refuse", "accept").equals("refuse");
        settings.noOthers();

        PolicyShelf shelf = new PolicyShelf(bundle);
        policies = new ServiceTracker<>(bundle, MailPolicy.class, shelf);
        forwarded = new ServiceTracker<>(bundle, ForwardedSenders.class, null);
        host =
                new SmtpHost(
                        name,
                        property("pabal.domain"),
                        limits,
                        refuseForgedSenders,
                        queue,
                        directory,
                        new Sasl(directory, signInLimits),
                        new Policies(shelf::inOrder),
                        () -> Optional.ofNullable(forwarded.getService()),
                        sending,
                        new MailDate(clock),
                        SmtpServer::pause);
        policies.open();
        forwarded.open();
        for (Role role : Role.values()) {
            roles.add(register(role));
        }
    }

    /// Each unregistration waits until the role's conversations are over, so all three are begun at
    /// once.
    @Deactivate
    void stop() {
        List<Thread> goodbyes =
                roles.stream()
                        .map(
                                role ->
                                        Thread.ofVirtual()
                                                .name("smtp-goodbye")
                                                .start(role::unregister))
                        .toList();
        boolean interrupted = false;
        for (Thread goodbye : goodbyes) {
            while (goodbye.isAlive()) {
                try {
                    goodbye.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        policies.close();
        forwarded.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// RFC 4865 writes it with nine digits at most.
    private static Duration hold(Settings settings, Duration fallback) {
        Duration hold = settings.duration("max-hold", fallback);
        if (hold.compareTo(Duration.ofDays(3_650)) > 0) {
            throw settings.bad("max-hold", hold.toDays() + " d", "at most 3650 d", "30 d");
        }
        return hold;
    }

    private ServiceRegistration<StreamProtocol> register(Role role) {
        Hashtable<String, Object> about =
                new Hashtable<>(
                        Map.of(
                                StreamProtocol.NAME,
                                role.protocol,
                                StreamProtocol.GOODBYE,
                                "421 4.3.2 {}"));
        StreamProtocol protocol =
                new StreamProtocol() {
                    @Override
                    public void converse(Connection connection) throws IOException {
                        new SmtpSession(connection, role, host).converse();
                    }
                };
        return bundle.registerService(StreamProtocol.class, protocol, about);
    }

    private String property(String key) {
        return Optional.ofNullable(bundle.getProperty(key))
                .filter(value -> !value.isBlank())
                .orElse("localhost");
    }

    static void pause(Duration length, BooleanSupplier enough) throws IOException {
        long end = System.nanoTime() + length.toNanos();
        try {
            for (long left = length.toNanos();
                    left > 0 && !enough.getAsBoolean();
                    left = end - System.nanoTime()) {
                TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(200)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a client was made to wait");
        }
    }

    /// The policies of the node, the highest ranking first.
    private static final class PolicyShelf
            implements ServiceTrackerCustomizer<MailPolicy, MailPolicy> {

        private record Shelved(ServiceReference<MailPolicy> reference, MailPolicy policy) {}

        private final BundleContext bundle;
        private final List<Shelved> shelved = new ArrayList<>();
        private volatile List<MailPolicy> inOrder = List.of();

        PolicyShelf(BundleContext bundle) {
            this.bundle = bundle;
        }

        List<MailPolicy> inOrder() {
            return inOrder;
        }

        @Override
        public synchronized MailPolicy addingService(ServiceReference<MailPolicy> reference) {
            MailPolicy policy = bundle.getService(reference);
            if (policy != null) {
                shelved.add(new Shelved(reference, policy));
                sort();
            }
            return policy;
        }

        @Override
        public synchronized void modifiedService(
                ServiceReference<MailPolicy> reference, MailPolicy policy) {
            sort();
        }

        @Override
        public synchronized void removedService(
                ServiceReference<MailPolicy> reference, MailPolicy policy) {
            shelved.removeIf(one -> one.reference().equals(reference));
            sort();
            bundle.ungetService(reference);
        }

        private void sort() {
            shelved.sort(
                    Collections.reverseOrder((a, b) -> a.reference().compareTo(b.reference())));
            inOrder = shelved.stream().map(Shelved::policy).toList();
        }
    }
}
