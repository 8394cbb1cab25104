package org.pabal.dnssec;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneKey;
import org.pabal.dnssec.ZoneDraft.Signed;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.NSEC3PARAMRecord;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Signs a zone, and keeps what comes of signing in the zone itself: signatures, the chain of NSEC
/// or NSEC3 records, the keys, the digest (RFC 4035 §2).
///
/// [#whole] makes a signed version of any version; [#completed] adds to an edit of a signed version
/// what follows from it, and touches nothing else; [#refreshed] replaces signatures that have come
/// to their time or were made by another key.
///
/// @param now the moment that signatures are made at
public record ZoneSigning(
        SigningKeys keys, SigningPolicy policy, SignatureMaker maker, Instant now) {

    /// What is refreshed soon is refreshed with the rest: one pass over a zone finds an hour's
    /// work.
    private static final Duration TOGETHER = Duration.ofHours(1);

    private static final List<Integer> AT_APEX =
            List.of(Type.DNSKEY, Type.CDS, Type.CDNSKEY, Type.NSEC3PARAM, Zonemd.TYPE);

    /// What is to be done, and when there will be more.
    ///
    /// @param sets those whose signatures have come to their time, the most urgent first
    /// @param next when the first of the others does
    /// @param longestTtl of all sets: how long what was served can be remembered
    /// @param tags of the keys that made any signature in the zone
    public record Due(
            List<SetName> sets, Optional<Instant> next, Duration longestTtl, Set<Integer> tags) {}

    /// An edit with everything that follows from it.
    ///
    /// @param current a signed version
    /// @param edit what it says about records that come of signing is passed over
    /// @throws IllegalArgumentException when the edit leads to a zone that cannot be served
    public ZoneChange completed(Zone current, ZoneChange edit) {
        ZoneDraft draft = new ZoneDraft(current, edit.to());
        Set<Name> names = new HashSet<>();
        apply(edit, draft, names);
        names.add(current.origin());
        putApex(draft, current.origin());

        // The links of names that may come or go are taken out; the apex stays, so that there is
        // always a link to start from.
        Denial denial = Denial.of(current).orElse(policy.denial());
        coverNamesBelowCuts(current, draft, names);
        Set<Name> linked = new HashSet<>(names);
        if (denial.hashed()) {
            names.forEach(name -> linked.addAll(DenialChain.above(name, current.origin())));
        }
        linked.add(current.origin());
        int type = denial.hashed() ? Type.NSEC3 : Type.NSEC;
        Map<Name, Name> nameOf = new HashMap<>();
        for (Name name : linked) {
            Name owner = denial.hashed() ? DenialChain.hashed(name, current.origin()) : name;
            nameOf.put(owner, name);
            if (!name.equals(current.origin())) {
                draft.put(new SetName(owner, type), List.of());
            }
        }
        Zone next = current.with(draft.change());
        DenialChain chain = new DenialChain(next, edit.to(), denial);
        relink(current, next, draft, chain, nameOf);
        sign(draft, next);
        digest(draft, current);
        return draft.change();
    }

    /// The step that makes a version signed, or empty when it is: the chain is complete, every set
    /// has a signature by a key of ours that has not expired.
    ///
    /// @param trusted a version whose signatures are good for what they sign; those that are about
    ///     the same records are taken over instead of being made again
    public Optional<ZoneChange> whole(Zone version, Optional<Zone> trusted) {
        Map<SetName, Signed> target = target(version, ZoneChange.soa(version), trusted);
        if (!differs(version, target)) {
            return Optional.empty();
        }
        SOARecord soa = follow(version, trusted);
        target = target(version, soa, trusted);
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        compare(version, target, removed, added);
        return Optional.of(new ZoneChange(ZoneChange.soa(version), soa, removed, added));
    }

    /// Makes signatures anew.
    ///
    /// @param sets of those that [#due] told of, as many as should go together
    public ZoneChange refreshed(Zone current, List<SetName> sets) {
        ZoneDraft draft = new ZoneDraft(current, follow(current, Optional.empty()));
        putApex(draft, current.origin());
        for (SetName set : sets) {
            if (set.type() != Type.SOA && !draft.get(set).records().isEmpty()) {
                draft.touch(set);
            }
        }
        sign(draft, current, Set.copyOf(sets));
        digest(draft, current);
        return draft.change();
    }

    /// Which sets have signatures that have come to their time, or were made by other keys than
    /// those that sign now.
    public Due due(Zone zone) {
        Map<SetName, Instant> due = new HashMap<>();
        Set<Integer> tags = new HashSet<>();
        Instant horizon = now.plus(policy.refresh()).plus(TOGETHER);
        Instant[] next = new Instant[1];
        long[] longest = new long[1];
        try (Stream<RRset> all = zone.all()) {
            all.forEach(
                    set -> {
                        longest[0] = Math.max(longest[0], set.getTTL());
                        set.sigs().forEach(signature -> tags.add(signature.getFootprint()));
                        if (!DenialChain.signed(zone, set.getName(), set.getType())) {
                            return;
                        }
                        Instant expires =
                                asWanted(set.sigs(), set.getType())
                                        ? expires(set.sigs())
                                        : Instant.MIN;
                        if (expires.isAfter(horizon)) {
                            next[0] =
                                    next[0] == null || expires.isBefore(next[0])
                                            ? expires
                                            : next[0];
                        } else {
                            due.put(SetName.of(set), expires);
                        }
                    });
        }
        List<SetName> sets =
                due.entrySet().stream()
                        .sorted(Map.Entry.comparingByValue())
                        .map(Map.Entry::getKey)
                        .toList();
        // What waits only to go together with others is no reason to begin.
        boolean urgent =
                due.values().stream()
                        .anyMatch(expires -> !expires.isAfter(now.plus(policy.refresh())));
        Optional<Instant> soonest =
                Stream.concat(Stream.ofNullable(next[0]), due.values().stream())
                        .min(Comparator.naturalOrder())
                        .filter(expires -> !urgent)
                        .map(expires -> expires.minus(policy.refresh()));
        return new Due(urgent ? sets : List.of(), soonest, Duration.ofSeconds(longest[0]), tags);
    }

    /// Takes everything away that comes of signing.
    public static ZoneChange unsigned(Zone zone) {
        List<Record> removed = new ArrayList<>();
        try (Stream<RRset> all = zone.all()) {
            all.forEach(
                    set -> {
                        removed.addAll(set.sigs());
                        if (made(zone.origin(), SetName.of(set))) {
                            removed.addAll(set.rrs(false));
                        }
                    });
        }
        return new ZoneChange(
                ZoneChange.soa(zone), follow(zone, Optional.empty()), removed, List.of());
    }

    /// Whether the SOA was signed by one of these keys as it stands: a version that somebody else
    /// made has another serial, and its SOA no good signature.
    public boolean madeHere(Zone zone) {
        return zone.records(zone.origin(), Type.SOA).stream()
                .flatMap(set -> set.sigs().stream().map(signature -> verifies(set, signature)))
                .anyMatch(good -> good);
    }

    private boolean verifies(RRset set, RRSIGRecord signature) {
        for (ZoneKey key : keys.published()) {
            if (key.tag() == signature.getFootprint()
                    && key.algorithm() == signature.getAlgorithm()) {
                try {
                    DNSSEC.verify(set, signature, key.dnskey(), signature.getTimeSigned());
                    return true;
                } catch (DNSSEC.DNSSECException e) {
                    return false;
                }
            }
        }
        return false;
    }

    /// Whether a record comes of signing, and is none of an administrator's or an update's.
    public static boolean made(Name origin, SetName set) {
        return switch (set.type()) {
            case Type.RRSIG, Type.NSEC, Type.NSEC3 -> true;
            case Type.DNSKEY, Type.CDS, Type.CDNSKEY, Type.NSEC3PARAM, Zonemd.TYPE ->
                    set.name().equals(origin);
            default -> false;
        };
    }

    // ---- an edit

    private static void apply(ZoneChange edit, ZoneDraft draft, Set<Name> names) {
        for (Record record : edit.removed()) {
            if (ofAdministrator(edit.origin(), record)) {
                SetName name = SetName.of(record);
                List<Record> records = new ArrayList<>(draft.get(name).records());
                records.remove(record);
                draft.put(name, records);
                names.add(record.getName());
            }
        }
        for (Record record : edit.added()) {
            if (ofAdministrator(edit.origin(), record)) {
                SetName name = SetName.of(record);
                List<Record> records = new ArrayList<>(draft.get(name).records());
                records.remove(record);
                records.add(record);
                draft.put(name, records);
                names.add(record.getName());
            }
        }
    }

    private static boolean ofAdministrator(Name origin, Record record) {
        return record.getType() != Type.RRSIG && !made(origin, SetName.of(record));
    }

    /// A cut or a DNAME that comes or goes changes what the zone says about all names below it.
    private static void coverNamesBelowCuts(Zone current, ZoneDraft draft, Set<Name> names) {
        for (Name name : Set.copyOf(names)) {
            boolean moved =
                    Stream.of(Type.NS, Type.DNAME)
                            .map(type -> new SetName(name, type))
                            .anyMatch(
                                    set ->
                                            draft.get(set).records().isEmpty()
                                                    != Signed.of(current, set).records().isEmpty());
            if (moved && current.exists(name)) {
                try (Stream<RRset> below = current.all()) {
                    below.filter(set -> set.getName().subdomain(name))
                            .filter(set -> set.getType() != Type.NSEC3)
                            .forEach(
                                    set -> {
                                        names.add(set.getName());
                                        if (set.getType() != Type.SOA
                                                && set.getType() != Type.NSEC) {
                                            draft.touch(SetName.of(set));
                                        }
                                    });
                }
            }
        }
    }

    /// Puts names that came into the chain and takes out those that went: only they and their
    /// neighbours before them change.
    ///
    /// @param next with the links of all these names taken out, but for that of the apex
    /// @param nameOf the names by the owners of their links
    private void relink(
            Zone current, Zone next, ZoneDraft draft, DenialChain chain, Map<Name, Name> nameOf) {
        Name start = chain.owner(next.origin());
        Map<Name, List<Name>> behind = new LinkedHashMap<>();
        behind.put(start, new ArrayList<>());
        nameOf.forEach(
                (owner, name) -> {
                    boolean comes = !owner.equals(start) && chain.includes(name);
                    boolean goes = current.records(owner, chain.type()).isPresent();
                    if (comes || goes) {
                        Name before =
                                owner.equals(start) ? start : before(next, chain, owner, start);
                        List<Name> members =
                                behind.computeIfAbsent(before, each -> new ArrayList<>());
                        if (comes) {
                            members.add(owner);
                        }
                    }
                });
        behind.forEach(
                (before, members) -> {
                    // What is smaller than the one before comes after the end of the chain.
                    members.sort(
                            Comparator.<Name, Boolean>comparing(o -> o.compareTo(before) < 0)
                                    .thenComparing(Comparator.naturalOrder()));
                    Name after = after(current, chain, before, nameOf.keySet(), start);
                    for (Name member : members.reversed()) {
                        put(draft, chain.link(nameOf.get(member), after));
                        after = member;
                    }
                    put(
                            draft,
                            before.equals(start)
                                    ? chain.link(next.origin(), after)
                                    : chain.pointing(
                                            next.records(before, chain.type())
                                                    .orElseThrow()
                                                    .first(),
                                            after));
                });
    }

    private static Name before(Zone next, DenialChain chain, Name owner, Name start) {
        return next.matchingOrCovering(owner, chain.type()).map(RRset::getName).orElse(start);
    }

    /// The link that comes after one and is not taken out, by the chain as it was.
    private static Name after(
            Zone current, DenialChain chain, Name before, Set<Name> out, Name start) {
        Name at = before;
        do {
            Optional<RRset> link = current.records(at, chain.type());
            if (link.isEmpty()) {
                return start; // there was no chain yet
            }
            at = chain.next(link.get().first());
        } while (out.contains(at) && !at.equals(start) && !at.equals(before));
        return at;
    }

    private static void put(ZoneDraft draft, Record link) {
        draft.put(SetName.of(link), List.of(link));
    }

    private void putApex(ZoneDraft draft, Name origin) {
        for (int type : AT_APEX) {
            SetName name = new SetName(origin, type);
            List<Record> records = apex(origin, type, draft);
            if (!draft.get(name).sameRecords(new Signed(records, List.of()))) {
                draft.put(name, records);
            }
        }
    }

    private List<Record> apex(Name origin, int type, ZoneDraft draft) {
        Denial denial =
                draft.get(new SetName(origin, Type.NSEC)).records().isEmpty()
                        ? draft.get(new SetName(origin, Type.NSEC3PARAM)).records().isEmpty()
                                ? policy.denial()
                                : Denial.NSEC3
                        : Denial.NSEC;
        return apex(origin, type, denial);
    }

    private List<Record> apex(Name origin, int type, Denial denial) {
        return switch (type) {
            // RFC 5155 §4.1.2: its flags are 0, with opt-out too; §4: no TTL is asked for
            case Type.NSEC3PARAM ->
                    denial.hashed()
                            ? List.of(
                                    new NSEC3PARAMRecord(
                                            origin,
                                            DClass.IN,
                                            0,
                                            NSEC3Record.SHA1_DIGEST_ID,
                                            0,
                                            0,
                                            new byte[0]))
                            : List.of();
            case Zonemd.TYPE -> policy.digest() ? List.of(Zonemd.placeholder(origin)) : List.of();
            default -> keys.records(origin, type);
        };
    }

    private void sign(ZoneDraft draft, Zone next) {
        sign(draft, next, Set.of());
    }

    /// Signs the sets of a draft, and leaves those as they were whose records have not changed and
    /// whose signatures are as they should be.
    ///
    /// @param anew those that are signed in any case
    private void sign(ZoneDraft draft, Zone next, Set<SetName> anew) {
        List<SetName> names = new ArrayList<>();
        List<SignatureMaker.Wanted> wanted = new ArrayList<>();
        for (SetName name : draft.touched()) {
            Signed set = draft.get(name);
            if (set.records().isEmpty()
                    || name.equals(digestName(next))
                    || !DenialChain.signed(next, name.name(), name.type())) {
                continue;
            }
            Optional<Signed> before = draft.unchanged(name);
            if (!anew.contains(name)
                    && before.isPresent()
                    && asWanted(before.get().signatures(), name.type())
                    && expires(before.get().signatures()).isAfter(now.plus(policy.refresh()))) {
                draft.put(name, before.get());
                continue;
            }
            names.add(name);
            want(name, set.records(), wanted);
        }
        Map<SetName, List<RRSIGRecord>> made = make(wanted);
        names.forEach(
                name -> draft.put(name, new Signed(draft.get(name).records(), made.get(name))));
    }

    private void want(SetName name, List<Record> records, List<SignatureMaker.Wanted> wanted) {
        RRset set = new RRset();
        records.forEach(set::addRR);
        for (ZoneKey key : keys.signersOf(name.type())) {
            wanted.add(
                    new SignatureMaker.Wanted(
                            set,
                            key,
                            policy.inception(now),
                            policy.expiration(now, name.name(), name.type())));
        }
    }

    private Map<SetName, List<RRSIGRecord>> make(List<SignatureMaker.Wanted> wanted) {
        Map<SetName, List<RRSIGRecord>> made = new HashMap<>();
        for (RRSIGRecord signature : maker.make(wanted)) {
            made.computeIfAbsent(SetName.of(signature), name -> new ArrayList<>(1)).add(signature);
        }
        return made;
    }

    /// RFC 8976 §3.2: the digest is made when everything else is there, and takes the place of the
    /// one that stood for it.
    private void digest(ZoneDraft draft, Zone current) {
        if (policy.digest()) {
            SetName name = digestName(current);
            draft.put(name, List.of(Zonemd.placeholder(current.origin())));
            Record digest = Zonemd.make(current.with(draft.change()));
            List<SignatureMaker.Wanted> wanted = new ArrayList<>();
            want(name, List.of(digest), wanted);
            draft.put(name, new Signed(List.of(digest), maker.make(wanted)));
        }
    }

    // ---- a whole version

    /// Every set of the signed version.
    private Map<SetName, Signed> target(Zone version, SOARecord soa, Optional<Zone> trusted) {
        Name origin = version.origin();
        List<Record> records = new ArrayList<>();
        records.add(soa);
        try (Stream<RRset> all = version.all()) {
            all.filter(set -> set.getType() != Type.SOA && !made(origin, SetName.of(set)))
                    .forEach(set -> records.addAll(set.rrs(false)));
        }
        AT_APEX.forEach(type -> records.addAll(apex(origin, type, policy.denial())));
        Zone zone = new PackedZone(origin, records);
        Map<SetName, Signed> target = new HashMap<>();
        try (Stream<RRset> all = zone.all()) {
            all.forEach(set -> target.put(SetName.of(set), Signed.of(set)));
        }
        for (Record link : links(zone, soa)) {
            target.put(SetName.of(link), new Signed(List.of(link), List.of()));
        }
        List<SignatureMaker.Wanted> wanted = new ArrayList<>();
        target.replaceAll(
                (name, set) -> {
                    if (name.equals(digestName(zone))
                            || !DenialChain.signed(zone, name.name(), name.type())) {
                        return set;
                    }
                    Optional<Signed> taken =
                            trusted.map(t -> Signed.of(t, name))
                                    .filter(set::sameRecords)
                                    .map(t -> new Signed(set.records(), good(t, name.type())))
                                    .filter(t -> !t.signatures().isEmpty());
                    if (taken.isEmpty()) {
                        want(name, set.records(), wanted);
                    }
                    return taken.orElse(set);
                });
        make(wanted)
                .forEach(
                        (name, signatures) ->
                                target.put(
                                        name, new Signed(target.get(name).records(), signatures)));
        if (policy.digest()) {
            List<Record> all = new ArrayList<>();
            target.values()
                    .forEach(
                            set -> {
                                all.addAll(set.records());
                                all.addAll(set.signatures());
                            });
            SetName name = digestName(zone);
            Signed digest =
                    new Signed(List.of(Zonemd.make(new PackedZone(origin, all))), List.of());
            Optional<Signed> taken =
                    trusted.map(t -> Signed.of(t, name))
                            .filter(digest::sameRecords)
                            .filter(t -> !good(t, name.type()).isEmpty());
            List<SignatureMaker.Wanted> last = new ArrayList<>();
            if (taken.isEmpty()) {
                want(name, digest.records(), last);
            }
            target.put(name, taken.orElseGet(() -> new Signed(digest.records(), maker.make(last))));
        }
        return target;
    }

    /// The digest is made and signed last.
    private static SetName digestName(Zone zone) {
        return new SetName(zone.origin(), Zonemd.TYPE);
    }

    private List<Record> links(Zone zone, SOARecord soa) {
        DenialChain chain = new DenialChain(zone, soa, policy.denial());
        TreeMap<Name, Name> owners = new TreeMap<>();
        Set<Name> names = new TreeSet<>();
        try (Stream<RRset> all = zone.all()) {
            all.forEach(
                    set -> {
                        if (names.add(set.getName()) && policy.denial().hashed()) {
                            names.addAll(DenialChain.above(set.getName(), zone.origin()));
                        }
                    });
        }
        for (Name name : names) {
            if (chain.includes(name)) {
                Name other = owners.put(chain.owner(name), name);
                if (other != null) {
                    throw new IllegalArgumentException(
                            "zone "
                                    + zone.origin()
                                    + ": "
                                    + name
                                    + " and "
                                    + other
                                    + " have the same hash, NSEC3 cannot tell them apart");
                }
            }
        }
        List<Record> links = new ArrayList<>(owners.size());
        Name next = owners.firstKey();
        for (Map.Entry<Name, Name> each : owners.descendingMap().entrySet()) {
            links.add(chain.link(each.getValue(), next));
            next = each.getKey();
        }
        return links;
    }

    /// Those signatures of a set by keys of ours that have not expired.
    private List<RRSIGRecord> good(Signed set, int type) {
        List<ZoneKey> ours = new ArrayList<>(keys.published());
        boolean bySigner = keys.signersOf(type).stream().anyMatch(ZoneKey::signsKeys);
        ours.removeIf(key -> key.signsKeys() != bySigner);
        return set.signatures().stream()
                .filter(
                        signature ->
                                signature.getExpire().isAfter(now)
                                        && ours.stream().anyMatch(key -> by(signature, key)))
                .toList();
    }

    /// Whether there is one signature by each key that should sign, and no other.
    private boolean asWanted(List<RRSIGRecord> signatures, int type) {
        List<ZoneKey> signers = keys.signersOf(type);
        return signatures.size() == signers.size()
                && signers.stream()
                        .allMatch(key -> signatures.stream().anyMatch(each -> by(each, key)));
    }

    private static boolean by(RRSIGRecord signature, ZoneKey key) {
        return signature.getFootprint() == key.tag()
                && signature.getAlgorithm() == key.algorithm()
                && signature.getSigner().equals(key.origin());
    }

    private static Instant expires(Collection<RRSIGRecord> signatures) {
        return signatures.stream()
                .map(RRSIGRecord::getExpire)
                .min(Comparator.naturalOrder())
                .orElse(Instant.MIN);
    }

    private static boolean differs(Zone version, Map<SetName, Signed> target) {
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        compare(version, target, removed, added);
        return !removed.isEmpty() || !added.isEmpty();
    }

    private static void compare(
            Zone version, Map<SetName, Signed> target, List<Record> removed, List<Record> added) {
        try (Stream<RRset> all = version.all()) {
            all.forEach(
                    set -> {
                        Signed wanted = target.getOrDefault(SetName.of(set), Signed.NOTHING);
                        if (set.getType() != Type.SOA) {
                            ZoneDraft.missing(set.rrs(false), wanted.records(), removed);
                        }
                        ZoneDraft.missing(set.sigs(), wanted.signatures(), removed);
                    });
        }
        target.forEach(
                (name, wanted) -> {
                    Signed before = Signed.of(version, name);
                    if (name.type() != Type.SOA) {
                        ZoneDraft.missing(wanted.records(), before.records(), added);
                    }
                    ZoneDraft.missing(wanted.signatures(), before.signatures(), added);
                });
    }

    /// The SOA with the serial that follows that of both versions.
    private static SOARecord follow(Zone version, Optional<Zone> trusted) {
        SOARecord soa = ZoneChange.soa(version);
        long serial =
                trusted.map(Zone::serial)
                        .filter(other -> Serial.follows(other, soa.getSerial()))
                        .orElse(soa.getSerial());
        return Serial.in(soa, Serial.after(serial));
    }
}
