package org.pabal.storage.file;

import org.pabal.dns.Zone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TTL;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// A zone as a master file, RFC 1035 §5, with `$TTL` (RFC 2308 §4) and `$GENERATE`. `$INCLUDE` is
/// refused unless the caller says what it may open.
final class ZoneText {

    /// Opens what `$INCLUDE` names.
    interface Includes {

        /// @throws IOException when it may not be opened; tells what was expected
        byte[] open(String name) throws IOException;
    }

    static final Includes NONE =
            name -> {
                throw new IOException("$INCLUDE is only for files in the directory of the zones");
            };

    /// `$GENERATE` can make four thousand million records of one line.
    static final int MAX_RECORDS = 10_000_000;

    private static final String EXPECTED =
            "expected NAME TTL TYPE DATA, for example www 3600 A 192.0.2.1";
    private static final int MAX_QUOTED = 120;
    private static final int FLUSH = 1 << 16;
    private static final int MAX_LINE = 1_000;
    private static final int MAX_DEPTH = 8;
    private static final Comparator<Sorted> ORDER =
            Comparator.comparing(Sorted::key).thenComparingInt(sorted -> sorted.set().getType());

    private record Sorted(String key, RRset set) {}

    /// Types that dnsjava reads and writes for certain. Others are tried, and written as RFC 3597
    /// §5 says when their text cannot be read back.
    private static final Set<Integer> COMMON =
            Set.of(
                    Type.A,
                    Type.AAAA,
                    Type.NS,
                    Type.CNAME,
                    Type.MX,
                    Type.PTR,
                    Type.SRV,
                    Type.TXT,
                    Type.DS);

    private ZoneText() {}

    /// @throws IllegalArgumentException when a line is malformed; tells the line and what was
    ///     expected
    static List<Record> read(Name origin, byte[] text, String file) {
        return read(origin, text, file, MAX_RECORDS);
    }

    static List<Record> read(Name origin, byte[] text, String file, int maxRecords) {
        return read(origin, text, file, maxRecords, NONE);
    }

    static List<Record> read(
            Name origin, byte[] text, String file, int maxRecords, Includes includes) {
        List<Record> records = new ArrayList<>();
        read(origin, text, file, maxRecords, includes, records::add);
        return records;
    }

    /// The same without keeping the records.
    static void read(
            Name origin,
            byte[] text,
            String file,
            int maxRecords,
            Includes includes,
            Consumer<Record> records) {
        read(new Part(origin, -1, text, file, 0), includes, new Counted(records, maxRecords));
    }

    /// A record that is well written and cannot be in the zone.
    private static final class Unfit extends IOException {
        private static final long serialVersionUID = 1L;

        Unfit(IllegalArgumentException cause) {
            super(cause.getMessage().replaceFirst("^zone \\S+: ", ""), cause);
        }
    }

    /// Hands records on, up to a number.
    private static final class Counted {
        private final Consumer<Record> next;
        private int left;

        Counted(Consumer<Record> next, int most) {
            this.next = next;
            this.left = most;
        }

        void add(Record record) throws IOException {
            if (left == 0) {
                throw new IOException("too many records; expected at most " + MAX_RECORDS);
            }
            left--;
            try {
                next.accept(record);
            } catch (IllegalArgumentException e) {
                throw new Unfit(e);
            }
        }
    }

    /// A file, or one that it includes.
    ///
    /// @param ttl what `$TTL` said last, or -1
    private record Part(Name origin, long ttl, byte[] text, String file, int depth) {}

    /// `$INCLUDE`, and what held where it stood.
    private record Include(int line, String text, Name origin, long ttl) {}

    private static void read(Part part, Includes includes, Counted records) {
        LineByLine in = new LineByLine(part);
        long minimum = -1;
        try (Master master = new Master(in, part.origin(), part.ttl())) {
            master.disableIncludes(true);
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                requireWire(record);
                if (record instanceof SOARecord soa) {
                    minimum = soa.getMinimum();
                }
                records.add(record);
            }
        } catch (Unfit e) {
            throw bad(part, in.line, in.text(), e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            throw bad(part, in.line, in.text(), reason(e) + "; " + EXPECTED, e);
        }
        for (Include include : in.includes) {
            try {
                read(included(part, include, includes, minimum), includes, records);
            } catch (IOException e) {
                throw bad(part, include.line(), visible(include.text()), reason(e), e);
            }
        }
    }

    /// RFC 1035 §5.1: the origin of the file that includes is not changed by what is included; here
    /// its `$TTL` and its last name are not either.
    private static Part included(Part part, Include include, Includes includes, long minimum)
            throws IOException {
        List<String> words = words(include.text());
        if (words.size() < 2 || words.size() > 3) {
            throw new IOException(
                    "expected $INCLUDE FILE [ORIGIN], for example $INCLUDE hosts.inc");
        }
        if (part.depth() == MAX_DEPTH) {
            throw new IOException(
                    "expected files to include one another at most " + MAX_DEPTH + " deep");
        }
        Name origin =
                words.size() == 2
                        ? include.origin()
                        : Name.fromString(words.get(2), include.origin());
        // without $TTL the SOA's MINIMUM, as dnsjava does within one file
        long ttl = include.ttl() < 0 ? minimum : include.ttl();
        String name = words.get(1);
        return new Part(origin, ttl, includes.open(name), name, part.depth() + 1);
    }

    /// The words of a directive, without quotes and remarks.
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        for (String word : line.replaceFirst(";.*", "").strip().split("\\s+")) {
            boolean quoted = word.length() > 1 && word.startsWith("\"") && word.endsWith("\"");
            words.add(quoted ? word.substring(1, word.length() - 1) : word);
        }
        return words;
    }

    private static IllegalArgumentException bad(
            Part part, int line, String text, String why, Exception cause) {
        return new IllegalArgumentException(
                part.file() + ":" + line + ": " + text + ": " + why, cause);
    }

    /// A zone as text that a person can edit, sorted by name.
    static byte[] write(Zone zone) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        try {
            write(zone, octets);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return octets.toByteArray();
    }

    static void write(Zone zone, OutputStream out) throws IOException {
        StringBuilder text = new StringBuilder();
        text.append("; Zone ")
                .append(zone.origin())
                .append(
                        " Change the serial with the rest, and the file is read again in"
                                + " seconds.\n");
        text.append(
                "; The node writes this file when a record is changed by a command or an update;"
                        + " remarks are not kept then.\n");
        text.append("$ORIGIN ").append(zone.origin()).append('\n');
        List<Sorted> sorted = new ArrayList<>();
        try (Stream<RRset> all = zone.all()) {
            all.forEach(set -> sorted.add(new Sorted(key(set.getName()), set)));
        }
        sorted.subList(1, sorted.size()).sort(ORDER); // the SOA stays the first
        for (Sorted each : sorted) {
            each.set().rrs(false).forEach(record -> line(text, zone.origin(), record));
            each.set().sigs().forEach(record -> line(text, zone.origin(), record));
            if (text.length() > FLUSH) {
                out.write(text.toString().getBytes(StandardCharsets.ISO_8859_1));
                text.setLength(0);
            }
        }
        out.write(text.toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    /// dnsjava takes some values that it cannot send: a time beyond 32 bits, for one (security row
    /// D17).
    private static void requireWire(Record record) throws IOException {
        if (!COMMON.contains(record.getType())
                && !Record.fromWire(record.toWire(Section.ANSWER), Section.ANSWER).equals(record)) {
            throw new IOException("its data cannot be sent");
        }
    }

    private static void line(StringBuilder text, Name origin, Record record) {
        Name name = record.getName();
        text.append(name.equals(origin) ? "@" : name.relativize(origin)).append(' ');
        text.append(record.getTTL())
                .append(" IN ")
                .append(Type.string(record.getType()))
                .append(' ');
        text.append(data(record)).append('\n');
    }

    /// Sorts as RFC 4034 §6.1 says: by label from the right, in lower case. Characters are one more
    /// than the octets, so that the end of a label comes before all of them.
    private static String key(Name name) {
        StringBuilder key = new StringBuilder(name.length());
        for (int i = name.labels() - 1; i >= 0; i--) {
            byte[] label = name.getLabel(i);
            for (int at = 1; at < label.length; at++) {
                int octet =
                        label[at] >= 'A' && label[at] <= 'Z' ? label[at] + 0x20 : label[at] & 0xFF;
                key.append((char) (octet + 1));
            }
            key.append('\0');
        }
        return key.toString();
    }

    private static String data(Record record) {
        if (COMMON.contains(record.getType())) {
            return record.rdataToString();
        }
        try {
            String text = record.rdataToString();
            Record again =
                    Record.fromString(Name.root, record.getType(), DClass.IN, 0, text, Name.root);
            if (Arrays.equals(again.rdataToWireCanonical(), record.rdataToWireCanonical())) {
                return text;
            }
        } catch (IOException | RuntimeException e) {
            // no text that can be read back: written as octets below
        }
        byte[] octets = record.rdataToWireCanonical();
        return "\\# " + octets.length + " " + HexFormat.of().formatHex(octets);
    }

    private static String reason(Exception e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return visible(message.replaceFirst("^<none>:\\d+: ", ""));
    }

    private static String visible(String text) {
        String clean = text.replaceAll("[^\\x20-\\x7E]", "?");
        return clean.length() > MAX_QUOTED ? clean.substring(0, MAX_QUOTED) + "…" : clean;
    }

    /// Hands out one line at a time, so that we know which one is being read when something is
    /// wrong with it: dnsjava counts the next line already when one ends too early, and does not
    /// count at all for some mistakes. Directives that dnsjava does not do as we want stop here.
    private static final class LineByLine extends InputStream {

        private final byte[] text;
        private final List<Include> includes = new ArrayList<>();
        private byte[] instead = {};
        private int insteadAt;
        private Name origin;
        private long ttl;
        private int from;
        private int at;
        private int line;
        private int depth;
        private boolean quoted;
        private boolean remark;
        private boolean escaped;

        LineByLine(Part part) {
            text = part.text();
            origin = part.origin();
            ttl = part.ttl();
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) {
            if (insteadAt < instead.length) {
                int count = Math.min(length, instead.length - insteadAt);
                System.arraycopy(instead, insteadAt, buffer, offset, count);
                insteadAt += count;
                return count;
            }
            if (at == text.length) {
                return -1;
            }
            if (at == 0 || text[at - 1] == '\n') {
                from = at;
                line++;
                quoted = false;
                remark = false;
                escaped = false;
                if (text[at] == '$' && depth == 0 && directive()) {
                    return read(buffer, offset, length);
                }
            }
            int count = 0;
            byte c = 0;
            while (count < length && at < text.length && c != '\n') {
                c = text[at++];
                buffer[offset + count++] = c;
                follow(c);
            }
            return count;
        }

        /// Counts the parentheses, by which a record goes on in the next line (RFC 1035 §5.1).
        private void follow(byte c) {
            if (escaped) {
                escaped = false;
            } else if (c == '\\') {
                escaped = true;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ';') {
                remark |= !quoted;
            } else if (!quoted && !remark) {
                depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            }
        }

        /// Looks at a line that begins with `$`.
        ///
        /// @return whether something else is to be read in its place
        private boolean directive() {
            List<String> words = words(line());
            String word = words.getFirst().toUpperCase(Locale.ROOT);
            try {
                if (word.equals("$TTL") && words.size() > 1) {
                    ttl = TTL.parseTTL(words.get(1));
                } else if (word.equals("$ORIGIN") && words.size() == 2) {
                    // dnsjava takes a relative one for absolute
                    origin = Name.fromString(words.get(1), origin);
                    return replace("$ORIGIN " + origin + "\n");
                } else if (word.equals("$INCLUDE")) {
                    includes.add(new Include(line, line(), origin, ttl));
                    return replace("\n");
                }
            } catch (IOException | NumberFormatException e) {
                return false; // dnsjava will say the same
            }
            return false;
        }

        private boolean replace(String other) {
            instead = other.getBytes(StandardCharsets.ISO_8859_1);
            insteadAt = 0;
            at = end();
            if (at < text.length) {
                at++;
            }
            return true;
        }

        private int end() {
            int end = from;
            while (end < text.length && text[end] != '\n') {
                end++;
            }
            return end;
        }

        private String line() {
            int length = Math.min(end() - from, MAX_LINE);
            return new String(text, from, length, StandardCharsets.ISO_8859_1);
        }

        /// As much of the line as is told to a person.
        String text() {
            return visible(line().strip());
        }
    }
}
