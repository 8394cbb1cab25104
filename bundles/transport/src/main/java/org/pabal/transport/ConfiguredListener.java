package org.pabal.transport;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.pabal.protocol.DatagramProtocol;
import org.pabal.protocol.Listener;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/// The doorway: a listener for each file `etc/org.pabal.listener~NAME.cfg`, and the protocols that
/// come and go.
///
/// Protocols are tracked by a plain [ServiceTracker], whose `removedService` returns only when the
/// protocol's last conversation is over. The protocol's bundle cannot stop before that, as the
/// unregistration of a service is synchronous: after an update its class loader could load nothing
/// more.
@Component(
        service = {},
        immediate = true,
        configurationPid = "org.pabal.listener",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ConfiguredListener implements Listener {

    /// Service property of our listeners, `String`: `tcp`, `udp` or `both`.
    static final String TRANSPORT = "pabal.listener.transport";

    /// Service property of our listeners, `String`: `none`, `starttls` or `implicit`.
    static final String TLS = "pabal.listener.tls";

    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredListener.class);

    /// All listeners of the bundle. A protocol that leaves is asked to leave all of them at the
    /// same time, as the one grace after the other would add up.
    private static final List<ConfiguredListener> ALL = new CopyOnWriteArrayList<>();

    private final BundleContext context;
    private final String name;
    private final ServiceRegistration<Listener> registration;
    private volatile String protocol = "";
    private volatile Optional<OpenListener> open = Optional.empty();
    private volatile Optional<String> failure = Optional.empty();
    private volatile Optional<ServiceTracker<StreamProtocol, StreamTenant>> streamProtocols =
            Optional.empty();
    private volatile Optional<ServiceTracker<DatagramProtocol, DatagramTenant>> datagramProtocols =
            Optional.empty();
    private boolean closing; // guarded by this
    private volatile boolean shutting;

    @Activate
    public ConfiguredListener(BundleContext context, Map<String, Object> properties) {
        this.context = context;
        String instance = Settings.of(properties).instance();
        name = instance.isEmpty() ? "listener" : instance;
        open(properties);
        registration = context.registerService(Listener.class, this, properties());
        ALL.add(this);
        track();
    }

    /// Settings that leave the sockets as they are hold for the next connection; for others the
    /// sockets are opened anew.
    @Modified
    void modified(Map<String, Object> properties) {
        if (open.isEmpty() || !keepsSockets(open.get(), properties)) {
            shut();
            open(properties);
            track();
        }
        publish();
    }

    @Deactivate
    void close() {
        ALL.remove(this);
        if (context.getBundle().getState() == Bundle.STOPPING) {
            ALL.forEach(ConfiguredListener::beginClosing);
        }
        retire();
        shut();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String protocol() {
        return protocol;
    }

    @Override
    public Optional<InetSocketAddress> address() {
        return open.map(OpenListener::address);
    }

    @Override
    public int connections() {
        return open.flatMap(OpenListener::streams).map(StreamListener::connections).orElse(0);
    }

    @Override
    public String state() {
        return failure.orElseGet(
                () -> accepting() ? "accepting" : "waiting for protocol " + protocol);
    }

    private boolean accepting() {
        return open.map(OpenListener::accepting).orElse(false);
    }

    private void open(Map<String, Object> properties) {
        try {
            ListenerSettings settings = settings(properties);
            OpenListener opened = OpenListener.open(settings);
            open = Optional.of(opened);
            failure = Optional.empty();
            LOG.info(
                    "listener {}: open on {} for protocol {}",
                    name,
                    Addresses.text(opened.address()),
                    protocol);
        } catch (BadSetting | IOException e) {
            fail(e.getMessage());
        }
    }

    private boolean keepsSockets(OpenListener now, Map<String, Object> properties) {
        try {
            String before = protocol;
            ListenerSettings next = settings(properties);
            if (!next.sameSockets(now.settings()) || !next.protocol().equals(before)) {
                return false;
            }
            now.reconfigure(next);
            LOG.info("listener {}: goes on with changed settings", name);
            return true;
        } catch (BadSetting | IOException e) {
            return false; // opening anew will say why it cannot be used
        }
    }

    private ListenerSettings settings(Map<String, Object> properties) {
        protocol = properties.get("protocol") instanceof String text ? text.strip() : "";
        String home = context.getProperty("pabal.home");
        return ListenerSettings.from(name, properties, Path.of(home == null ? "" : home));
    }

    private void fail(String why) {
        LOG.error("{}", why);
        open = Optional.empty();
        failure = Optional.of(why);
    }

    private void track() {
        open.flatMap(OpenListener::streams)
                .ifPresent(
                        streams -> {
                            StreamProtocols customizer = new StreamProtocols(streams);
                            streamProtocols =
                                    Optional.of(tracker(StreamProtocol.class, customizer));
                        });
        open.flatMap(OpenListener::datagrams)
                .ifPresent(
                        datagrams -> {
                            DatagramProtocols customizer = new DatagramProtocols(datagrams);
                            datagramProtocols =
                                    Optional.of(tracker(DatagramProtocol.class, customizer));
                        });
        streamProtocols.ifPresent(ServiceTracker::open);
        datagramProtocols.ifPresent(ServiceTracker::open);
    }

    private <S, T> ServiceTracker<S, T> tracker(
            Class<S> type, ServiceTrackerCustomizer<S, T> customizer) {
        String filter =
                "(&("
                        + Constants.OBJECTCLASS
                        + "="
                        + type.getName()
                        + ")("
                        + StreamProtocol.NAME
                        + "="
                        + protocol
                        + "))";
        try {
            return new ServiceTracker<>(context, FrameworkUtil.createFilter(filter), customizer);
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private void beginClosing() {
        open.ifPresent(OpenListener::closeDoor);
        streamProtocols.ifPresent(
                tracker -> tracker.getTracked().values().forEach(StreamTenant::beginLeaving));
    }

    private void shut() {
        beginClosing();
        shutting = true;
        streamProtocols.ifPresent(ServiceTracker::close);
        datagramProtocols.ifPresent(ServiceTracker::close);
        shutting = false;
        streamProtocols = Optional.empty();
        datagramProtocols = Optional.empty();
        open.ifPresent(OpenListener::close);
        open = Optional.empty();
    }

    /// Tells the world how the listener is now. Synchronized for the order of the news.
    private synchronized void publish() {
        if (!closing) {
            registration.setProperties(properties());
        }
    }

    private synchronized void retire() {
        closing = true;
        registration.unregister();
    }

    private Dictionary<String, Object> properties() {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put(NAME, name);
        properties.put(ACCEPTING, accepting());
        failure.ifPresent(why -> properties.put(FAILURE, why));
        open.ifPresent(
                o -> {
                    properties.put(
                            TRANSPORT, o.settings().transport().name().toLowerCase(Locale.ROOT));
                    properties.put(TLS, o.settings().tls().name().toLowerCase(Locale.ROOT));
                });
        return properties;
    }

    /// Makes tenants of the stream protocols of our name.
    private final class StreamProtocols
            implements ServiceTrackerCustomizer<StreamProtocol, StreamTenant> {

        private final StreamListener streams;

        StreamProtocols(StreamListener streams) {
            this.streams = streams;
        }

        @Override
        public StreamTenant addingService(ServiceReference<StreamProtocol> reference) {
            StreamProtocol service = context.getService(reference);
            if (service == null) {
                return null; // its component could not be activated: the tracker forgets it
            }
            Object goodbye = reference.getProperty(StreamProtocol.GOODBYE);
            StreamTenant tenant =
                    streams.add(
                            reference, service, Optional.ofNullable(goodbye).map(Object::toString));
            publish();
            return tenant;
        }

        @Override
        public void modifiedService(
                ServiceReference<StreamProtocol> reference, StreamTenant tenant) {
            streams.sort();
        }

        @Override
        public void removedService(
                ServiceReference<StreamProtocol> reference, StreamTenant tenant) {
            streams.beginRemoving(tenant);
            publish();
            if (!shutting) {
                // It is the protocol that leaves, and not this listener that closes.
                ALL.forEach(listener -> listener.beginRemoving(tenant.protocol()));
            }
            streams.remove(tenant);
            context.ungetService(reference);
        }
    }

    private void beginRemoving(StreamProtocol leaving) {
        boolean concerned =
                open.flatMap(OpenListener::streams)
                        .map(streams -> streams.beginRemoving(leaving))
                        .orElse(false);
        if (concerned) {
            publish();
        }
    }

    /// Makes tenants of the datagram protocols of our name.
    private final class DatagramProtocols
            implements ServiceTrackerCustomizer<DatagramProtocol, DatagramTenant> {

        private final DatagramListener datagrams;

        DatagramProtocols(DatagramListener datagrams) {
            this.datagrams = datagrams;
        }

        @Override
        public DatagramTenant addingService(ServiceReference<DatagramProtocol> reference) {
            DatagramProtocol service = context.getService(reference);
            if (service == null) {
                return null; // its component could not be activated: the tracker forgets it
            }
            DatagramTenant tenant = datagrams.add(reference, service);
            publish();
            return tenant;
        }

        @Override
        public void modifiedService(
                ServiceReference<DatagramProtocol> reference, DatagramTenant tenant) {
            datagrams.sort();
        }

        @Override
        public void removedService(
                ServiceReference<DatagramProtocol> reference, DatagramTenant tenant) {
            datagrams.remove(tenant);
            publish();
            context.ungetService(reference);
        }
    }
}
