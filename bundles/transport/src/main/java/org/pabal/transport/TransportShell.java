package org.pabal.transport;

import org.apache.felix.service.command.Descriptor;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.pabal.protocol.Listener;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The shell's `listener` commands.
@Component(
        service = TransportShell.class,
        property = {"osgi.command.scope=listener", "osgi.command.function=list"})
public final class TransportShell {

    private final BundleContext context;

    @Activate
    public TransportShell(BundleContext context) {
        this.context = context;
    }

    @Descriptor(
            "lists the listeners: name, address, protocol, transport, TLS, connections and state."
                    + " Example: listener:list")
    public List<String> list() throws InvalidSyntaxException {
        List<String[]> rows = new ArrayList<>();
        context.getServiceReferences(Listener.class, null).stream()
                .sorted(Comparator.comparing(r -> "" + r.getProperty(Listener.NAME)))
                .forEach(reference -> row(reference).ifPresent(rows::add));
        rows.addFirst(
                new String[] {
                    "NAME", "ADDRESS", "PROTOCOL", "TRANSPORT", "TLS", "CONNECTIONS", "STATE"
                });
        return Columns.lines(rows);
    }

    private Optional<String[]> row(ServiceReference<Listener> reference) {
        Listener listener = context.getService(reference);
        if (listener == null) {
            return Optional.empty(); // gone since we asked for the list
        }
        try {
            return Optional.of(
                    new String[] {
                        listener.name(),
                        listener.address().map(Addresses::text).orElse("-"),
                        listener.protocol().isEmpty() ? "-" : listener.protocol(),
                        text(reference.getProperty(ConfiguredListener.TRANSPORT)),
                        text(reference.getProperty(ConfiguredListener.TLS)),
                        Integer.toString(listener.connections()),
                        listener.state()
                    });
        } finally {
            context.ungetService(reference);
        }
    }

    private static String text(Object property) {
        return property == null ? "-" : property.toString();
    }
}
