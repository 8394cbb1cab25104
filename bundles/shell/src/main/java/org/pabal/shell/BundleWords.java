package org.pabal.shell;

import org.apache.felix.service.command.Converter;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

import java.util.Arrays;
import java.util.Comparator;

/// Makes a bundle of what an administrator types for one, so that the framework's own commands,
/// `stop 13` or `headers org.pabal.smtp`, work as everywhere.
///
/// Gogo leaves this to its interactive shell, which is not there in a node without a terminal.
@Component(
        service = Converter.class,
        property = Converter.CONVERTER_CLASSES + "=org.osgi.framework.Bundle")
public final class BundleWords implements Converter {

    private final BundleContext system;

    @Activate
    public BundleWords(BundleContext context) {
        // The framework's own view: every bundle there is.
        this.system = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getBundleContext();
    }

    /// @param word a bundle's number or its symbolic name; where one was replaced from `deploy/`,
    ///     that is the one that runs
    @Override
    public Object convert(Class<?> type, Object word) {
        if (type != Bundle.class) {
            return null; // what Converter wants for "ask the next one"
        }
        String text = word.toString();
        return Arrays.stream(system.getBundles())
                .filter(
                        bundle ->
                                text.equals(Long.toString(bundle.getBundleId()))
                                        || text.equals(bundle.getSymbolicName()))
                .max(
                        Comparator.comparing((Bundle bundle) -> bundle.getState() == Bundle.ACTIVE)
                                .thenComparing(Bundle::getVersion))
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "bundle " + text + ": there is none; lb lists them"));
    }

    @Override
    public CharSequence format(Object target, int level, Converter escape) {
        return null; // the same
    }
}
