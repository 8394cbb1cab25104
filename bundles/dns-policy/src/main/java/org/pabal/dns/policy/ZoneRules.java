package org.pabal.dns.policy;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.util.List;
import java.util.function.Consumer;

/// Follows the versions of a policy zone.
final class ZoneRules implements ZoneObserver {

    private static final Logger LOG = LoggerFactory.getLogger(ZoneRules.class);

    private final PolicySettings settings;
    private final Name origin;
    private final Consumer<Rules> reader;

    /// These are guarded by this object.
    private List<PolicyZone> current = List.of();

    private boolean warned;

    /// @param reader is given each version
    ZoneRules(PolicySettings settings, Name origin, Consumer<Rules> reader) {
        this.settings = settings;
        this.origin = origin;
        this.reader = reader;
    }

    /// What there is while there is no zone.
    Rules waiting() {
        return Rules.none("zone " + origin + " is not here");
    }

    /// What was there before we heard of changes; later versions stay.
    synchronized void found(Zone zone) {
        if (current.isEmpty()) {
            published(zone);
        }
    }

    @Override
    public synchronized void published(Zone zone) {
        if (zone.origin().equals(origin)) {
            take(PolicyZone.of(zone, settings.action(), settings.why()));
        }
    }

    @Override
    public synchronized void changed(Zone zone, List<ZoneChange> steps) {
        if (!zone.origin().equals(origin)) {
            return;
        }
        if (current.isEmpty()) {
            published(zone);
        } else {
            take(current.getFirst().with(zone, steps));
        }
    }

    @Override
    public synchronized void withdrawn(Name gone) {
        if (gone.equals(origin)) {
            current = List.of();
            reader.accept(waiting());
            LOG.warn("policy {}: zone {} is gone, nothing is ruled", settings.name(), origin);
        }
    }

    private void take(PolicyZone next) {
        current = List.of(next);
        reader.accept(next);
        if (next.leftOut() > 0 && !warned) {
            warned = true;
            LOG.warn(
                    "policy {}: zone {} has rules about name servers (rpz-nsdname, rpz-nsip), which"
                            + " are not obeyed",
                    settings.name(),
                    origin);
        }
    }
}
