package org.pabal.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A zone that can be served: checked once, and never changed.
///
/// Every name that exists has a node in a [NameTable], empty non-terminals too; record sets are
/// made of its octets when they are asked for. So a zone of a million names is a few large pieces
/// of memory, and the next version costs about as much as the change is long.
public final class PackedZone implements Zone {

    /// Larger sets are slow to make, because dnsjava compares each record with all others; so they
    /// are remembered.
    private static final int LARGE_SET = 16;

    private static final int MAX_REMEMBERED = 256;

    private final Name origin;
    private final byte[] originWire;
    private final NameTable table;
    private final long serial;
    private final int size;
    private final int signed;
    private final Map<Long, RRset> largeSets = new ConcurrentHashMap<>();

    /// The names in canonical order: all, and those with NSEC or NSEC3. Made when first asked for,
    /// perhaps twice at the same time, which comes out the same.
    private final CanonicalOrder[] orders;

    /// The version that [#with] made last: whoever edits a zone and whoever keeps it make the same
    /// step one after the other.
    private volatile Step last = Step.NONE;

    private record Step(WeakReference<ZoneChange> change, WeakReference<PackedZone> result) {
        static final Step NONE = new Step(new WeakReference<>(null), new WeakReference<>(null));
    }

    /// @throws IllegalArgumentException when these records are no zone that can be served; one line
    ///     for an administrator
    public PackedZone(Name origin, Collection<? extends Record> records) {
        this(origin, builder(origin).addAll(records).content(), new CanonicalOrder[ORDERS]);
    }

    private PackedZone(Name origin, Content content, CanonicalOrder[] orders) {
        this.origin = origin;
        this.originWire = origin.toWireCanonical();
        this.table = content.table();
        this.serial = content.serial();
        this.size = content.size();
        this.signed = content.signed();
        this.orders = orders;
    }

    /// @param signed how many sets make a difference to those who want DNSSEC
    private record Content(NameTable table, long serial, int size, int signed) {}

    /// This zone in packed form.
    public static PackedZone of(Zone zone) {
        if (zone instanceof PackedZone packed) {
            return packed;
        }
        Builder builder = builder(zone.origin());
        try (Stream<RRset> all = zone.all()) {
            all.forEach(set -> builder.addAll(set.rrs(false)).addAll(set.sigs()));
        }
        return builder.build();
    }

    /// A zone to be made record by record.
    public static Builder builder(Name origin) {
        return builder(origin, 0);
    }

    /// The same.
    ///
    /// @param expectedNames about how many names there will be, 0 when nobody knows: what has to
    ///     grow leaves garbage
    public static Builder builder(Name origin, int expectedNames) {
        return new Builder(origin, expectedNames);
    }

    @Override
    public Name origin() {
        return origin;
    }

    @Override
    public long serial() {
        return serial;
    }

    @Override
    public Optional<RRset> records(Name name, int type) {
        int place = place(name);
        if (place == 0) {
            return Optional.empty();
        }
        PackedName packed = packed(place);
        int set = packed.find(type);
        return set < 0 ? Optional.empty() : Optional.of(set(place, packed, nameOf(packed), set));
    }

    @Override
    public Stream<RRset> at(Name name) {
        int place = place(name);
        return place == 0 ? Stream.empty() : sets(place);
    }

    @Override
    public boolean exists(Name name) {
        return place(name) != 0;
    }

    @Override
    public Stream<RRset> all() {
        return Stream.concat(
                records(origin, Type.SOA).stream(),
                Arrays.stream(table.places())
                        .boxed()
                        .flatMap(this::sets)
                        .filter(set -> set.getType() != Type.SOA));
    }

    /// All names that exist, empty non-terminals and names below cuts too, in canonical order (RFC
    /// 4034 §6.1). Sorts the zone when nobody asked for an order before, and then never again for
    /// the versions that [#with] makes of it.
    public Stream<Name> names() {
        return order(ALL).places().mapToObj(place -> nameOf(packed(place)));
    }

    /// A name and all that exist below it, in canonical order, as [#names()].
    public Stream<Name> names(Name top) {
        if (!top.subdomain(origin)) {
            return Stream.empty();
        }
        return order(ALL)
                .from(table, key(top))
                .mapToObj(place -> nameOf(packed(place)))
                .takeWhile(name -> name.subdomain(top));
    }

    @Override
    public Optional<RRset> matchingOrCovering(Name name, int type) {
        if (type != Type.NSEC && type != Type.NSEC3) {
            return Zone.super.matchingOrCovering(name, type);
        }
        CanonicalOrder order = order(type == Type.NSEC ? NSEC : NSEC3);
        // What is not below the origin sorts before it or behind all that is.
        int place = name.subdomain(origin) ? order.atOrBefore(table, key(name)) : order.last();
        return place == 0 ? Optional.empty() : records(nameOf(packed(place)), type);
    }

    /// How many names exist, empty non-terminals too.
    public int nameCount() {
        return table.size();
    }

    /// How many records there are, signatures included.
    public int size() {
        return size;
    }

    /// Whether there is a signature or a DS record anywhere, so that an answer to a client that
    /// wants DNSSEC may differ from others.
    public boolean signed() {
        return signed > 0;
    }

    /// The places of all names for [#read], in the order in which they were written.
    public int[] places() {
        return table.places();
    }

    /// Reads the name at a place.
    public void read(int place, PackedName into) {
        into.moveTo(table.segment(place), place);
    }

    /// Reads a name.
    ///
    /// @param name in lower case and without the origin, from one octet up to another
    /// @return whether it exists
    public boolean read(byte[] name, int from, int to, PackedName into) {
        int place = table.find(hash(name, from, to), name, from, to);
        if (place != 0) {
            read(place, into);
        }
        return place != 0;
    }

    private int hash(byte[] name, int from, int to) {
        return NameHash.finish(NameHash.steps(originHash(originWire), name, from, to));
    }

    private static int originHash(byte[] originWire) {
        return NameHash.steps(0, originWire, 0, originWire.length);
    }

    private int place(Name name) {
        byte[] wire = name.toWireCanonical();
        int below = wire.length - originWire.length;
        return below < 0
                        || !Arrays.equals(
                                wire, below, wire.length, originWire, 0, originWire.length)
                ? 0
                : table.find(NameHash.of(wire, 0, wire.length), wire, 0, below);
    }

    private PackedName packed(int place) {
        PackedName packed = new PackedName();
        read(place, packed);
        return packed;
    }

    /// The name as it was written.
    private Name nameOf(PackedName packed) {
        int below = packed.nameLength();
        if (below == 0) {
            return origin;
        }
        byte[] wire = Arrays.copyOf(originWire, below + originWire.length);
        System.arraycopy(packed.octets(), packed.writtenName(), wire, 0, below);
        System.arraycopy(origin.toWire(), 0, wire, below, originWire.length);
        try {
            return new Name(wire);
        } catch (IOException e) {
            throw new IllegalStateException("zone " + origin + ": a name cannot be read", e);
        }
    }

    private Stream<RRset> sets(int place) {
        PackedName packed = packed(place);
        Name name = nameOf(packed);
        return IntStream.range(0, packed.sets()).mapToObj(set -> set(place, packed, name, set));
    }

    private RRset set(int place, PackedName packed, Name name, int set) {
        int records = packed.records(set) + packed.signatures(set);
        if (records <= LARGE_SET) {
            return made(packed, name, set);
        }
        if (largeSets.size() >= MAX_REMEMBERED) {
            largeSets.clear();
        }
        return largeSets.computeIfAbsent(
                (long) place << 16 | packed.type(set), key -> made(packed, name, set));
    }

    private static RRset made(PackedName packed, Name name, int set) {
        RRset made = new RRset();
        int at = packed.data(set);
        int type = packed.type(set);
        int records = packed.records(set);
        long ttl = packed.ttl(set) & 0xFFFF_FFFFL;
        for (int i = records + packed.signatures(set); i > 0; i--) {
            byte[] data = packed.record(at);
            made.addRR(
                    Record.newRecord(
                            name, records-- > 0 ? type : Type.RRSIG, DClass.IN, ttl, data));
            at += 2 + data.length;
        }
        return made;
    }

    private static final int ALL = 0;
    private static final int NSEC = 1;
    private static final int NSEC3 = 2;
    private static final int ORDERS = 3;
    private static final int[] ORDERED_TYPES = {0, Type.NSEC, Type.NSEC3};

    private CanonicalOrder order(int which) {
        CanonicalOrder order = orders[which];
        if (order == null) {
            PackedName packed = new PackedName();
            order =
                    CanonicalOrder.of(
                            table,
                            Arrays.stream(table.places())
                                    .filter(
                                            place -> {
                                                read(place, packed);
                                                return which == ALL
                                                        || packed.find(ORDERED_TYPES[which]) >= 0;
                                            })
                                    .toArray());
            orders[which] = order;
        }
        return order;
    }

    private byte[] key(Name name) {
        byte[] wire = name.toWireCanonical();
        return CanonicalOrder.key(wire, wire.length - originWire.length);
    }

    @Override
    public PackedZone with(ZoneChange change) {
        Step before = last;
        PackedZone made = before.result().get();
        if (made == null || before.change().get() != change) {
            try {
                made = new Editing(change).result();
            } catch (IllegalStateException e) {
                throw noRoom(origin, e);
            }
            last = new Step(new WeakReference<>(change), new WeakReference<>(made));
        }
        return made;
    }

    /// One step to the next version.
    private final class Editing {

        private final NameTable from;
        private final boolean compacted;
        private final ZoneChange change;
        private int sizeChange;
        private int signedChange;

        /// By the number of labels, so that the names above a name come after it.
        private final List<Map<Name, NameDraft>> drafts = new ArrayList<>();

        Editing(ZoneChange change) {
            this.change = change;
            this.compacted = table.wasteful();
            this.from =
                    compacted
                            ? table.compacted(
                                    place -> {
                                        PackedName packed = packed(place);
                                        return packed.length();
                                    })
                            : table;
        }

        PackedZone result() {
            NameDraft apex = draft(origin);
            apex.remove(change.from());
            for (Record record : change.removed()) {
                if (record.getName().subdomain(origin)) {
                    draft(record.getName()).remove(record);
                }
            }
            add(change.to());
            change.added().forEach(this::add);
            if (apex.count(Type.SOA) != 1) {
                throw bad(origin, "expected exactly one SOA");
            }
            requireNs(origin, apex);
            for (int labels = drafts.size() - 1; labels >= 0; labels--) {
                for (NameDraft draft : List.copyOf(drafts.get(labels).values())) {
                    settle(draft);
                }
            }
            return written();
        }

        private NameDraft draft(Name name) {
            int below = name.labels() - origin.labels();
            while (drafts.size() <= below) {
                drafts.add(new LinkedHashMap<>());
            }
            return drafts.get(below).computeIfAbsent(name, this::opened);
        }

        private NameDraft opened(Name name) {
            int place = place(name);
            if (place == 0) {
                return new NameDraft(name);
            }
            PackedName packed = packed(place);
            NameDraft draft = new NameDraft(nameOf(packed), packed);
            sizeChange -= draft.size();
            signedChange -= draft.signed();
            return draft;
        }

        private void add(Record record) {
            requireFit(origin, record);
            try {
                draft(record.getName()).add(record);
            } catch (IllegalArgumentException e) {
                throw bad(origin, e.getMessage());
            }
        }

        /// RFC 4592 §2.2.2: the names above it exist because it does.
        private void settle(NameDraft draft) {
            draft.fault().ifPresent(fault -> refuse(origin, fault));
            sizeChange += draft.size();
            signedChange += draft.signed();
            if (draft.name.equals(origin) || draft.exists() == draft.known) {
                return;
            }
            draft(new Name(draft.name, 1)).names += draft.known ? -1 : 1;
        }

        private PackedZone written() {
            NameTable.Edit edit = from.edit();
            List<NameDraft> all = drafts.stream().flatMap(each -> each.values().stream()).toList();
            int[] places = new int[all.size()];
            for (int i = 0; i < places.length; i++) {
                NameDraft draft = all.get(i);
                int below = draft.name.length() - originWire.length;
                if (draft.exists() || below == 0) {
                    places[i] = draft.write(edit, below);
                } else if (draft.known) {
                    edit.remove(draft.name.toWireCanonical(), 0, below);
                }
            }
            NameTable next = edit.done();
            CanonicalOrder[] nextOrders = new CanonicalOrder[ORDERS];
            for (int which = 0; which < ORDERS && !compacted; which++) {
                // A signed zone is asked for its chain at each edit, and mostly in a version that
                // nobody keeps: those that come after it have to inherit an order.
                if (orders[which] != null || which != ALL && signed()) {
                    nextOrders[which] = reordered(which, next, all, places);
                }
            }
            return new PackedZone(
                    origin,
                    new Content(
                            next,
                            change.to().getSerial(),
                            size + sizeChange,
                            signed + signedChange),
                    nextOrders);
        }

        private CanonicalOrder reordered(
                int which, NameTable next, List<NameDraft> all, int[] places) {
            int type = ORDERED_TYPES[which];
            List<Integer> added = new ArrayList<>();
            List<byte[]> removed = new ArrayList<>();
            for (int i = 0; i < places.length; i++) {
                NameDraft draft = all.get(i);
                boolean before = which == ALL ? draft.known : draft.had(type);
                boolean after = which == ALL ? places[i] != 0 : draft.has(type);
                if (before && !after) {
                    removed.add(key(draft.name));
                } else if (after && !before) {
                    added.add(places[i]);
                }
            }
            return order(which).with(next, added, removed);
        }
    }

    /// Whether a record may be in a zone at all.
    private static void requireFit(Name origin, Record record) {
        Name name = record.getName();
        if (!name.subdomain(origin)) {
            throw bad(origin, name + " does not belong to it");
        }
        if (record.getDClass() != DClass.IN) {
            throw bad(
                    origin,
                    name
                            + " "
                            + Type.string(record.getType())
                            + ": class "
                            + DClass.string(record.getDClass())
                            + ", expected IN");
        }
        // RFC 6895 §3.1: 128 to 255 are for questions, OPT and NULL for messages
        int type = record.getRRsetType();
        if (type == 0 || type >= 128 && type < 256 || type == Type.OPT || type == Type.NULL) {
            throw bad(origin, name + " " + Type.string(type) + ": no type for a zone");
        }
        if (type == Type.SOA && !name.equals(origin)) {
            throw bad(origin, name + " has an SOA: expected one at " + origin + " only");
        }
    }

    private static void requireNs(Name origin, NameDraft apex) {
        if (!apex.has(Type.NS)) {
            // RFC 1034 §4.2.1
            throw bad(origin, "expected an NS record of the zone itself, for example @ NS ns1");
        }
    }

    private static void refuse(Name origin, String what) {
        throw bad(origin, what);
    }

    /// A limit of [NameTable], or no more memory.
    private static IllegalArgumentException noRoom(Name origin, IllegalStateException e) {
        return new IllegalArgumentException("zone " + origin + ": " + e.getMessage(), e);
    }

    private static IllegalArgumentException bad(Name origin, String what) {
        return new IllegalArgumentException("zone " + origin + ": " + what);
    }

    /// A zone that is being made record by record, by one thread: what a loader or a transfer
    /// brings need not be kept as objects. Records of one name that come together are taken
    /// fastest.
    public static final class Builder {

        private final Name origin;
        private final byte[] originWire;
        private final NameTable.Edit table;
        private final PackedName packed = new PackedName();

        /// What is wrong with a name may be put right by a record that is yet to come.
        private final Set<Name> faulty = new LinkedHashSet<>();

        private NameDraft current;
        private int size;
        private int signed;

        private Builder(Name origin, int expectedNames) {
            this.origin = origin;
            this.originWire = origin.toWireCanonical();
            this.table = NameTable.building(originHash(originWire), expectedNames);
            this.current = new NameDraft(origin);
        }

        /// @throws IllegalArgumentException when the zone cannot have this record; one line for an
        ///     administrator
        public Builder add(Record record) {
            requireFit(origin, record);
            if (!record.getName().equals(current.name)) {
                try {
                    write();
                } catch (IllegalStateException e) {
                    throw noRoom(origin, e);
                }
                open(record.getName());
            }
            try {
                current.add(record);
            } catch (IllegalArgumentException e) {
                throw bad(origin, e.getMessage());
            }
            return this;
        }

        public Builder addAll(Iterable<? extends Record> records) {
            records.forEach(this::add);
            return this;
        }

        /// How many records it has, without those that came twice.
        public int size() {
            return size + current.size();
        }

        /// @throws IllegalArgumentException when this is no zone that can be served; one line for
        ///     an administrator
        public PackedZone build() {
            return new PackedZone(origin, content(), new CanonicalOrder[ORDERS]);
        }

        private Content content() {
            try {
                return checked();
            } catch (IllegalStateException e) {
                throw noRoom(origin, e);
            }
        }

        private void open(Name name) {
            current = draft(name);
            size -= current.size();
            signed -= current.signed();
        }

        private NameDraft draft(Name name) {
            int place = table.find(name.toWireCanonical(), 0, below(name));
            if (place == 0) {
                return new NameDraft(name);
            }
            packed.moveTo(table.segment(place), place);
            return new NameDraft(name, packed);
        }

        private int below(Name name) {
            return name.length() - originWire.length;
        }

        private void write() {
            current.write(table, below(current.name));
            size += current.size();
            signed += current.signed();
            if (current.fault().isPresent()) {
                faulty.add(current.name);
            }
            if (!current.known) {
                countAbove(current.name);
            }
        }

        /// The names above a new one: RFC 4592 §2.2.2, empty non-terminals exist.
        private void countAbove(Name name) {
            Name above = name;
            boolean known = above.equals(origin);
            while (!known) {
                above = new Name(above, 1);
                int place = table.find(above.toWireCanonical(), 0, below(above));
                known = place != 0;
                if (known) {
                    ByteBuffer segment = table.segment(place);
                    packed.moveTo(segment, place);
                    int at = NameTable.at(place) + packed.namesAt();
                    segment.putInt(at, segment.getInt(at) + 1);
                } else {
                    NameDraft empty = new NameDraft(above);
                    empty.names = 1;
                    empty.write(table, below(above));
                }
            }
        }

        private Content checked() {
            write();
            NameDraft apex = draft(origin);
            if (apex.count(Type.SOA) != 1) {
                throw bad(origin, "expected exactly one SOA");
            }
            requireNs(origin, apex);
            for (Name name : faulty) {
                draft(name).fault().ifPresent(fault -> refuse(origin, fault));
            }
            int place = table.find(originWire, 0, 0);
            packed.moveTo(table.segment(place), place);
            SOARecord soa = (SOARecord) made(packed, origin, packed.find(Type.SOA)).first();
            return new Content(table.done(), soa.getSerial(), size, signed);
        }
    }
}
