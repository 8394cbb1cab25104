package org.pabal.dns.authoritative;

import org.pabal.dns.NameHash;
import org.pabal.dns.NameTable;
import org.pabal.dns.PackedName;
import org.pabal.dns.PackedZone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.server.BigEndian;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// Lays names of a zone out as nodes of a [WireZone]: all of them, or those that a change touches.
final class ZoneLayout {

    /// The largest node; what does not fit into it is left to the readable path.
    private static final int MAX_NODE = 60_000;

    private final PackedZone zone;
    private final byte[] origin;
    private final WireImage images;
    private final PackedName above = new PackedName();

    /// The name that is being laid out, whole and in lower case.
    private final byte[] name = new byte[256];

    private final byte[] node = new byte[MAX_NODE];

    /// Names come in an order in which many have the same name above them.
    private final byte[] lastAbove = new byte[256];

    private int lastAboveLength = -1;
    private int flagsBelowLast;

    private ZoneLayout(PackedZone zone) {
        this.zone = zone;
        this.origin = zone.origin().toWireCanonical();
        this.images = new WireImage(origin);
    }

    static NameTable of(PackedZone zone) {
        ZoneLayout layout = new ZoneLayout(zone);
        int hash = NameHash.steps(0, layout.origin, 0, layout.origin.length);
        NameTable.Edit table = NameTable.building(hash, zone.nameCount());
        PackedName packed = new PackedName();
        for (int place : zone.places()) {
            zone.read(place, packed);
            if (isName(packed)) {
                layout.put(packed, table);
            }
        }
        return table.done();
    }

    /// The layout of the version that comes after some steps.
    ///
    /// @param before the layout of the version before them
    static NameTable of(PackedZone zone, List<ZoneChange> steps, NameTable before) {
        ZoneLayout layout = new ZoneLayout(zone);
        Set<Name> names = new LinkedHashSet<>(Set.of(zone.origin()));
        for (ZoneChange step : steps) {
            for (List<Record> records : List.of(step.removed(), step.added())) {
                for (Record record : records) {
                    layout.addWithAbove(record.getName(), names);
                }
            }
        }
        NameTable.Edit table = before.edit();
        PackedName packed = new PackedName();
        for (Name name : names) {
            if (layout.replace(name, packed, before, table)) {
                // Authority over what is below has come or gone.
                try (Stream<Name> below = zone.names(name)) {
                    Iterator<Name> each = below.skip(1).iterator();
                    while (each.hasNext()) {
                        layout.replace(each.next(), packed, before, table);
                    }
                }
            }
        }
        return table.done();
    }

    /// Names above come and go with a name, and know of a wildcard below them.
    private void addWithAbove(Name name, Set<Name> names) {
        if (name.subdomain(zone.origin())) {
            for (Name each = name; names.add(each); each = new Name(each, 1)) {
                continue;
            }
        }
    }

    /// Returns whether names below it have to be laid out again too.
    private boolean replace(Name each, PackedName packed, NameTable before, NameTable.Edit table) {
        byte[] wire = each.toWireCanonical();
        int below = wire.length - origin.length;
        int there = before.find(NameHash.of(wire, 0, wire.length), wire, 0, below);
        int flagsBefore =
                there == 0
                        ? 0
                        : before.segment(there).get(NameTable.at(there) + 1) & WireZone.AUTHORITY;
        if (zone.read(wire, 0, below, packed) && isName(packed)) {
            put(packed, table);
            return packed.names() > 0 && (node[1] & WireZone.AUTHORITY) != flagsBefore;
        }
        if (there != 0) {
            table.remove(wire, 0, below);
        }
        return false;
    }

    /// RFC 5155 §7.2.8: the owner of NSEC3 records alone is no name.
    private static boolean isName(PackedName packed) {
        return packed.names() > 0 || packed.sets() != 1 || packed.type(0) != Type.NSEC3;
    }

    private void put(PackedName packed, NameTable.Edit table) {
        int below = packed.nameLength();
        byte[] octets = packed.octets();
        System.arraycopy(octets, NameTable.NAME, name, 0, below);
        System.arraycopy(origin, 0, name, below, origin.length);
        int flags = below == 0 ? 0 : flagsBelow(name, 1 + name[0], below);
        boolean authority = (flags & (WireZone.OCCLUDED | WireZone.HIDDEN)) == 0;
        int servers = below == 0 ? -1 : packed.find(Type.NS);
        flags |= servers >= 0 ? WireZone.CUT : 0;
        flags |= packed.find(Type.CNAME) >= 0 ? WireZone.ALIAS : 0;
        flags |= packed.find(Type.DNAME) >= 0 ? WireZone.REDIRECTS : 0;
        flags |= packed.names() > 0 && hasWildcard(below) ? WireZone.WILDCARD : 0;
        node[0] = (byte) below;
        node[1] = (byte) flags;
        System.arraycopy(name, 0, node, NameTable.NAME, below);

        // The name of a wildcard is *.PARENT; what it answers is for names that end with PARENT.
        boolean wild = below >= 2 && name[0] == 1 && name[1] == '*';
        images.under(name, wild ? 2 : 0, below + origin.length);

        boolean special = below == 0 || servers >= 0 && authority;
        int count = special ? 1 : 0;
        boolean whole = authority && servers < 0;
        for (int set = 0; set < packed.sets(); set++) {
            count += kept(packed.type(set), whole) ? 1 : 0;
        }
        int entry = NameTable.NAME + below;
        BigEndian.SHORT.set(node, entry, (short) count);
        entry += 2;
        int at = entry + WireZone.ENTRY * count;
        for (int set = 0; set < packed.sets(); set++) {
            int type = packed.type(set);
            if (kept(type, whole)) {
                int end = isLeft(type) ? WireImage.NONE : images.answer(packed, set, node, at);
                at = entry(entry, type, at, end);
                entry += WireZone.ENTRY;
            }
        }
        if (special) {
            images.under(name, 0, below + origin.length);
            int end =
                    below == 0
                            ? images.negative(packed, packed.find(Type.SOA), node, at)
                            : images.referral(packed, servers, node, at);
            at = entry(entry, WireZone.NO_TYPE, at, end);
        }
        table.put(node, at);
    }

    /// At a cut, below it, and below a DNAME only addresses are of use: as glue.
    private static boolean kept(int type, boolean whole) {
        return whole && type != Type.NSEC3 || type == Type.A || type == Type.AAAA;
    }

    /// Types that are seldom asked for or need more than one look are left to the readable path.
    private static boolean isLeft(int type) {
        return type == Type.NSEC || type == Type.DS || type == Type.SVCB || type == Type.HTTPS;
    }

    private int entry(int entry, int type, int start, int end) {
        BigEndian.SHORT.set(node, entry, (short) type);
        BigEndian.SHORT.set(
                node, entry + 2, (short) (end == WireImage.NONE ? WireZone.NO_IMAGE : start));
        return end == WireImage.NONE ? start : end;
    }

    private boolean hasWildcard(int below) {
        byte[] wildcard = new byte[below + 2];
        wildcard[0] = 1;
        wildcard[1] = '*';
        System.arraycopy(name, 0, wildcard, 2, below);
        return below + 2 < 255 && zone.read(wildcard, 0, wildcard.length, above);
    }

    /// Whether names below a name lie below a cut or a DNAME.
    private int flagsBelow(byte[] name, int from, int to) {
        if (lastAboveLength == to - from
                && Arrays.equals(lastAbove, 0, lastAboveLength, name, from, to)) {
            return flagsBelowLast;
        }
        int flags = from == to ? 0 : flagsBelow(name, from + 1 + name[from], to);
        if (zone.read(name, from, to, above)) {
            flags |= from < to && above.find(Type.NS) >= 0 ? WireZone.OCCLUDED : 0;
            flags |= above.find(Type.DNAME) >= 0 ? WireZone.HIDDEN : 0;
        }
        lastAboveLength = to - from;
        System.arraycopy(name, from, lastAbove, 0, lastAboveLength);
        flagsBelowLast = flags;
        return flags;
    }
}
