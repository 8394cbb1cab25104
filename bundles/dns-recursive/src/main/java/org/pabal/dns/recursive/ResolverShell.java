package org.pabal.dns.recursive;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/// The shell commands of scope `resolver`. What they show is what the rest of the house gets:
/// policies are for clients, and `policy:explain` tells of them.
@Component(
        service = ResolverShell.class,
        property = {
            "osgi.command.scope=resolver",
            "osgi.command.function=lookup",
            "osgi.command.function=trace",
            "osgi.command.function=cache",
            "osgi.command.function=flush",
            "osgi.command.function=export",
            "osgi.command.function=import",
            "osgi.command.function=statistics"
        })
public final class ResolverShell {

    private static final List<String> FLAGS = List.of("--json", "--fresh");

    private final Recursor recursor;
    private final Cache cache;
    private final ToIntFunction<Name> forget;
    private final Supplier<List<String>> statistics;

    @Activate
    public ResolverShell(@Reference RecursiveServer server) {
        this(server.recursor(), server.cache(), server::forget, () -> server.statistics().lines());
    }

    ResolverShell(
            Recursor recursor,
            Cache cache,
            ToIntFunction<Name> forget,
            Supplier<List<String>> statistics) {
        this.recursor = recursor;
        this.cache = cache;
        this.forget = forget;
        this.statistics = statistics;
    }

    @Descriptor("Looks up the addresses of a name. Example: resolver:lookup www.example.org")
    public List<String> lookup(@Descriptor("a name, e.g. www.example.org") String name)
            throws IOException {
        return lookup(name, "A");
    }

    @Descriptor(
            "Looks up a name: its records, and whether DNSSEC proves them. Example: resolver:lookup"
                    + " example.org MX")
    public List<String> lookup(
            @Descriptor("a name, e.g. example.org") String name,
            @Descriptor("a record type, e.g. MX") String type)
            throws IOException {
        Question question = question(name, type);
        Answer answer =
                recursor.answer(question, Request.of(Request.Wish.NOTHING, Request.Trace.NONE));
        String why = answer.reason().map(r -> ": " + TraceText.plain(r.text())).orElse("");
        if (answer.security() == Security.BOGUS) {
            throw new IOException(question + ": bogus" + why);
        }
        String proved = word(answer.security()) + (answer.stale() ? ", stale" : "") + why;
        List<String> lines = new ArrayList<>(TraceText.text(answer.records()));
        switch (answer.last().kind()) {
            case RECORDS -> lines.add(proved);
            case NO_RECORD -> lines.add(answer.last().question() + ": no such record, " + proved);
            case NO_NAME ->
                    lines.add(answer.last().question().name() + ": no such name, " + proved);
            case TOO_LONG ->
                    lines.add(
                            answer.last().question().name()
                                    + ": alias of a name that is too long, "
                                    + proved);
            case ALIAS, FAILURE -> throw new IOException(question + ": not available" + why);
        }
        return lines;
    }

    @Descriptor(
            "Shows each step that answers a question now, from the cache or by asking others; with"
                    + " --fresh the cache's answer is not good enough; with --json for programs."
                    + " Example: resolver:trace www.example.org A --fresh")
    public List<String> trace(
            @Descriptor("a name, e.g. www.example.org") String name,
            @Descriptor("a record type, e.g. MX; --fresh; --json") String... more) {
        List<String> words = new ArrayList<>(Arrays.asList(more));
        boolean json = words.remove("--json");
        boolean fresh = words.remove("--fresh");
        if (words.size() > 1 || words.stream().anyMatch(word -> word.startsWith("-"))) {
            throw new IllegalArgumentException(
                    String.join(" ", words)
                            + ": expected a type and "
                            + String.join(", ", FLAGS)
                            + ", for example resolver:trace www.example.org A --json");
        }
        Question question = question(name, words.isEmpty() ? "A" : words.getFirst());
        Request.Trace.Kept steps = new Request.Trace.Kept();
        Request.Wish wish = fresh ? Request.Wish.REFRESH : Request.Wish.NOTHING;
        long start = System.nanoTime();
        Answer answer = recursor.answer(question, Request.of(wish, steps));
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        TraceText text = new TraceText(question, steps.steps(), answer, took);
        return json ? text.json().lines().toList() : text.lines();
    }

    @Descriptor("Tells how full the cache is and what it saved. Example: resolver:cache")
    public List<String> cache() {
        RecordCache.Counts counts = records().counts();
        return List.of(
                String.format(Locale.ROOT, "entries    %,d", counts.entries()),
                String.format(
                        Locale.ROOT,
                        "memory     %.1f MB of %.1f MB",
                        counts.octets() / 1e6,
                        counts.limit() / 1e6),
                String.format(Locale.ROOT, "hits       %,d", counts.hits()),
                String.format(Locale.ROOT, "misses     %,d", counts.misses()),
                String.format(Locale.ROOT, "evictions  %,d", counts.evictions()));
    }

    @Descriptor(
            "Shows what is known at a name, for how long still, and whether DNSSEC proved it."
                    + " Example: resolver:cache www.example.org")
    public List<String> cache(@Descriptor("a name, e.g. www.example.org") String name) {
        Name asked = name(name);
        List<String> lines = new ArrayList<>();
        for (int type : types(asked)) {
            Question question = new Question(asked, type);
            cache.find(question)
                    .or(() -> cache.stale(question))
                    .map(ResolverShell::line)
                    .filter(line -> !lines.contains(line))
                    .ifPresent(lines::add);
        }
        cache.delegation(asked)
                .map(
                        delegation ->
                                String.format(
                                        Locale.ROOT,
                                        "nearest delegation %s  %,d s  %s",
                                        delegation.zone(),
                                        delegation.ttl(),
                                        String.join(
                                                ", ",
                                                delegation.ns().rrs(false).stream()
                                                        .map(ns -> ns.rdataToString())
                                                        .toList())))
                .ifPresent(lines::add);
        if (lines.isEmpty()) {
            throw new IllegalArgumentException(asked + ": nothing is known of it");
        }
        return lines;
    }

    private RecordCache records() {
        if (cache instanceof RecordCache records) {
            return records;
        }
        throw new IllegalArgumentException("this cache cannot be listed");
    }

    /// The types of which something may be known: those that are in the cache, and with a cache
    /// that cannot be listed the usual ones.
    private Iterable<Integer> types(Name name) {
        TreeSet<Integer> types = new TreeSet<>();
        if (cache instanceof RecordCache records) {
            byte[] wire = name.toWireCanonical();
            records.forEach(
                    entry -> {
                        int key = entry.keyType();
                        if (key != Entry.DELEGATION && entry.matches(wire, 0, wire.length, key)) {
                            types.add(EntryReader.question(entry).type());
                        }
                    });
        } else {
            IntStream.of(
                            Type.A,
                            Type.NS,
                            Type.CNAME,
                            Type.SOA,
                            Type.PTR,
                            Type.MX,
                            Type.TXT,
                            Type.AAAA,
                            Type.SRV,
                            Type.DS,
                            Type.DNSKEY,
                            Type.TLSA,
                            Type.SVCB,
                            Type.HTTPS,
                            Type.CAA)
                    .forEach(types::add);
        }
        return types;
    }

    private static String line(Finding finding) {
        String what =
                switch (finding.kind()) {
                    case RECORDS, ALIAS, TOO_LONG ->
                            String.join(
                                    ", ",
                                    finding.set().rrs(false).stream()
                                            .map(each -> TraceText.plain(each.rdataToString()))
                                            .toList());
                    case NO_RECORD -> "no such record";
                    case NO_NAME -> "no such name";
                    case FAILURE -> "failure";
                };
        Optional<String> why = finding.reason().map(r -> ": " + TraceText.plain(r.text()));
        return String.format(
                Locale.ROOT,
                "%-8s %8s  %-9s  %s",
                finding.kind() == Finding.Kind.NO_NAME ? "all" : Type.string(finding.key().type()),
                finding.stale() ? "stale" : String.format(Locale.ROOT, "%,d s", finding.ttl()),
                word(finding.security()),
                what + why.orElse(""));
    }

    @Descriptor("Forgets everything. Example: resolver:flush")
    public String flush() {
        return flush(".");
    }

    @Descriptor("Forgets everything at and below a name. Example: resolver:flush example.org")
    public String flush(@Descriptor("a name, e.g. example.org") String name) {
        Name top = name(name);
        return String.format(
                Locale.ROOT, "%,d findings at and below %s forgotten", forget.applyAsInt(top), top);
    }

    @Descriptor(
            "Writes what the cache knows to a file, as text; resolver:import FILE reads it again."
                    + " Example: resolver:export /tmp/cache.txt")
    public String export(@Descriptor("a file, e.g. /tmp/cache.txt") String file)
            throws IOException {
        return export(file, ".");
    }

    @Descriptor(
            "Writes what the cache knows at and below a name to a file. Example: resolver:export"
                    + " /tmp/cache.txt example.org")
    public String export(
            @Descriptor("a file, e.g. /tmp/cache.txt") String file,
            @Descriptor("a name, e.g. example.org") String name)
            throws IOException {
        Name above = name(name);
        CacheText text = new CacheText(records());
        Path path = Path.of(file);
        if (Files.exists(path)) {
            throw new IllegalArgumentException(file + ": is there already; expected a new file");
        }
        try (Writer out = Files.newBufferedWriter(path)) {
            return String.format(
                    Locale.ROOT, "%,d findings and delegations written", text.write(out, above));
        }
    }

    /// The shell finds a command whose name Java keeps for itself behind an underscore; its `help`
    /// does not, so that of `export` tells of it.
    @Descriptor(
            "Reads into the cache what resolver:export wrote; nothing of it counts as proved."
                    + " Example: resolver:import /tmp/cache.txt")
    public List<String> _import(@Descriptor("a file, e.g. /tmp/cache.txt") String file)
            throws IOException {
        CacheText text = new CacheText(records());
        if (!Files.isReadable(Path.of(file))) {
            throw new IllegalArgumentException(
                    file
                            + ": no such file, or not readable; expected one that resolver:export"
                            + " wrote");
        }
        try (Reader in = Files.newBufferedReader(Path.of(file))) {
            CacheText.Imported imported = text.read(in);
            List<String> lines = new ArrayList<>();
            lines.add(
                    String.format(
                            Locale.ROOT, "%,d findings and delegations read", imported.kept()));
            imported.faults().stream().map(TraceText::plain).forEach(lines::add);
            return lines;
        }
    }

    @Descriptor(
            "Counts answers to clients, and what was refused them, since the bundle started."
                    + " Example: resolver:statistics")
    public List<String> statistics() {
        return statistics.get();
    }

    private static String word(Security security) {
        return security.name().toLowerCase(Locale.ROOT);
    }

    private static Question question(String name, String type) {
        int number = Type.value(type, true);
        if (number < 0) {
            throw new IllegalArgumentException(
                    type + ": expected a record type, for example A, MX or TYPE65");
        }
        return new Question(name(name), number);
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    text + ": expected a name, for example www.example.org", e);
        }
    }
}
