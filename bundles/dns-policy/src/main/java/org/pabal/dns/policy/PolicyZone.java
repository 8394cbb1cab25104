package org.pabal.dns.policy;

import org.pabal.dns.NameTable;
import org.pabal.dns.PackedName;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Ruling;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// One version of a response policy zone (draft-vixie-dnsop-dns-rpz).
///
/// Names are looked for in the zone itself, so that nothing has to be prepared for a new version;
/// only those that stand for networks are kept beside it.
///
/// A zone's triggers are tried in the order of the draft: the client's address, the name; of an
/// answer the names that its aliases lead to, then its addresses.
final class PolicyZone implements Rules {

    private static final byte[] CLIENTS = label("rpz-client-ip");
    private static final byte[] ADDRESSES = label("rpz-ip");
    private static final byte[] SERVERS = label("rpz-nsdname");
    private static final byte[] SERVER_ADDRESSES = label("rpz-nsip");
    private static final Name NO_NAME = Name.root;
    private static final Name NO_RECORD = Name.fromConstantString("*.");
    private static final Name PASS = Name.fromConstantString("rpz-passthru.");
    private static final Name DROP = Name.fromConstantString("rpz-drop.");
    private static final Name OVER_TCP = Name.fromConstantString("rpz-tcp-only.");
    private static final Set<Integer> SIGNING =
            Set.of(Type.RRSIG, Type.NSEC, Type.NSEC3, Type.NSEC3PARAM, Type.DNSKEY);

    private final PackedZone zone;
    private final byte[] originWire;
    private final Action action;
    private final String why;
    private final AddressTriggers clients;
    private final AddressTriggers addresses;
    private final int leftOut;

    private PolicyZone(
            PackedZone zone,
            Action action,
            String why,
            AddressTriggers clients,
            AddressTriggers addresses,
            int leftOut) {
        this.zone = zone;
        this.originWire = zone.origin().toWire();
        this.action = action;
        this.why = why;
        this.clients = clients;
        this.addresses = addresses;
        this.leftOut = leftOut;
    }

    /// @param why for clients
    static PolicyZone of(Zone zone, Action action, String why) {
        PackedZone packed = PackedZone.of(zone);
        List<Name> clients = new ArrayList<>();
        List<Name> addresses = new ArrayList<>();
        int leftOut = 0;
        PackedName name = new PackedName();
        for (int place : packed.places()) {
            packed.read(place, name);
            if (name.sets() == 0) {
                continue; // only names below it have records
            }
            if (ends(name, CLIENTS)) {
                clients.add(owner(name, packed.origin()));
            } else if (ends(name, ADDRESSES)) {
                addresses.add(owner(name, packed.origin()));
            } else if (ends(name, SERVERS) || ends(name, SERVER_ADDRESSES)) {
                leftOut++;
            }
        }
        return new PolicyZone(
                packed,
                action,
                why,
                triggers(AddressTriggers.NONE, clients, packed),
                triggers(AddressTriggers.NONE, addresses, packed),
                leftOut);
    }

    /// The next version, at about the cost of what changes.
    ///
    /// @param current to which the steps lead
    PolicyZone with(Zone current, List<ZoneChange> steps) {
        if (steps.getFirst().from().getSerial() != zone.serial()) {
            return of(current, action, why);
        }
        PackedZone packed = PackedZone.of(current);
        Set<Name> clientNames = new LinkedHashSet<>();
        Set<Name> addressNames = new LinkedHashSet<>();
        int more = 0;
        for (ZoneChange step : steps) {
            for (Record record : step.removed()) {
                sort(record, clientNames, addressNames);
            }
            for (Record record : step.added()) {
                more += sort(record, clientNames, addressNames) ? 0 : 1;
            }
        }
        return new PolicyZone(
                packed,
                action,
                why,
                triggers(clients, clientNames, packed),
                triggers(addresses, addressNames, packed),
                leftOut + more);
    }

    private static AddressTriggers triggers(
            AddressTriggers before, Iterable<Name> changed, PackedZone zone) {
        List<Name> names = new ArrayList<>();
        changed.forEach(names::add);
        return before.with(
                names, 1 + zone.origin().labels(), name -> zone.at(name).findAny().isPresent());
    }

    /// @return whether it is of a kind that can be obeyed
    private boolean sort(Record record, Set<Name> clientNames, Set<Name> addressNames) {
        byte[] wire = record.getName().toWireCanonical();
        int end = wire.length - originWire.length;
        if (ends(wire, 0, end, CLIENTS)) {
            clientNames.add(record.getName());
        } else if (ends(wire, 0, end, ADDRESSES)) {
            addressNames.add(record.getName());
        } else {
            return !ends(wire, 0, end, SERVERS) && !ends(wire, 0, end, SERVER_ADDRESSES);
        }
        return true;
    }

    /// How many names there were so far that say something of name servers, which is not obeyed.
    int leftOut() {
        return leftOut;
    }

    @Override
    public String summary() {
        return "zone "
                + zone.origin()
                + " serial "
                + zone.serial()
                + ", "
                + zone.nameCount()
                + " names";
    }

    @Override
    public Optional<Match> question(Name name, int type, InetAddress client) {
        return clients.find(client)
                .flatMap(trigger -> match(trigger, "client ", name, type))
                .or(() -> named(name, type));
    }

    @Override
    public Optional<Match> answer(Name name, int type, List<RRset> answer) {
        for (RRset set : answer) {
            if (set.getType() == Type.CNAME && type != Type.CNAME) {
                Optional<Match> match = named(((CNAMERecord) set.first()).getTarget(), type);
                if (match.isPresent()) {
                    return match;
                }
            }
        }
        return addresses.isEmpty() ? Optional.empty() : addressed(type, answer);
    }

    /// Any name that an alias leads to may be one of ours.
    @Override
    public boolean judgesAnswers() {
        return true;
    }

    /// Of all addresses that of the smallest network counts.
    private Optional<Match> addressed(int type, List<RRset> answer) {
        Optional<Map.Entry<TriggerNetwork, Name>> best = Optional.empty();
        Name owner = Name.root;
        for (RRset set : answer) {
            for (Record record : set.rrs(false)) {
                Optional<InetAddress> address =
                        switch (record) {
                            case ARecord a -> Optional.of(a.getAddress());
                            case AAAARecord aaaa -> Optional.of(aaaa.getAddress());
                            default -> Optional.empty();
                        };
                var found = address.flatMap(addresses::find);
                if (found.isPresent()
                        && best.filter(b -> length(b) >= length(found.get())).isEmpty()) {
                    best = found;
                    owner = set.getName();
                }
            }
        }
        Name answered = owner;
        return best.flatMap(trigger -> match(trigger, "address ", answered, type));
    }

    private static int length(Map.Entry<TriggerNetwork, Name> trigger) {
        return trigger.getKey().length();
    }

    private Optional<Match> match(
            Map.Entry<TriggerNetwork, Name> trigger, String what, Name asked, int type) {
        return match(trigger.getValue(), asked, type)
                .map(match -> new Match(match.ruling(), what + match.trigger()));
    }

    /// The rule for a name: its own, else that of the nearest wildcard above it, whether names
    /// between them exist or not.
    private Optional<Match> named(Name asked, int type) {
        byte[] wire = asked.toWireCanonical();
        int end = wire.length - 1;
        if (end == 0 || special(asked)) {
            return Optional.empty();
        }
        PackedName found = new PackedName();
        if (zone.read(wire, 0, end, found)) {
            Optional<Match> exact = matchAt(found, asked, type);
            if (exact.isPresent()) {
                return exact;
            }
        }
        int at = 0;
        while (at < end) {
            int above = at + 1 + wire[at];
            wire[above - 2] = 1; // a label has at least two octets: room for `*`
            wire[above - 1] = '*';
            if (zone.read(wire, above - 2, end, found)) {
                Optional<Match> wildcard = matchAt(found, asked, type);
                if (wildcard.isPresent()) {
                    return wildcard;
                }
            }
            at = above;
        }
        return Optional.empty();
    }

    /// Names under which a policy zone keeps what is no name.
    private static boolean special(Name asked) {
        String top = asked.getLabelString(asked.labels() - 2);
        return top.regionMatches(true, 0, "rpz-", 0, 4);
    }

    private Optional<Match> matchAt(PackedName found, Name asked, int type) {
        return found.sets() == 0
                ? Optional.empty()
                : match(owner(found, zone.origin()), asked, type);
    }

    /// What the records of a trigger say.
    ///
    /// @param owner of the records
    /// @param asked the name that they are about
    private Optional<Match> match(Name owner, Name asked, int type) {
        List<RRset> sets;
        try (Stream<RRset> at = zone.at(owner)) {
            sets = at.filter(set -> !SIGNING.contains(set.getType())).toList();
        }
        return sets.isEmpty()
                ? Optional.empty()
                : ruling(owner, asked, type, sets)
                        .map(
                                given ->
                                        new Match(
                                                action.ruling(given, why),
                                                owner.relativize(zone.origin()).toString()));
    }

    private Optional<Ruling> ruling(Name owner, Name asked, int type, List<RRset> sets) {
        RRset first = sets.getFirst();
        if (first.getType() == Type.CNAME) {
            return aliased(owner, asked, first);
        }
        return Optional.of(
                sets.stream()
                        .filter(set -> set.getType() == type || type == Type.ANY)
                        .findFirst()
                        .<Ruling>map(set -> new Ruling.Instead(renamed(set, asked), why))
                        .orElseGet(() -> new Ruling.NoRecord(why)));
    }

    private Optional<Ruling> aliased(Name owner, Name asked, RRset set) {
        Name target = ((CNAMERecord) set.first()).getTarget();
        if (target.equals(NO_NAME)) {
            return Optional.of(new Ruling.NoName(why));
        }
        if (target.equals(NO_RECORD)) {
            return Optional.of(new Ruling.NoRecord(why));
        }
        if (target.equals(PASS) || old(owner, target)) {
            return Optional.of(new Ruling.Pass());
        }
        if (target.equals(DROP)) {
            return Optional.of(new Ruling.Drop(why));
        }
        if (target.equals(OVER_TCP)) {
            return Optional.of(new Ruling.OverTcp(why));
        }
        if (special(target)) {
            return Optional.empty(); // an action of a later draft
        }
        if (target.equals(asked)) {
            return Optional.of(new Ruling.Pass()); // an alias of itself says the same
        }
        return target.isWild()
                ? Optional.of(substituted(asked, target, set.getTTL()))
                : Optional.of(new Ruling.Instead(renamed(set, asked), why));
    }

    /// The form in which the first zones let names pass: an alias of what stands before the origin.
    private boolean old(Name owner, Name target) {
        Name relative = owner.relativize(zone.origin());
        return target.labels() == relative.labels() + 1
                && target.toString().equalsIgnoreCase(relative + ".");
    }

    /// `*.garden.example.` leads `www.example.org.` to `www.example.org.garden.example.`
    private Ruling substituted(Name asked, Name wildcard, long ttl) {
        try {
            Name target = Name.concatenate(asked.relativize(Name.root), new Name(wildcard, 1));
            CNAMERecord alias = new CNAMERecord(asked, DClass.IN, ttl, target);
            return new Ruling.Instead(new RRset(alias), why);
        } catch (NameTooLongException e) {
            return new Ruling.NoName(why);
        }
    }

    private static RRset renamed(RRset set, Name asked) {
        RRset renamed = new RRset();
        for (Record record : set.rrs(false)) {
            renamed.addRR(record.withName(asked));
        }
        return renamed;
    }

    private static Name owner(PackedName name, Name origin) {
        byte[] relative =
                Arrays.copyOfRange(
                        name.octets(),
                        name.writtenName(),
                        name.writtenName() + name.nameLength() + 1);
        relative[relative.length - 1] = 0;
        try {
            return relative.length == 1
                    ? origin
                    : Name.concatenate(new Name(relative).relativize(Name.root), origin);
        } catch (IOException e) {
            throw new IllegalStateException("zone " + origin + ": a name cannot be read", e);
        }
    }

    private static byte[] label(String text) {
        byte[] octets = (' ' + text).getBytes(StandardCharsets.US_ASCII);
        octets[0] = (byte) text.length();
        return octets;
    }

    /// Whether a name has labels before this one, which is its last.
    private static boolean ends(PackedName name, byte[] label) {
        return ends(name.octets(), NameTable.NAME, NameTable.NAME + name.nameLength(), label);
    }

    private static boolean ends(byte[] octets, int from, int to, byte[] label) {
        return to - from > label.length
                && Arrays.equals(octets, to - label.length, to, label, 0, label.length);
    }
}
