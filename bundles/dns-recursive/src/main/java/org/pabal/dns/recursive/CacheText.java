package org.pabal.dns.recursive;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Tokenizer;
import org.xbill.DNS.Type;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What is in the cache as text, for people and for other caches: a master file (RFC 1035 §5) in
/// which comments say what its records cannot.
///
/// ```
/// ;; www.example.org. A records secure example.org. 299
/// www.example.org. 299 IN A 192.0.2.1
/// www.example.org. 299 IN RRSIG A 13 3 300 20360101000000 …
/// ;; no.example.org. ANY no-name insecure example.org. 60
/// ;authority
/// example.org. 60 IN SOA ns.example.org. admin.example.org. 1 7200 3600 1209600 60
/// ;; dead.example.org. A failure unchecked example.org. 17 22 nobody answers
/// ;; example.org. delegation 3600
/// example.org. 3600 IN NS ns.example.org.
/// ;glue
/// ns.example.org. 3600 IN A 192.0.2.53
/// ```
/// A finding begins with `;; NAME TYPE KIND SECURITY ZONE TTL [CODE REASON]`: the kind is
/// `records`, `alias`, `no-record`, `no-name` or `failure`, the verdict `secure`, `insecure`,
/// `unchecked` or `bogus`, and the TTL what is left of it. Its records follow, those of the
/// authority section after `;authority`. A delegation begins with `;; ZONE delegation TTL`; the
/// addresses of its name servers come after `;glue`. Lines that begin with one `;`, and empty
/// lines, say nothing.
final class CacheText {

    private static final String HEADING = ";; ";
    private static final String AUTHORITY = ";authority";
    private static final String GLUE = ";glue";
    private static final String DELEGATION = "delegation";

    /// So much can be wrong until nobody wants to read more of it.
    private static final int MOST_FAULTS = 100;

    /// More than fit into a message of 65,535 octets.
    private static final int MOST_RECORDS = 6_000;

    private final RecordCache cache;

    CacheText(RecordCache cache) {
        this.cache = cache;
    }

    /// What came of an import.
    ///
    /// @param kept findings and delegations that were given to the cache
    /// @param faults what could not be read, e.g. `line 7: not an address`; 100 at most
    record Imported(long kept, List<String> faults) {
        Imported {
            faults = List.copyOf(faults);
        }
    }

    /// Writes what is live at and below a name.
    ///
    /// @return how many findings and delegations that was
    long write(Appendable out, Name above) throws IOException {
        byte[] wire = above.toWireCanonical();
        long now = cache.now();
        long[] count = {0};
        try {
            cache.forEach(
                    entry -> {
                        if (entry.live(now) && RecordCache.atOrBelow(entry, wire)) {
                            write(entry, now, out);
                            count[0]++;
                        }
                    });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return count[0];
    }

    private static void write(Entry entry, long now, Appendable out) {
        try {
            if (entry.keyType() == Entry.DELEGATION) {
                Delegation delegation = entry.delegation(now);
                out.append(HEADING + delegation.zone() + " " + DELEGATION + " " + delegation.ttl());
                out.append('\n');
                write(List.of(delegation.ns()), out);
                out.append(GLUE).append('\n');
                write(delegation.glue(), out);
                return;
            }
            Finding finding = entry.finding(now);
            out.append(heading(finding)).append('\n');
            write(finding.records(), out);
            if (!finding.proof().isEmpty()) {
                out.append(AUTHORITY).append('\n');
                write(finding.proof(), out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String heading(Finding finding) {
        String reason =
                finding.reason()
                        .map(r -> " " + r.code() + " " + r.text().replaceAll("[\\r\\n]", " "))
                        .orElse("");
        return HEADING
                + finding.question()
                + " "
                + word(finding.kind())
                + " "
                + word(finding.security())
                + " "
                + finding.zone()
                + " "
                + finding.ttl()
                + reason;
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static void write(List<RRset> sets, Appendable out) throws IOException {
        for (RRset set : sets) {
            List<Record> records = new ArrayList<>(set.rrs(false));
            records.addAll(set.sigs());
            for (Record record : records) {
                out.append(record.getName() + " " + record.getTTL() + " IN ");
                out.append(Type.string(record.getType()) + " " + record.rdataToString());
                out.append('\n');
            }
        }
    }

    /// Reads what [#write] wrote, here or elsewhere, or what a person wrote, and gives it to the
    /// cache. A finding of which a line is wrong is left out.
    ///
    /// Whatever the text says of verdicts, nobody has looked here: everything counts as
    /// [Security#UNCHECKED], and is judged before it is served. Failures are left out.
    Imported read(Reader text) throws IOException {
        Import run = new Import();
        BufferedReader lines = new BufferedReader(text);
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            try {
                run.line(line.strip(), number);
            } catch (IOException | RuntimeException e) { // of the many readers of records
                run.fault(number, e);
            }
        }
        run.end();
        return new Imported(run.kept, run.faults);
    }

    /// What is being read.
    private final class Import {

        private final List<String> faults = new ArrayList<>();
        private long kept;

        private Optional<Heading> heading = Optional.empty();
        private int headingLine;
        private boolean broken;
        private boolean authority;
        private List<RRset> records = new ArrayList<>();
        private List<RRset> proof = new ArrayList<>();
        private int count;

        private void line(String line, int number) throws IOException {
            if (line.startsWith(HEADING)) {
                end();
                headingLine = number;
                broken = true; // until it is read
                heading = Optional.of(Heading.parse(line.substring(HEADING.length())));
                broken = false;
            } else if (line.equals(AUTHORITY) || line.equals(GLUE)) {
                authority = true;
            } else if (!line.isEmpty() && !line.startsWith(";")) {
                if (headingLine == 0) {
                    throw new IOException("a record before any heading");
                }
                if (++count > MOST_RECORDS) {
                    throw new IOException("more records than a message has");
                }
                add(record(line), authority ? proof : records);
            }
        }

        private void fault(int number, Exception e) {
            broken = true;
            if (faults.size() < MOST_FAULTS) {
                String what = Optional.ofNullable(e.getMessage()).orElse(e.toString());
                faults.add("line " + number + ": " + what);
            }
        }

        private void end() {
            if (heading.isPresent() && !broken) {
                try {
                    kept += keep(heading.get()) ? 1 : 0;
                } catch (IOException | RuntimeException e) {
                    fault(headingLine, e);
                }
            }
            heading = Optional.empty();
            broken = false;
            authority = false;
            records = new ArrayList<>();
            proof = new ArrayList<>();
            count = 0;
        }

        private boolean keep(Heading what) throws IOException {
            if (what.kind().isEmpty()) {
                check(records.size() == 1, "expected NS records and nothing else before ;glue");
                RRset ns = records.getFirst();
                check(
                        ns.getType() == Type.NS && ns.getName().equals(what.question().name()),
                        "expected the NS records of " + what.question().name());
                cache.keep(new Delegation(ns.getName(), ns, proof, what.ttl()));
                return true;
            }
            Finding.Kind kind = what.kind().get();
            boolean alias = kind == Finding.Kind.ALIAS;
            Question question =
                    alias ? new Question(what.question().name(), Type.CNAME) : what.question();
            if (kind == Finding.Kind.FAILURE) {
                return false;
            }
            if (kind == Finding.Kind.RECORDS || alias) {
                check(!records.isEmpty(), "expected records");
                RRset last = records.getLast();
                boolean chain = alias || question.type() == Type.CNAME; // with its DNAME
                boolean signatures = question.type() == Type.RRSIG && last.size() == 0;
                check(
                        last.getName().equals(question.name())
                                && (signatures
                                        || (records.size() == 1 || chain)
                                                && last.size() > 0
                                                && last.getType() == question.type()),
                        "expected the records of " + question);
                check(
                        !alias || last.size() == 1 && last.first() instanceof CNAMERecord,
                        "expected one CNAME");
            } else {
                check(records.isEmpty(), "expected no records before ;authority");
            }
            cache.keep(
                    new Finding(
                            question,
                            kind,
                            records,
                            proof,
                            what.zone(),
                            Security.UNCHECKED,
                            Optional.empty(),
                            what.ttl(),
                            false));
            return true;
        }
    }

    /// @param kind empty for a delegation
    private record Heading(Question question, Optional<Finding.Kind> kind, Name zone, long ttl) {

        static Heading parse(String line) throws IOException {
            String[] words = line.split("\\s+");
            check(words.length >= 3, "expected NAME TYPE KIND SECURITY ZONE TTL");
            Name name = name(words[0]);
            if (words[1].equals(DELEGATION)) {
                return new Heading(
                        new Question(name, Type.NS), Optional.empty(), name, seconds(words[2]));
            }
            check(words.length >= 6, "expected NAME TYPE KIND SECURITY ZONE TTL");
            int type = Type.value(words[1], true);
            check(type >= 0, words[1] + ": not a type");
            return new Heading(
                    new Question(name, type),
                    Optional.of(kind(words[2])),
                    name(words[4]),
                    seconds(words[5]));
        }

        private static Finding.Kind kind(String word) throws IOException {
            for (Finding.Kind kind : Finding.Kind.values()) {
                if (word(kind).equals(word)) {
                    return kind;
                }
            }
            throw new IOException(
                    word + ": expected records, alias, no-record, no-name, failure or delegation");
        }
    }

    private static void add(Record record, List<RRset> sets) throws IOException {
        if (record instanceof RRSIGRecord signature) {
            for (RRset set : sets) {
                boolean covers =
                        set.getType() == signature.getTypeCovered()
                                && set.getName().equals(signature.getName());
                if (covers) {
                    set.addRR(signature);
                    return;
                }
            }
            sets.add(new RRset(signature));
        } else if (!sets.isEmpty() && sets.getLast().first().sameRRset(record)) {
            sets.getLast().addRR(record);
        } else {
            sets.add(new RRset(record));
        }
    }

    /// `NAME TTL IN TYPE DATA`.
    private static Record record(String line) throws IOException {
        String[] words = line.split("\\s+", 5);
        check(words.length == 5 && words[2].equals("IN"), "expected NAME TTL IN TYPE DATA");
        int type = Type.value(words[3], true);
        check(type > 0, words[3] + ": not a type");
        try (Tokenizer data = new Tokenizer(words[4])) {
            return Record.fromString(
                    name(words[0]), type, DClass.IN, seconds(words[1]), data, Name.root);
        }
    }

    private static Name name(String text) throws TextParseException {
        return Name.fromString(text, Name.root);
    }

    private static long seconds(String text) throws IOException {
        check(text.matches("\\d{1,9}"), text + ": not a number of seconds");
        return Long.parseLong(text);
    }

    private static void check(boolean holds, String otherwise) throws IOException {
        if (!holds) {
            throw new IOException(otherwise);
        }
    }
}
