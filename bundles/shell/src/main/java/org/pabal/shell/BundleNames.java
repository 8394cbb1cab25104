package org.pabal.shell;

import org.apache.felix.service.command.Converter;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

import java.util.Arrays;
import java.util.Comparator;

/// What bundle is meant by a word in the framework's own commands: `stop 13`, `update
/// org.pabal.pop3`.
///
/// On a terminal Gogo's own shell knows it; a node that runs without one has nobody else to say.
@Component(
        service = Converter.class,
        property = Converter.CONVERTER_CLASSES + "=org.osgi.framework.Bundle")
public final class BundleNames implements Converter {

    private final BundleContext framework;

    @Activate
    public BundleNames(BundleContext context) {
        // the framework's own context sees all bundles
        this.framework = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getBundleContext();
    }

    /// @param word a bundle's number or its symbolic name; where one was replaced from `deploy/`,
    ///     that is the one that runs
    /// @return null for what is no word, as Gogo wants it
    @Override
    public Object convert(Class<?> wanted, Object word) {
        if (wanted != Bundle.class || !(word instanceof CharSequence || word instanceof Number)) {
            return null;
        }
        String name = word.toString();
        return Arrays.stream(framework.getBundles())
                .filter(
                        bundle ->
                                name.equals("" + bundle.getBundleId())
                                        || name.equals(bundle.getSymbolicName()))
                .max(Comparator.comparing(bundle -> bundle.getState() == Bundle.ACTIVE))
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "bundle " + name + ": there is none; lb lists them"));
    }

    @Override
    public CharSequence format(Object target, int level, Converter escape) {
        return null;
    }
}
