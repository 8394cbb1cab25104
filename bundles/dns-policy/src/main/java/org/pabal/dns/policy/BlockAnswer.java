package org.pabal.dns.policy;

import org.pabal.dns.Ruling;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;

/// What clients are told of a name that a list blocks.
sealed interface BlockAnswer {

    /// Short, so that who has been let through after all need not wait.
    long TTL = 60;

    /// That it does not exist.
    record NoName() implements BlockAnswer {}

    /// That it exists and has no records.
    record NoRecord() implements BlockAnswer {}

    /// That it has these addresses, and no other records.
    record Addresses(List<InetAddress> addresses) implements BlockAnswer {
        public Addresses {
            addresses = List.copyOf(addresses);
        }
    }

    default Ruling ruling(Name name, int type, String why) {
        return switch (this) {
            case NoName no -> new Ruling.NoName(why);
            case NoRecord no -> new Ruling.NoRecord(why);
            case Addresses(List<InetAddress> addresses) -> instead(addresses, name, type, why);
        };
    }

    private static Ruling instead(List<InetAddress> addresses, Name name, int type, String why) {
        RRset set = new RRset();
        for (InetAddress address : addresses) {
            Record record =
                    address instanceof Inet4Address
                            ? new ARecord(name, DClass.IN, TTL, address)
                            : new AAAARecord(name, DClass.IN, TTL, address);
            boolean first = type == Type.ANY && set.isEmpty();
            if (record.getType() == type
                    || first
                    || type == Type.ANY && record.getType() == set.getType()) {
                set.addRR(record);
            }
        }
        return set.isEmpty() ? new Ruling.NoRecord(why) : new Ruling.Instead(set, why);
    }
}
