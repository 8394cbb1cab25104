package org.pabal.dns.authoritative;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.dns.server.Statistics;

import java.util.List;

/// The shell command that tells what was answered.
@Component(
        service = StatisticsShell.class,
        property = {"osgi.command.scope=zone", "osgi.command.function=statistics"})
public final class StatisticsShell {

    private final Statistics statistics;

    @Activate
    public StatisticsShell(@Reference AuthoritativeServer server) {
        this.statistics = server.statistics();
    }

    @Descriptor(
            "Counts answers by transport, rcode and path, what the rate limit withheld, and"
                    + " cookies, since the bundle started. Example: zone:statistics")
    public List<String> statistics() {
        return statistics.lines();
    }
}
