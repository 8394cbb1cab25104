package org.pabal.dns.authoritative;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.util.List;
import java.util.function.Predicate;

/// The shell commands of scope `zone` that show the address sets which Pabal keeps.
@Component(
        service = ZoneHealthShell.class,
        property = {
            "osgi.command.scope=zone",
            "osgi.command.function=health",
            "osgi.command.function=aliases"
        })
public final class ZoneHealthShell {

    private final KeptSets kept;

    @Activate
    public ZoneHealthShell(@Reference AuthoritativeServer server) {
        this(server.kept());
    }

    ZoneHealthShell(KeptSets kept) {
        this.kept = kept;
    }

    @Descriptor("Shows which checked addresses are up. Example: zone:health")
    public List<String> health() {
        return checked(set -> true, "no addresses are checked; setting check of a zone names some");
    }

    @Descriptor(
            "Shows which checked addresses of a name, or below it, are up. Example: zone:health"
                    + " www.example.org")
    public List<String> health(@Descriptor("a name or zone, e.g. www.example.org") String name) {
        Name below = name(name);
        return checked(
                set -> set.owner().subdomain(below), name + " has no addresses that are checked");
    }

    @Descriptor(
            "Shows names that have the addresses of others by setting alias. Example: zone:aliases")
    public List<String> aliases() {
        List<String> lines = kept.explain(set -> set instanceof KeptSet.Alias);
        if (lines.isEmpty()) {
            throw new IllegalArgumentException(
                    "no aliases are kept; setting alias of a zone names some");
        }
        return lines;
    }

    private List<String> checked(Predicate<KeptSet> which, String none) {
        List<String> lines = kept.explain(set -> set instanceof KeptSet.Checked && which.test(set));
        if (lines.isEmpty()) {
            throw new IllegalArgumentException(none);
        }
        return lines;
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    text + ": expected a name, for example www.example.org", e);
        }
    }
}
