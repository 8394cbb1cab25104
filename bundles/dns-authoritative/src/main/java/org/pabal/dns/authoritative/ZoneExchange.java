package org.pabal.dns.authoritative;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneFreshness;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;

import java.time.InstantSource;
import java.util.stream.Stream;

/// The doorway for zones that come from other servers, and for telling others of ours.
@Component(service = ZoneObserver.class, immediate = true)
public final class ZoneExchange implements ZoneObserver {

    private final AuthoritativeServer server;
    private final ExchangeWork work;

    @Activate
    public ZoneExchange(
            @Reference ZoneStore store,
            @Reference ZoneFreshness freshness,
            @Reference InstantSource clock,
            @Reference AuthoritativeServer server) {
        this.server = server;
        this.work =
                new ExchangeWork(
                        store,
                        freshness,
                        clock,
                        server::administration,
                        server.editor(),
                        server::unavailable);
        server.notifies(work::notifies);
        server.editor().transferred(work.secondaries());
        work.start();
    }

    @Deactivate
    public void stop() {
        server.editor().transferred(Transferred.NONE);
        server.notifies(
                replies ->
                        request ->
                                Stream.of(
                                        replies.write(
                                                request.query(),
                                                Answer.bare(Rcode.NOTIMP),
                                                request.stream())));
        work.close();
    }

    @Override
    public void published(Zone current) {
        work.changed(current);
    }

    @Override
    public void withdrawn(Name origin) {
        work.withdrawn(origin);
    }
}
