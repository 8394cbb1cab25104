package org.pabal.dns.recursive;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The servers, questions and expected answers of a scripted scenario, without a network: as much
/// of it as a validator has to do with. Stands for the walk in tests of the validator.
final class ScriptedAnswers implements Validator.Fetch {

    private static final Pattern SETTING =
            Pattern.compile("^\\s*([a-z0-9-]+):\\s*\"?([^\"#]*?)\"?\\s*(#.*)?$");
    private static final int MOST_ALIASES = 16;

    /// A reply that a server gives to some questions.
    private static final class Entry {
        private final List<String> match = new ArrayList<>();
        private final List<String> adjust = new ArrayList<>();
        private final List<String> reply = new ArrayList<>();
        private final Map<String, StringBuilder> sections = new HashMap<>();
        private int from;
        private int to;
        private String server = "";

        List<Record> section(String name) {
            return records(
                    sections.getOrDefault(name, new StringBuilder())
                            .toString()
                            .replace("UNUSABLE==", "AAAA"));
        }

        Question question() {
            String[] words =
                    sections.get("QUESTION").toString().strip().replaceAll(";.*", "").split("\\s+");
            return new Question(name(words[0]), words.length < 3 ? Type.ANY : Type.value(words[2]));
        }

        int rcode() {
            return reply.stream()
                    .map(String::toUpperCase)
                    .mapToInt(Rcode::value)
                    .filter(code -> code >= 0)
                    .findFirst()
                    .orElse(Rcode.NOERROR);
        }

        boolean answers(Question asked, int step) {
            if (step < from || step > to) {
                return false;
            }
            Question mine = question();
            for (String each : match) {
                boolean fits =
                        switch (each) {
                            case "qname", "question" -> asked.name().equals(mine.name());
                            case "qtype" -> asked.type() == mine.type();
                            case "subdomain" -> asked.name().subdomain(mine.name());
                            default -> true;
                        };
                if (!fits || each.equals("question") && asked.type() != mine.type()) {
                    return false;
                }
            }
            return true;
        }
    }

    /// What a client asks, and what he should hear.
    record Step(
            int number,
            Question question,
            boolean checkingDisabled,
            boolean hidden,
            Expected expected) {}

    record Expected(int rcode, boolean authentic) {

        /// As a client hears it who does not ask for AD (RFC 6840 §5.7).
        Expected unless(boolean hidden) {
            return new Expected(rcode, authentic && !hidden);
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    final List<Step> steps = new ArrayList<>();
    final StringBuilder anchors = new StringBuilder();
    final List<Name> negative = new ArrayList<>();
    Instant now = Instant.EPOCH;
    String forwarder = "";
    int step;
    int fetched;
    private final Map<Question, Integer> turns = new HashMap<>();

    static ScriptedAnswers read(Path file) throws IOException {
        ScriptedAnswers answers = new ScriptedAnswers();
        answers.parse(Files.readAllLines(file, StandardCharsets.UTF_8));
        return answers;
    }

    private void parse(List<String> lines) {
        int i = 0;
        for (; !lines.get(i).startsWith("CONFIG_END"); i++) {
            String line = lines.get(i).strip();
            Matcher setting = SETTING.matcher(line);
            if (line.startsWith(";") || line.startsWith("#") || !setting.matches()) {
                continue;
            }
            String value = setting.group(2).strip();
            switch (setting.group(1)) {
                case "trust-anchor" -> anchors.append(value).append('\n');
                case "domain-insecure" -> negative.add(name(value));
                case "forward-addr" -> forwarder = value;
                case "val-override-date" ->
                        now =
                                LocalDateTime.parse(
                                                value,
                                                DateTimeFormatter.ofPattern("yyyyMMddHHmmss"))
                                        .toInstant(ZoneOffset.UTC);
                case "val-override-timestamp" -> now = Instant.ofEpochSecond(Long.parseLong(value));
                default -> {}
            }
        }
        int from = 0;
        int to = 0;
        String server = "";
        Entry entry = null;
        String section = "";
        int number = 0;
        String kind = "";
        Entry asked = null;
        for (; i < lines.size(); i++) {
            String line = lines.get(i);
            String[] words = line.replaceAll(";.*", "").strip().split("\\s+");
            switch (words[0]) {
                case "RANGE_BEGIN" -> {
                    from = Integer.parseInt(words[1]);
                    to = Integer.parseInt(words[2]);
                    server = "";
                }
                case "ADDRESS" -> server = server.isEmpty() ? words[1] : server;
                case "RANGE_END" -> server = "";
                case "STEP" -> {
                    number = Integer.parseInt(words[1]);
                    kind = words[2];
                }
                case "ENTRY_BEGIN" -> {
                    entry = new Entry();
                    entry.from = from;
                    entry.to = to;
                    entry.server = server;
                    section = "";
                }
                case "MATCH" -> entry.match.addAll(rest(words));
                case "ADJUST" -> entry.adjust.addAll(rest(words));
                case "REPLY" -> entry.reply.addAll(rest(words));
                case "SECTION" -> section = words[1];
                case "ENTRY_END" -> {
                    if (kind.isEmpty()) {
                        entries.add(entry);
                    } else if (kind.equals("QUERY")) {
                        asked = entry;
                    } else if (kind.equals("CHECK_ANSWER") && asked != null) {
                        boolean flags =
                                entry.match.contains("flags") || entry.match.contains("all");
                        steps.add(
                                new Step(
                                        number,
                                        asked.question(),
                                        asked.reply.contains("CD"),
                                        !flags
                                                || !asked.reply.contains("DO")
                                                        && !asked.reply.contains("AD"),
                                        new Expected(
                                                entry.rcode(),
                                                flags && entry.reply.contains("AD"))));
                        asked = null;
                    }
                }
                default -> {
                    if (entry != null && !section.isEmpty()) {
                        entry.sections
                                .computeIfAbsent(section, key -> new StringBuilder())
                                .append(line.strip())
                                .append('\n');
                    }
                }
            }
        }
    }

    private static List<String> rest(String[] words) {
        return Arrays.stream(words).skip(1).map(ScriptedAnswers::flag).toList();
    }

    private static String flag(String word) {
        return word.equals(word.toUpperCase(Locale.ROOT)) ? word : word.toLowerCase(Locale.ROOT);
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (IOException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    private static List<Record> records(String text) {
        List<Record> records = new ArrayList<>();
        try (Master master =
                new Master(
                        new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
                        Name.root,
                        3600)) {
            for (Record each = master.nextRecord(); each != null; each = master.nextRecord()) {
                records.add(each);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(text, e);
        }
        return records;
    }

    // ---- what the walk does

    /// Follows aliases and has each finding judged.
    Answer answer(Question question, Validator validator, boolean checkingDisabled) {
        Request request =
                Request.of(
                        checkingDisabled ? Request.Wish.CHECKING_DISABLED : Request.Wish.NOTHING,
                        Request.Trace.NONE);
        List<Finding> chain = new ArrayList<>();
        Question next = question;
        while (true) {
            Finding finding = fetch(next, request);
            if (!checkingDisabled) {
                finding = validator.judge(finding, this, request);
                for (int i = 0; i < 3 && finding.security() == Security.BOGUS; i++) {
                    finding =
                            validator.judge(
                                    fetch(
                                            next,
                                            Request.of(Request.Wish.REFRESH, Request.Trace.NONE)),
                                    this,
                                    request);
                }
            }
            chain.add(finding);
            if (finding.kind() != Finding.Kind.ALIAS) {
                return new Answer(question, chain);
            }
            next = new Question(finding.target(), question.type());
            if (chain.size() > MOST_ALIASES) {
                chain.add(Finding.failure(next, Name.root, 0, new Reason(0, "a loop")));
                return new Answer(question, chain);
            }
        }
    }

    @Override
    public Finding fetch(Question question, Request request) {
        fetched++;
        List<Finding> candidates = new ArrayList<>();
        Map<String, Entry> byServer = new LinkedHashMap<>();
        for (Entry entry : entries) {
            if ((forwarder.isEmpty() || entry.server.equals(forwarder))
                    && entry.answers(question, step)) {
                byServer.putIfAbsent(entry.server, entry);
            }
        }
        byServer.values().forEach(entry -> finding(question, entry).ifPresent(candidates::add));
        if (candidates.isEmpty() && question.type() == Type.DS) {
            referred(question).ifPresent(candidates::add);
        }
        if (candidates.isEmpty()) {
            return Finding.failure(
                    question, Name.root, 0, new Reason(22, question + ": nobody answers"));
        }
        int turn =
                request.wish().refresh()
                        ? turns.merge(question, 1, Integer::sum)
                        : turns.getOrDefault(question, 0);
        return candidates.get(turn % candidates.size());
    }

    /// The DS set, or the proof that there is none, that came with a referral.
    private Optional<Finding> referred(Question question) {
        for (Entry entry : entries) {
            List<RRset> authority = sets(entry.section("AUTHORITY"));
            if (entry.section("ANSWER").isEmpty()
                    && authority.stream()
                            .anyMatch(
                                    set ->
                                            set.getType() == Type.NS
                                                    && set.getName().equals(question.name()))) {
                Optional<RRset> ds =
                        authority.stream().filter(set -> set.getType() == Type.DS).findFirst();
                return Optional.of(
                        finding(
                                question,
                                ds.isPresent() ? Finding.Kind.RECORDS : Finding.Kind.NO_RECORD,
                                ds.stream().toList(),
                                authority));
            }
        }
        return Optional.empty();
    }

    private static Optional<Finding> finding(Question question, Entry entry) {
        int rcode = entry.rcode();
        if (rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN) {
            return Optional.empty();
        }
        List<RRset> answer = sets(entry.section("ANSWER"));
        List<RRset> authority = sets(entry.section("AUTHORITY"));
        List<RRset> proof =
                authority.stream()
                        .filter(
                                set ->
                                        set.getType() == Type.NSEC
                                                || set.getType() == Type.NSEC3
                                                || set.getType() == Type.SOA)
                        .toList();
        for (RRset set : answer) {
            if (set.getName().equals(question.name()) && set.getType() == question.type()) {
                return Optional.of(finding(question, Finding.Kind.RECORDS, List.of(set), proof));
            }
        }
        if (question.type() == Type.RRSIG && !answer.isEmpty()) {
            return Optional.of(finding(question, Finding.Kind.RECORDS, answer, proof));
        }
        for (RRset set : answer) {
            if (set.getType() == Type.DNAME
                    && question.name().subdomain(set.getName())
                    && !question.name().equals(set.getName())) {
                try {
                    RRset cname =
                            new RRset(
                                    new CNAMERecord(
                                            question.name(),
                                            DClass.IN,
                                            set.getTTL(),
                                            question.name().fromDNAME((DNAMERecord) set.first())));
                    return Optional.of(
                            finding(question, Finding.Kind.ALIAS, List.of(set, cname), proof));
                } catch (NameTooLongException e) {
                    throw new IllegalArgumentException(e);
                }
            }
        }
        for (RRset set : answer) {
            if (set.getName().equals(question.name()) && set.getType() == Type.CNAME) {
                return Optional.of(finding(question, Finding.Kind.ALIAS, List.of(set), proof));
            }
        }
        boolean referral =
                rcode == Rcode.NOERROR
                        && authority.stream().anyMatch(set -> set.getType() == Type.NS)
                        && authority.stream().noneMatch(set -> set.getType() == Type.SOA)
                        && question.type() != Type.DS;
        if (referral || !answer.isEmpty()) {
            return Optional.empty();
        }
        if (question.type() == Type.DS
                && authority.stream().anyMatch(set -> set.getType() == Type.NS)
                && proof.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                finding(
                        question,
                        rcode == Rcode.NXDOMAIN ? Finding.Kind.NO_NAME : Finding.Kind.NO_RECORD,
                        List.of(),
                        proof));
    }

    private static Finding finding(
            Question question, Finding.Kind kind, List<RRset> records, List<RRset> proof) {
        return new Finding(
                question,
                kind,
                records,
                proof,
                Name.root,
                Security.UNCHECKED,
                Optional.empty(),
                300,
                false);
    }

    private static List<RRset> sets(List<Record> records) {
        record Key(Name name, int type) {}
        Map<Key, RRset> sets = new LinkedHashMap<>();
        for (Record record : records) {
            if (record instanceof RRSIGRecord) {
                continue;
            }
            sets.computeIfAbsent(new Key(record.getName(), record.getType()), key -> new RRset())
                    .addRR(record);
        }
        List<RRset> loose = new ArrayList<>();
        for (Record record : records) {
            if (record instanceof RRSIGRecord signature) {
                RRset set = sets.get(new Key(record.getName(), signature.getTypeCovered()));
                if (set == null) {
                    loose.add(new RRset(signature));
                } else {
                    set.addRR(signature);
                }
            }
        }
        loose.addAll(0, sets.values());
        return loose;
    }
}
