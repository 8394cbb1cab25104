package org.pabal.smtp.client;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The header of a message or of a part of one: its octets, where its fields stand, and what they
/// say of the body, RFC 2045.
///
/// Of fields that stand there twice the first one counts.
final class MimeHeader {

    /// One field with its folded lines and its last CR LF.
    record Field(String name, int from, int to) {}

    private final byte[] octets;
    private final List<Field> fields = new ArrayList<>();
    private final int end; // where the empty line begins, or the octets end

    /// In lower case; both empty without a Content-Type that can be read.
    final String type;

    final String subtype;

    /// Empty also when it is no boundary by RFC 2046 §5.1.1.
    final Optional<String> boundary;

    /// The Content-Transfer-Encoding in lower case, `7bit` without one (RFC 2045 §6.1).
    final String encoding;

    /// @param octets the header with its last empty line, if it has one
    MimeHeader(byte[] octets) {
        this.octets = octets;
        int at = 0;
        while (at < octets.length && !emptyLine(at)) {
            int next = lineAfter(at);
            while (next < octets.length && blank(octets[next]) && !emptyLine(next)) {
                next = lineAfter(next);
            }
            fields.add(new Field(nameAt(at, next), at, next));
            at = next;
        }
        end = at;
        HeaderValue content = new HeaderValue(value("content-type"));
        String first = content.token();
        boolean slash = content.take('/');
        String second = slash ? content.token() : "";
        boolean readable = !first.isEmpty() && !second.isEmpty();
        type = readable ? first : "";
        subtype = readable ? second : "";
        boundary =
                readable && first.equals("multipart")
                        ? content.parameter("boundary").filter(MimeHeader::usable)
                        : Optional.empty();
        String said = new HeaderValue(value("content-transfer-encoding")).token();
        encoding = said.isEmpty() ? "7bit" : said;
    }

    byte[] octets() {
        return octets;
    }

    List<Field> fields() {
        return fields;
    }

    /// Where the empty line begins, or the octets end.
    int end() {
        return end;
    }

    boolean has(String name) {
        return fields.stream().anyMatch(field -> field.name().equals(name));
    }

    /// `is("multipart", "signed")`
    boolean is(String type, String subtype) {
        return this.type.equals(type) && this.subtype.equals(subtype);
    }

    private String value(String name) {
        for (Field field : fields) {
            if (field.name().equals(name)) {
                String all =
                        new String(
                                octets,
                                field.from(),
                                field.to() - field.from(),
                                StandardCharsets.ISO_8859_1);
                return all.substring(all.indexOf(':') + 1);
            }
        }
        return "";
    }

    private boolean emptyLine(int at) {
        return at + 1 < octets.length && octets[at] == '\r' && octets[at + 1] == '\n';
    }

    private int lineAfter(int at) {
        int feed = LineEnds.feed(octets, at, octets.length);
        while (feed < octets.length && (feed == at || octets[feed - 1] != '\r')) {
            feed = LineEnds.feed(octets, feed + 1, octets.length);
        }
        return Math.min(octets.length, feed + 1);
    }

    private static boolean blank(byte octet) {
        return octet == ' ' || octet == '\t';
    }

    private String nameAt(int from, int to) {
        int i = from;
        while (i < to && octets[i] > ' ' && octets[i] < 127 && octets[i] != ':') {
            i++;
        }
        int stop = i;
        while (i < to && blank(octets[i])) {
            i++; // RFC 5322 §4.5: there may be blanks before the colon
        }
        return i < to && octets[i] == ':'
                ? new String(octets, from, stop - from, StandardCharsets.US_ASCII)
                        .toLowerCase(Locale.ROOT)
                : "";
    }

    // RFC 2046 §5.1.1 allows 70 octets and no asterisk, which is what we put for an octet that
    // cannot be passed: it must not make a boundary
    private static boolean usable(String boundary) {
        return !boundary.isEmpty()
                && boundary.length() <= 200
                && boundary.chars().allMatch(c -> c >= ' ' && c < 127 && c != '*')
                && !boundary.endsWith(" ");
    }
}
