package org.pabal.dns.server;

import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TcpKeepaliveOption;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Decides on the readable path what is answered to the options of a query. A fast path may
/// know cookies itself and leave the others to us.
public final class EdnsAnswering {

    /// RFC 7828 §3.1: the time-out has 16 bits of 100 ms.
    private static final Duration MAX_KEEPALIVE = Duration.ofMillis(100L * 0xFFFF);

    private final Edges edges;
    private final EDNSOption keepalive;

    public EdnsAnswering(Edges edges) {
        this.edges = edges;
        Duration idle = edges.settings.tcpIdle();
        this.keepalive =
                new TcpKeepaliveOption(idle.compareTo(MAX_KEEPALIVE) > 0 ? MAX_KEEPALIVE : idle);
    }

    /// The query together with what goes into our OPT record, and with a fault when one of its
    /// options is one.
    ///
    /// @param address the client's
    /// @param transport one of [Statistics]
    public Query considered(Query query, ByteBuffer address, int transport) {
        if (query.edns().isEmpty()) {
            return query;
        }
        EdnsOptions asked = query.edns().get().options();
        int fault = query.fault();
        List<EDNSOption> options = new ArrayList<>();
        boolean known = false;
        if (asked.cookie().isPresent()) {
            int now = edges.tick.seconds();
            byte[] cookie = asked.cookie().get();
            byte[] scratch = new byte[ServerCookies.SCRATCH];
            int verdict = edges.cookies.check(cookie, 0, cookie.length, scratch, 0, address, now);
            edges.statistics.cookie(verdict);
            known = verdict >= ServerCookies.AGEING;
            if (verdict == ServerCookies.MALFORMED) {
                fault = formerr(fault); // RFC 7873 §5.2.2
            } else {
                ByteBuffer out = ByteBuffer.allocate(ServerCookies.LENGTH);
                edges.cookies.put(cookie, 0, verdict, scratch, 0, address, now, out);
                options.add(new GenericEDNSOption(EdnsOptions.COOKIE, out.array()));
                boolean shown = cookie.length > 8;
                if (query.cookieOnly()) {
                    // RFC 7873 §5.4: a query for nothing but a cookie
                    fault = known || !shown ? Rcode.NOERROR : Rcode.BADCOOKIE;
                } else if (fault == Rcode.NOERROR
                        && !known
                        && edges.settings.requireCookies()
                        && transport == Statistics.UDP) {
                    fault = Rcode.BADCOOKIE; // RFC 7873 §5.2.3, §5.2.4
                }
            }
        }
        if (asked.nsid()) {
            edges.settings.nsid().ifPresent(options::add);
        }
        if (transport != Statistics.UDP && asked.keepalive().isPresent()) {
            // RFC 7828 §3.2.1: no value in a query; §3.3.1: over UDP it is ignored
            if (asked.keepalive().get() == 0) {
                options.add(keepalive);
            } else {
                fault = formerr(fault);
            }
        }
        // RFC 7830 §4, §6: only where it hides something
        boolean padded = transport == Statistics.TLS && asked.padding();
        return query.answering(new EdnsOptions.Answered(options, padded, known), fault);
    }

    private static int formerr(int fault) {
        return fault == Rcode.NOERROR ? Rcode.FORMERR : fault;
    }
}
