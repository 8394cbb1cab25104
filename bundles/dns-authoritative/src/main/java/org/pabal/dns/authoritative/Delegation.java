package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.stream.Collectors;

/// A name server for a new domain, as a registrar enters it at the parent: one NS, and its
/// addresses as glue when it is below the parent (RFC 1034 §4.2.1).
///
/// The NS comes beside those that the child has. Addresses of a server below the child take the
/// place of those it has there; a server elsewhere in the parent's zone keeps what it has.
record Delegation(Name child, Name server, List<InetAddress> addresses) {

    private static final long TTL = 86_400;

    /// @throws IllegalArgumentException when it would lead nowhere; one line for an administrator
    Delegation {
        addresses = List.copyOf(addresses);
        if (child.labels() < 2) {
            throw new IllegalArgumentException(child + ": has no parent");
        }
        if (server.subdomain(child) && addresses.isEmpty()) {
            throw new IllegalArgumentException(
                    server
                            + " is below "
                            + child
                            + " and cannot be found without an address; expected for example"
                            + " zone:delegate "
                            + child
                            + " "
                            + server
                            + " 192.0.2.1");
        }
    }

    /// Writes it into a zone of ours.
    Zone enter(ZoneEditor editor, Name parent) throws IOException {
        return editor.edit(
                parent,
                current -> {
                    ZoneEdit edit = new ZoneEdit(current);
                    edit.add(ns(ttl(edit, child, Type.NS)));
                    if (glueBelongsTo(parent)) {
                        if (server.subdomain(child)) {
                            edit.remove(server, Type.A);
                            edit.remove(server, Type.AAAA);
                        }
                        addresses.stream()
                                .map(address -> address(address, ttl(edit, server, type(address))))
                                .forEach(edit::add);
                    }
                    return edit.change();
                });
    }

    /// The same for the primary of a zone that is not ours (RFC 2136).
    Update update(Name parent) {
        Update update = new Update(parent);
        update.add(ns(TTL));
        if (glueBelongsTo(parent)) {
            if (server.subdomain(child)) {
                update.delete(server, Type.A);
                update.delete(server, Type.AAAA);
            }
            addresses.forEach(address -> update.add(address(address, TTL)));
        }
        return update;
    }

    /// What was done, in one line.
    String told(Name parent) {
        String text = child + " NS " + server;
        if (addresses.isEmpty()) {
            return text;
        }
        String list =
                addresses.stream()
                        .map(InetAddress::getHostAddress)
                        .collect(Collectors.joining(" "));
        return text
                + (glueBelongsTo(parent)
                        ? ", its addresses " + list
                        : "; its addresses belong into its own zone and were not written");
    }

    private boolean glueBelongsTo(Name parent) {
        return server.subdomain(parent);
    }

    private Record ns(long ttl) {
        return new NSRecord(child, DClass.IN, ttl, server);
    }

    private Record address(InetAddress address, long ttl) {
        return type(address) == Type.A
                ? new ARecord(server, DClass.IN, ttl, address)
                : new AAAARecord(server, DClass.IN, ttl, address);
    }

    private static int type(InetAddress address) {
        return address instanceof Inet4Address ? Type.A : Type.AAAA;
    }

    /// RFC 2181 §5.2: what comes beside others has their TTL.
    private static long ttl(ZoneEdit edit, Name name, int type) {
        List<Record> there = edit.records(name, type);
        return there.isEmpty() ? TTL : there.getFirst().getTTL();
    }
}
