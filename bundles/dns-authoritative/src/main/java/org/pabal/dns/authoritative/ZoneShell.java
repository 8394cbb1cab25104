package org.pabal.dns.authoritative;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneChecks;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// The shell commands of scope `zone`.
@Component(
        service = ZoneShell.class,
        property = {
            "osgi.command.scope=zone",
            "osgi.command.function=list",
            "osgi.command.function=show",
            "osgi.command.function=load",
            "osgi.command.function=set",
            "osgi.command.function=unset",
            "osgi.command.function=explain",
            "osgi.command.function=refresh"
        })
public final class ZoneShell {

    private static final int MAX_WARNINGS = 10;
    private static final long MAX_TTL = Integer.MAX_VALUE; // RFC 2181 §8

    private final ZoneStore store;
    private final ZoneEditor editor;
    private final Optional<KeptSets> kept;

    @Activate
    public ZoneShell(@Reference ZoneStore store, @Reference AuthoritativeServer server) {
        this(store, server.editor(), Optional.of(server.kept()));
    }

    /// @param kept the address sets that are kept in place of the administrator
    ZoneShell(ZoneStore store, ZoneEditor editor, Optional<KeptSets> kept) {
        this.store = store;
        this.editor = editor;
        this.kept = kept;
    }

    ZoneShell(ZoneStore store, ZoneEditor editor) {
        this(store, editor, Optional.empty());
    }

    @Descriptor(
            "Lists the zones with their serials; those of other servers with where they come from"
                    + " and when they were last confirmed. Example: zone:list")
    public List<String> list() {
        Transferred transferred = editor.transferred();
        try (Stream<Zone> zones = store.zones()) {
            return Stream.concat(
                            zones.map(
                                    zone ->
                                            zone.origin()
                                                    + " serial "
                                                    + zone.serial()
                                                    + transferred
                                                            .source(zone.origin())
                                                            .map(source -> ", " + source)
                                                            .orElse("")),
                            transferred.origins().stream()
                                    .filter(origin -> store.find(origin).isEmpty())
                                    .map(
                                            origin ->
                                                    origin
                                                            + " no serial, "
                                                            + transferred
                                                                    .source(origin)
                                                                    .orElse("withdrawn")))
                    .toList();
        }
    }

    @Descriptor(
            "Asks the primaries of a zone now whether they have a newer version. Example:"
                    + " zone:refresh example.org")
    public String refresh(@Descriptor("the zone, e.g. example.org") String origin)
            throws IOException {
        return editor.transferred().refresh(name(origin));
    }

    @Descriptor("Shows a zone as a master file. Example: zone:show example.org")
    public List<String> show(@Descriptor("the zone, e.g. example.org") String origin) {
        return lines(zone(origin).all());
    }

    @Descriptor("Shows what a zone has at one name. Example: zone:show example.org www.example.org")
    public List<String> show(
            @Descriptor("the zone, e.g. example.org") String origin,
            @Descriptor("a name in it, e.g. www.example.org") String name) {
        Zone zone = zone(origin);
        Name owner = name(name);
        List<String> lines = lines(zone.all().filter(set -> set.getName().equals(owner)));
        if (lines.isEmpty()) {
            throw new IllegalArgumentException(
                    zone.exists(owner)
                            ? owner + " has no records, only names below it have"
                            : owner + " does not exist in zone " + zone.origin());
        }
        return lines;
    }

    @Descriptor(
            "Reads a master file and makes it the zone. Example: zone:load example.org"
                    + " /etc/zones/example.org")
    public List<String> load(
            @Descriptor("the zone, e.g. example.org") String origin,
            @Descriptor("a master file on the node's machine") String file)
            throws IOException {
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            throw new IllegalArgumentException(
                    file
                            + ": no such file, or not readable; expected a master file, for example"
                            + " /etc/zones/example.org");
        }
        editor.requireOurs(name(origin));
        PackedZone next = read(name(origin), path);
        Optional<Zone> before = store.find(next.origin());
        store.publish(next);
        String done =
                "zone "
                        + next.origin()
                        + " serial "
                        + next.serial()
                        + ": "
                        + next.all().count()
                        + " record sets";
        List<String> lines = new ArrayList<>();
        lines.add(
                before.filter(zone -> !Serial.follows(next.serial(), zone.serial()))
                        .map(
                                zone ->
                                        done
                                                + "; the serial does not follow "
                                                + zone.serial()
                                                + ", secondaries will not notice")
                        .orElse(done));
        List<String> warnings = ZoneChecks.of(next).warnings();
        warnings.stream().limit(MAX_WARNINGS).map("warning: "::concat).forEach(lines::add);
        if (warnings.size() > MAX_WARNINGS) {
            lines.add("and " + (warnings.size() - MAX_WARNINGS) + " warnings more");
        }
        return lines;
    }

    @Descriptor(
            "Sets the records of one name and type, in place of those it has. More than one record:"
                    + " an argument each, in quotes where it has spaces. Example: zone:set"
                    + " www.example.org 3600 A 192.0.2.1 192.0.2.2")
    public String set(
            @Descriptor("the owner, e.g. www.example.org") String name,
            @Descriptor("the TTL in seconds") long ttl,
            @Descriptor("the type, e.g. A or MX") String type,
            @Descriptor(
                            "the data as in a master file, names without dot at the end are"
                                    + " absolute too")
                    String... data)
            throws IOException {
        Name owner = name(name);
        int number = type(type);
        if (ttl < 0 || ttl > MAX_TTL) {
            throw new IllegalArgumentException(
                    "TTL "
                            + ttl
                            + ": expected seconds from 0 to "
                            + MAX_TTL
                            + ", for example 3600");
        }
        if (data.length == 0) {
            throw new IllegalArgumentException(
                    "no data; expected for example zone:set www.example.org 3600 A 192.0.2.1");
        }
        refuseKept(owner, number);
        Zone zone = zoneOf(owner);
        List<Record> records = records(owner, ttl, number, data);
        if (number == Type.SOA) {
            if (!owner.equals(zone.origin()) || records.size() != 1) {
                throw new IllegalArgumentException(
                        owner + ": a zone has one SOA, at " + zone.origin());
            }
            return edit(zone, edit -> edit.soa((SOARecord) records.getFirst()));
        }
        return edit(
                zone,
                edit -> {
                    edit.remove(owner, number);
                    records.forEach(edit::add);
                });
    }

    @Descriptor("Removes all records of one name. Example: zone:unset www.example.org")
    public String unset(@Descriptor("the owner, e.g. www.example.org") String name)
            throws IOException {
        Name owner = name(name);
        refuseKept(owner, Type.ANY);
        Zone zone = zoneOf(owner);
        if (owner.equals(zone.origin())) {
            throw new IllegalArgumentException(
                    owner
                            + " is the apex of its zone; name the type, for example zone:unset "
                            + name
                            + " MX");
        }
        return edit(
                zone,
                edit -> {
                    List<Integer> types = edit.types(owner);
                    if (types.isEmpty()) {
                        throw new IllegalArgumentException(owner + " has no records");
                    }
                    types.forEach(type -> edit.remove(owner, type));
                });
    }

    @Descriptor(
            "Removes the records of one name and type. Example: zone:unset www.example.org AAAA")
    public String unset(
            @Descriptor("the owner, e.g. www.example.org") String name,
            @Descriptor("the type, e.g. AAAA") String type)
            throws IOException {
        Name owner = name(name);
        int number = type(type);
        refuseKept(owner, number);
        return edit(
                zoneOf(owner),
                edit -> {
                    if (edit.records(owner, number).isEmpty()) {
                        throw new IllegalArgumentException(
                                owner + " has no " + Type.string(number));
                    }
                    edit.remove(owner, number);
                });
    }

    @Descriptor(
            "Tells which zone, wildcard, cut and rule make an answer. Example: zone:explain"
                    + " www.example.org A")
    public List<String> explain(
            @Descriptor("the name that is asked, e.g. www.example.org") String name,
            @Descriptor("the type that is asked, e.g. A") String type) {
        return explained(name, type, false);
    }

    @Descriptor(
            "The same for a client that validates: signatures and proofs of absence. Example:"
                    + " zone:explain www.example.org A dnssec")
    public List<String> explain(
            @Descriptor("the name that is asked, e.g. www.example.org") String name,
            @Descriptor("the type that is asked, e.g. A") String type,
            @Descriptor("the word dnssec") String dnssec) {
        if (!dnssec.equals("dnssec")) {
            throw new IllegalArgumentException(
                    dnssec
                            + ": expected dnssec, for example zone:explain www.example.org A"
                            + " dnssec");
        }
        return explained(name, type, true);
    }

    private List<String> explained(String name, String type, boolean dnssec) {
        Answer answer = ZoneLookup.explain(zones(), name(name), type(type), dnssec);
        List<String> lines = new ArrayList<>(answer.steps());
        keeper(name(name), type(type))
                .ifPresent(set -> lines.add(set.owner() + " is kept by " + set.setting()));
        lines.add(
                Rcode.string(answer.rcode())
                        + (answer.authoritative() ? ", authoritative" : ", not authoritative"));
        lines.addAll(section("answer", answer.answer()));
        lines.addAll(section("authority", answer.authority()));
        lines.addAll(section("glue", answer.glue()));
        lines.addAll(section("additional", answer.additional()));
        return lines;
    }

    private static List<String> section(String title, List<RRset> sets) {
        return lines(sets.stream()).stream().map(line -> title + ": " + line).toList();
    }

    /// The zones of the store, answered as the server does.
    private Zones zones() {
        return new Zones() {
            @Override
            public Optional<Zone> nearest(Name name, int type) {
                return ZoneShell.this.nearest(name, type);
            }

            @Override
            public boolean withholds(Zone zone, Name name, int type) {
                return kept.map(sets -> sets.withheld(zone).get(name))
                        .map(types -> types.contains(type))
                        .orElse(false);
            }
        };
    }

    private Optional<KeptSet> keeper(Name owner, int type) {
        return kept.flatMap(sets -> sets.keeper(owner, type));
    }

    private void refuseKept(Name owner, int type) {
        keeper(owner, type)
                .ifPresent(
                        set -> {
                            throw new IllegalArgumentException(
                                    owner
                                            + " has addresses that are kept by the setting "
                                            + set.setting()
                                            + ": change that in etc/org.pabal.zone~NAME.cfg");
                        });
    }

    private String edit(Zone zone, Consumer<ZoneEdit> changes) throws IOException {
        Zone next =
                editor.edit(
                        zone.origin(),
                        current -> {
                            ZoneEdit edit = new ZoneEdit(current);
                            changes.accept(edit);
                            return edit.change();
                        });
        return "zone " + next.origin() + " serial " + next.serial();
    }

    /// Reads a master file, RFC 1035 §5.
    ///
    /// @throws IllegalArgumentException with the place of the fault in one line
    private static PackedZone read(Name origin, Path file) throws IOException {
        // A guess at how many names there are saves a large zone from growing in steps.
        PackedZone.Builder zone =
                PackedZone.builder(origin, (int) Math.min(Files.size(file) / 100, 20_000_000));
        try (Master master = new Master(file.toString(), origin)) {
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                zone.add(record);
            }
        } catch (TextParseException e) {
            throw new IllegalArgumentException("zone " + origin + ": " + e.getMessage(), e);
        }
        return zone.build();
    }

    /// One record, when all arguments together are one; else a record an argument. The strings of a
    /// TXT record keep their blanks: the shell has taken away the quotes.
    private static List<Record> records(Name owner, long ttl, int type, String... data) {
        if (type == Type.TXT || type == Type.SPF) {
            List<String> strings = new ArrayList<>();
            for (String each : data) {
                strings.addAll(quoted(each));
            }
            return List.of(record(owner, ttl, type, String.join(" ", strings)));
        }
        try {
            return List.of(record(owner, ttl, type, String.join(" ", data)));
        } catch (IllegalArgumentException e) {
            if (data.length == 1) {
                throw e;
            }
            return Stream.of(data).map(each -> record(owner, ttl, type, each)).toList();
        }
    }

    /// RFC 1035 §3.3: a character string has at most 255 octets; longer texts go on in the next.
    private static List<String> quoted(String text) {
        if (text.startsWith("\"")) {
            return List.of(text);
        }
        List<String> strings = new ArrayList<>();
        for (int from = 0; from < text.length() || from == 0; from += 255) {
            String part = text.substring(from, Math.min(text.length(), from + 255));
            strings.add('"' + part.replace("\\", "\\\\").replace("\"", "\\\"") + '"');
        }
        return strings;
    }

    private static Record record(Name owner, long ttl, int type, String data) {
        try {
            return Record.fromString(owner, type, DClass.IN, ttl, data, Name.root);
        } catch (IOException | RuntimeException e) {
            throw new IllegalArgumentException(
                    owner + " " + Type.string(type) + " " + data + ": " + e.getMessage(), e);
        }
    }

    private Zone zone(String origin) {
        Name name = name(origin);
        return store.find(name)
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "zone "
                                                + name
                                                + ": not served here; zone:list shows what is"));
    }

    private Zone zoneOf(Name name) {
        return nearest(name, Type.ANY)
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        name + " is in no zone of ours; zone:list shows them"));
    }

    private Optional<Zone> nearest(Name name, int type) {
        Optional<Zone> parent = Optional.empty();
        if (type == Type.DS && name.labels() > 1) {
            parent = nearest(new Name(name, 1), Type.ANY); // RFC 4035 §3.1.4.1
        }
        return parent.or(
                () ->
                        Stream.iterate(0, label -> label < name.labels(), label -> label + 1)
                                .map(label -> store.find(new Name(name, label)))
                                .flatMap(Optional::stream)
                                .findFirst());
    }

    private static List<String> lines(Stream<RRset> sets) {
        return sets.sorted(
                        Comparator.comparing(RRset::getName)
                                .thenComparing(set -> set.getType() != Type.SOA)
                                .thenComparing(RRset::getType))
                .flatMap(set -> ZoneChange.records(set).stream())
                .map(record -> record.toString().replaceAll("\t+", " "))
                .toList();
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    text + ": expected a name, for example www.example.org", e);
        }
    }

    private static int type(String text) {
        int type = Type.value(text, true);
        if (type < 0) {
            throw new IllegalArgumentException(
                    text + ": expected a record type, for example A, MX or TYPE65");
        }
        return type;
    }
}
