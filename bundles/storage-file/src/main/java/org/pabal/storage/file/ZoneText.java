package org.pabal.storage.file;

import org.pabal.dns.Zone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// A zone as a master file, RFC 1035 §5, with `$TTL` (RFC 2308 §4) and `$GENERATE`. `$INCLUDE` is
/// refused: a zone is one file, and no line of it opens another.
final class ZoneText {

    /// `$GENERATE` can make four thousand million records of one line.
    static final int MAX_RECORDS = 10_000_000;

    private static final String EXPECTED =
            "expected NAME TTL TYPE DATA, for example www 3600 A 192.0.2.1";
    private static final int MAX_QUOTED = 120;
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
        List<Record> records = new ArrayList<>();
        LineByLine in = new LineByLine(text);
        try (Master master = new Master(in, origin)) {
            master.disableIncludes(true);
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                if (records.size() == maxRecords) {
                    throw new IOException("more than " + maxRecords + " records");
                }
                requireWire(record);
                records.add(record);
            }
            return records;
        } catch (IOException | RuntimeException e) {
            throw new IllegalArgumentException(
                    file + ":" + in.line + ": " + in.text() + ": " + reason(e) + "; " + EXPECTED,
                    e);
        }
    }

    /// A zone as text that a person can edit, sorted by name.
    static byte[] write(Zone zone) {
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
        Stream<RRset> sorted =
                zone.all()
                        .skip(1)
                        .map(set -> new Sorted(key(set.getName()), set))
                        .sorted(ORDER)
                        .map(Sorted::set);
        Stream.concat(zone.all().limit(1), sorted)
                .forEach(
                        set -> {
                            set.rrs(false).forEach(record -> line(text, zone.origin(), record));
                            set.sigs().forEach(record -> line(text, zone.origin(), record));
                        });
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
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
    /// count at all for some mistakes.
    private static final class LineByLine extends InputStream {

        private final byte[] text;
        private int from;
        private int at;
        private int line;

        LineByLine(byte[] text) {
            this.text = text;
        }

        @Override
        public int read() {
            if (at == text.length) {
                return -1;
            }
            if (at == 0 || text[at - 1] == '\n') {
                from = at;
                line++;
            }
            return text[at++] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) {
            int count = 0;
            while (count < length) {
                int c = read();
                if (c < 0) {
                    return count == 0 ? -1 : count;
                }
                buffer[offset + count++] = (byte) c;
                if (c == '\n') {
                    return count;
                }
            }
            return count;
        }

        String text() {
            int end = from;
            while (end < text.length && text[end] != '\n' && end - from <= 2 * MAX_QUOTED) {
                end++;
            }
            return visible(new String(text, from, end - from, StandardCharsets.ISO_8859_1).strip());
        }
    }
}
