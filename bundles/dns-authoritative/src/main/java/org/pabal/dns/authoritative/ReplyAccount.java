package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.RateLimit;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;

import java.util.Optional;

/// To which account of the [RateLimit] an answer of the readable path is charged: to the same as
/// one of [WireLookup].
final class ReplyAccount {

    private ReplyAccount() {}

    /// @param reply a whole message
    static int kind(byte[] reply) {
        boolean answers = (reply[6] | reply[7]) != 0;
        boolean authoritative = (reply[2] & 0x04) != 0;
        return switch (reply[3] & 0xF) {
            case Rcode.NXDOMAIN -> RateLimit.NO_NAME;
            case Rcode.NOERROR -> {
                if (answers) {
                    yield RateLimit.POSITIVE;
                }
                yield authoritative ? RateLimit.NO_DATA : RateLimit.REFERRAL;
            }
            default -> RateLimit.ERROR;
        };
    }

    /// The hash of what all such answers have in common. Names that a wildcard makes have their
    /// closest encloser, and what is in no zone has nothing: a client cannot choose among accounts
    /// by making up names.
    static int name(ServedZones zones, Query query, int kind) {
        if (kind == RateLimit.ERROR || query.question().isEmpty()) {
            return 0;
        }
        Optional<Zone> zone = zones.nearest(query.name(), query.type());
        if (zone.isEmpty()) {
            return 0;
        }
        Name name = kind == RateLimit.NO_NAME ? zone.get().origin() : query.name();
        while (!zone.get().exists(name) && name.labels() > 1) {
            name = new Name(name, 1);
        }
        return WireName.hash(name.toWireCanonical());
    }
}
