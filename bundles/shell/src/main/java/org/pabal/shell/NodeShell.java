package org.pabal.shell;

import org.apache.felix.service.command.Descriptor;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// `node:…`: the node as a whole.
@Component(
        service = NodeShell.class,
        immediate = true,
        property = {"osgi.command.scope=node", "osgi.command.function=status"})
public final class NodeShell {

    private final BundleContext context;
    private final InstantSource clock;
    private final Instant since;

    @Activate
    public NodeShell(BundleContext context, @Reference InstantSource clock) {
        this.context = context;
        this.clock = clock;
        this.since = clock.instant();
    }

    @Descriptor(
            "Shows who this node is, how long it runs, its memory, and bundles that do not."
                    + " Example: node:status")
    public List<String> status() {
        Runtime runtime = Runtime.getRuntime();
        List<Bundle> idle =
                Arrays.stream(context.getBundles())
                        .filter(
                                b ->
                                        b.getState() != Bundle.ACTIVE
                                                && b.getState() != Bundle.STARTING)
                        .filter(b -> b.getHeaders("").get(Constants.FRAGMENT_HOST) == null)
                        .toList();
        List<String> lines = new ArrayList<>();
        lines.add("host       " + context.getProperty("pabal.host"));
        lines.add("domain     " + context.getProperty("pabal.domain"));
        lines.add("directory  " + context.getProperty("pabal.home"));
        lines.add("process    " + ProcessHandle.current().pid());
        lines.add("running    " + words(Duration.between(since, clock.instant())));
        lines.add(
                "heap       "
                        + (runtime.totalMemory() - runtime.freeMemory()) / 1_000_000
                        + " MB in use, "
                        + runtime.maxMemory() / 1_000_000
                        + " MB at most");
        lines.add("bundles    " + context.getBundles().length + ", " + idle.size() + " not active");
        for (Bundle bundle : idle) {
            lines.add("           " + bundle.getSymbolicName() + " " + bundle.getVersion());
        }
        return lines;
    }

    /// The two largest units: `3 d 4 h`, `2 m 10 s`.
    static String words(Duration duration) {
        if (duration.toDays() > 0) {
            return duration.toDays() + " d " + duration.toHoursPart() + " h";
        }
        if (duration.toHours() > 0) {
            return duration.toHours() + " h " + duration.toMinutesPart() + " m";
        }
        return duration.toMinutes() + " m " + duration.toSecondsPart() + " s";
    }
}
