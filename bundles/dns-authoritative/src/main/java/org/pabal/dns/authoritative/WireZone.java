package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// One zone version laid out for [WireLookup]: its nodes by name, and for each what a question
/// there is answered with.
///
/// All of it is one array of octets and one hash table of indices. A node is
///
/// ```
/// 0  u8   length of its name          2  u32  image of the referral that answers here and below, 0: we have authority
/// 1  u8   flags                       6  u32  the node of the wildcard below, 0: there is none
/// 10 u16  number of types             12 name in lower case; then for each type, ascending: u16 type, u32 image
/// ```
final class WireZone {

    /// The node has a CNAME, which answers for the types that it does not have.
    static final int ALIAS = 1;

    /// The node has a DNAME, which answers for what is below it.
    static final int REDIRECTS = 2;

    /// The node lies below a DNAME.
    static final int HIDDEN = 4;

    private static final int HEAD = 12;
    private static final int ENTRY = 6;

    private final byte[] arena;
    private final long[] table;
    private final int negative;
    private final boolean signed;
    private volatile AnswerPolicy policy = AnswerPolicy.PLAIN;

    private WireZone(byte[] arena, long[] table, int negative, boolean signed) {
        this.arena = arena;
        this.table = table;
        this.negative = negative;
        this.signed = signed;
    }

    byte[] arena() {
        return arena;
    }

    /// What the administrator set and what we learned since the zone was laid out.
    AnswerPolicy policy() {
        return policy;
    }

    void policy(AnswerPolicy next) {
        policy = next;
    }

    /// The image of NODATA and NXDOMAIN: the SOA.
    int negative() {
        return negative;
    }

    /// Whether an answer to a client that wants DNSSEC differs from others.
    boolean signed() {
        return signed;
    }

    /// The node of a name in lower-case wire form, or 0.
    int find(int hash, byte[] name, int from, int to) {
        int mask = table.length - 1;
        for (int slot = hash & mask; ; slot = slot + 1 & mask) {
            long entry = table[slot];
            if (entry == 0) {
                return 0;
            }
            int node = (int) entry;
            if ((int) (entry >>> 32) == hash
                    && (arena[node] & 0xFF) == to - from
                    && Arrays.equals(arena, node + HEAD, node + HEAD + to - from, name, from, to)) {
                return node;
            }
        }
    }

    int flags(int node) {
        return arena[node + 1];
    }

    int referral(int node) {
        return (int) Arena.INT.get(arena, node + 2);
    }

    int wildcard(int node) {
        return (int) Arena.INT.get(arena, node + 6);
    }

    /// The image for a type, 0 when the node does not have it, or [WireImage#NONE].
    int image(int node, int type) {
        int entry = node + HEAD + (arena[node] & 0xFF);
        int end = entry + ENTRY * types(node);
        for (; entry < end; entry += ENTRY) {
            if (((short) Arena.SHORT.get(arena, entry) & 0xFFFF) == type) {
                return (int) Arena.INT.get(arena, entry + 2);
            }
        }
        return 0;
    }

    /// The types that a name has, ascending.
    IntStream types(Name name) {
        byte[] wire = name.toWireCanonical();
        int node = find(WireName.hash(wire), wire, 0, wire.length);
        if (node == 0) {
            return IntStream.empty();
        }
        int first = node + HEAD + wire.length;
        return IntStream.range(0, types(node))
                .map(i -> (short) Arena.SHORT.get(arena, first + ENTRY * i) & 0xFFFF);
    }

    private int types(int node) {
        return (short) Arena.SHORT.get(arena, node + 10) & 0xFFFF;
    }

    /// Lays a zone out. Takes about as long as answering one query for each of its record sets.
    static WireZone of(Zone zone) {
        return new Builder(zone).build();
    }

    /// A node before it has its place.
    private static final class Draft {
        private final Name name;
        private final Optional<Draft> parent;
        private RRset[] sets = {};
        private int place;

        /// The highest cut at or above this node, if any.
        private Optional<Draft> cut = Optional.empty();

        private boolean hidden;
        private int referral;

        Draft(Name name, Optional<Draft> parent) {
            this.name = name;
            this.parent = parent;
        }

        boolean has(int type) {
            for (RRset set : sets) {
                if (set.getType() == type) {
                    return true;
                }
            }
            return false;
        }

        void add(RRset set) {
            sets = Arrays.copyOf(sets, sets.length + 1);
            sets[sets.length - 1] = set;
        }
    }

    private static final class Builder {

        private final Zone zone;
        private final Zones alone;
        private final Map<Name, Draft> drafts = new HashMap<>();

        /// Parents before their children.
        private final List<Draft> order = new ArrayList<>();

        private final Arena arena = new Arena(4096);
        private final WireImage images = new WireImage(arena);
        private boolean signed;

        Builder(Zone zone) {
            this.zone = zone;
            this.alone = (name, type) -> Optional.of(zone).filter(z -> name.subdomain(z.origin()));
        }

        WireZone build() {
            arena.take(1); // so that no place is 0
            draft(zone.origin());
            zone.all().forEach(this::take);
            int negative =
                    images.append(
                            zone.origin(),
                            zone.origin(),
                            new Answer(
                                    Rcode.NOERROR,
                                    true,
                                    List.of(),
                                    List.of(ZoneLookup.negativeSoa(zone)),
                                    List.of(),
                                    List.of(),
                                    List.of()));
            order.forEach(this::inherit);
            order.forEach(this::place);
            for (Draft draft : order) {
                // The name of a wildcard is *.PARENT and nothing else (RFC 4592 §2.1.1).
                if (draft.name.isWild()) {
                    draft.parent.ifPresent(parent -> arena.setInt(parent.place + 6, draft.place));
                }
            }
            byte[] octets = arena.trimmed();
            return new WireZone(octets, table(octets), negative, signed);
        }

        private void take(RRset set) {
            signed |= set.sigSize() > 0 || set.size() > 0 && set.getType() == Type.DS;
            // RFC 5155 §7.2.8: the owner of an NSEC3 record is no name.
            if (set.size() > 0
                    && set.getType() != Type.NSEC3
                    && set.getName().subdomain(zone.origin())) {
                draft(set.getName()).add(set);
            }
        }

        /// Also makes the empty non-terminals above a name (RFC 4592 §2.2.2).
        private Draft draft(Name name) {
            Draft known = drafts.get(name);
            if (known != null) {
                return known;
            }
            Draft made =
                    new Draft(
                            name,
                            name.equals(zone.origin())
                                    ? Optional.empty()
                                    : Optional.of(draft(new Name(name, 1))));
            drafts.put(name, made);
            order.add(made);
            return made;
        }

        private void inherit(Draft draft) {
            if (draft.parent.isEmpty()) {
                return;
            }
            Draft parent = draft.parent.get();
            draft.hidden = parent.hidden || parent.has(Type.DNAME);
            draft.cut = parent.cut;
            if (draft.cut.isEmpty() && draft.has(Type.NS)) {
                draft.cut = Optional.of(draft);
                if (!draft.hidden) {
                    draft.referral =
                            images.append(
                                    draft.name,
                                    draft.name,
                                    ZoneLookup.find(
                                            alone, draft.name, Type.A, false)); // any type but DS
                }
            }
        }

        private void place(Draft draft) {
            boolean ours = draft.cut.isEmpty() && !draft.hidden;
            Arrays.sort(draft.sets, Comparator.comparingInt(RRset::getType));
            int[] places = new int[draft.sets.length];
            Name base = draft.name.isWild() ? new Name(draft.name, 1) : draft.name;
            for (int i = 0; i < places.length; i++) {
                places[i] =
                        ours
                                ? images.append(
                                        base, draft.name, ZoneLookup.direct(zone, draft.sets[i]))
                                : WireImage.NONE;
            }
            byte[] name = draft.name.toWireCanonical();
            int node = arena.take(HEAD);
            draft.place = node;
            arena.setByte(node, name.length);
            arena.setByte(
                    node + 1,
                    (draft.has(Type.CNAME) ? ALIAS : 0)
                            | (draft.has(Type.DNAME) ? REDIRECTS : 0)
                            | (draft.hidden ? HIDDEN : 0));
            arena.setInt(node + 2, draft.cut.map(cut -> cut.referral).orElse(0));
            arena.setInt(node + 6, 0);
            arena.setShort(node + 10, places.length);
            arena.append(name, 0, name.length);
            for (int i = 0; i < places.length; i++) {
                arena.appendShort(draft.sets[i].getType());
                arena.appendInt(places[i]);
            }
        }

        private long[] table(byte[] octets) {
            // At most half full, so that a name that is not there costs one or two looks.
            long[] slots = new long[Integer.highestOneBit(Math.max(8, order.size() - 1)) << 2];
            int mask = slots.length - 1;
            for (Draft draft : order) {
                int hash = WireName.hash(draft.name.toWireCanonical());
                int slot = hash & mask;
                while (slots[slot] != 0) {
                    slot = slot + 1 & mask;
                }
                slots[slot] = (long) hash << 32 | draft.place;
            }
            return slots;
        }
    }
}
