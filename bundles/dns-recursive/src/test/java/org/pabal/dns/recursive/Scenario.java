package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.TTL;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A resolver scenario as Unbound and Deckard write them down (`.rpl`): servers that say what is
/// written, and what a client asks and is to be told. Only what plays without sockets is read.
final class Scenario {

    /// What a server says to what, or a client asks, or is to be told.
    static final class Entry {
        final Set<String> match = new HashSet<>();
        final Set<String> adjust = new HashSet<>();
        final Set<Integer> flags = new HashSet<>();
        boolean wantsDnssec;
        int rcode = Rcode.NOERROR;
        Optional<Record> question = Optional.empty();
        final Map<Integer, List<Record>> sections = new HashMap<>();

        List<Record> section(int section) {
            return sections.getOrDefault(section, List.of());
        }
    }

    record Range(int from, int to, Set<String> addresses, List<Entry> entries) {}

    record Step(int id, String kind, List<String> words, Optional<Entry> entry) {}

    final Map<String, String> settings = new HashMap<>();
    final List<String> anchors = new ArrayList<>();
    final List<Range> ranges = new ArrayList<>();
    final List<Step> steps = new ArrayList<>();

    private Name origin = Name.root;
    private long ttl = 3600;

    static Scenario read(Path file) throws IOException {
        Scenario scenario = new Scenario();
        scenario.read(Files.readString(file, StandardCharsets.ISO_8859_1));
        return scenario;
    }

    private void read(String text) throws IOException {
        int end = text.indexOf("CONFIG_END");
        for (String line : text.substring(0, end).split("\n")) {
            setting(line.replaceFirst("(^|\\s)[;#].*", ""));
        }
        Range range = null;
        Entry entry = null;
        int section = 0;
        for (String line : lines(text.substring(text.indexOf('\n', end)))) {
            String[] words = line.strip().split("\\s+");
            switch (words[0]) {
                case "SCENARIO_BEGIN", "MANDATORY", "RANGE_END", "TRAFFIC" -> {
                    if (words[0].equals("RANGE_END")) {
                        range = null;
                    }
                }
                case "SCENARIO_END" -> {
                    return;
                }
                case "RANGE_BEGIN" -> {
                    range =
                            new Range(
                                    Integer.parseInt(words[1]),
                                    Integer.parseInt(words[2]),
                                    new HashSet<>(),
                                    new ArrayList<>());
                    ranges.add(range);
                }
                case "ADDRESS" -> {
                    if (range != null) {
                        range.addresses.add(address(words[1]));
                    }
                }
                case "STEP" -> {
                    range = null;
                    steps.add(
                            new Step(
                                    Integer.parseInt(words[1]),
                                    words[2],
                                    List.of(words).subList(3, words.length),
                                    Optional.empty()));
                }
                case "ENTRY_BEGIN" -> entry = new Entry();
                case "ENTRY_END" -> {
                    if (range != null) {
                        range.entries.add(entry);
                    } else {
                        Step last = steps.removeLast();
                        steps.add(new Step(last.id, last.kind, last.words, Optional.of(entry)));
                    }
                }
                case "MATCH" -> entry.match.addAll(List.of(words));
                case "ADJUST" -> entry.adjust.addAll(List.of(words));
                case "REPLY", "FLAGS" -> reply(entry, words);
                case "SECTION" ->
                        section =
                                List.of("QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL")
                                        .indexOf(words[1].toUpperCase(Locale.ROOT));
                case "$ORIGIN" -> origin = Name.fromString(words[1], Name.root);
                case "$TTL" -> ttl = Long.parseLong(words[1]);
                default -> {
                    Record record = record(line.strip(), section == 0);
                    if (section == 0) {
                        entry.question = Optional.of(record);
                    } else {
                        entry.sections.computeIfAbsent(section, s -> new ArrayList<>()).add(record);
                    }
                }
            }
        }
    }

    private void setting(String line) {
        int colon = line.indexOf(':');
        if (colon > 0) {
            String key = line.substring(0, colon).strip();
            String value = line.substring(colon + 1).strip().replace("\"", "");
            if (key.equals("trust-anchor")) {
                anchors.add(value.strip());
            }
            settings.putIfAbsent(key, value);
        }
    }

    private static List<String> lines(String text) {
        List<String> lines = new ArrayList<>();
        String open = "";
        for (String raw : text.split("\n")) {
            String line = open + withoutComment(raw);
            if (line.isBlank()) {
                continue;
            }
            long depth =
                    line.chars().filter(c -> c == '(').count()
                            - line.chars().filter(c -> c == ')').count();
            if (depth > 0 && !line.contains("\"")) {
                open = line + " ";
                continue;
            }
            open = "";
            lines.add(line);
        }
        return lines;
    }

    private static String withoutComment(String line) {
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            if (line.charAt(i) == '"' && (i == 0 || line.charAt(i - 1) != '\\')) {
                quoted = !quoted;
            } else if (line.charAt(i) == ';' && !quoted) {
                return line.substring(0, i);
            }
        }
        return line;
    }

    private static void reply(Entry entry, String[] words) {
        for (String word : words) {
            if (word.equals("REPLY") || word.equals("FLAGS") || Opcode.value(word) >= 0) {
                continue;
            }
            if (word.equals("DO")) {
                entry.wantsDnssec = true;
            } else if (Flags.value(word) >= 0) {
                entry.flags.add(Flags.value(word));
            } else if (Rcode.value(word) >= 0) {
                entry.rcode = Rcode.value(word);
            } else {
                throw new IllegalArgumentException("unknown word " + word);
            }
        }
    }

    private Record record(String line, boolean question) throws IOException {
        String[] words = line.split("\\s+", -1);
        Name owner = Name.fromString(words[0], origin);
        int at = 1;
        long own = ttl;
        while (true) {
            String word = words[at].toUpperCase(Locale.ROOT);
            if (word.matches("\\d+[SMHDW]?")) {
                own = TTL.parse(word, true);
            } else if (!word.equals("IN") && !word.equals("CH")) {
                break;
            }
            at++;
        }
        int type = Type.value(words[at]);
        if (question) {
            return Record.newRecord(owner, type, DClass.IN);
        }
        String rest = String.join(" ", List.of(words).subList(at + 1, words.length));
        return Record.fromString(owner, type, DClass.IN, own, rest, origin);
    }

    static String address(String text) throws IOException {
        return InetAddress.ofLiteral(text).getHostAddress();
    }
}
