package org.pabal.dns.policy;

import java.io.IOException;
import java.io.InputStream;
import java.net.IDN;
import java.nio.charset.StandardCharsets;

/// Reads block lists, in each of the forms that are about, which may be mixed.
///
/// | line | blocks |
/// | --- | --- |
/// | `0.0.0.0 ads.example.org …`, with any address of nowhere or loopback | these names |
/// | `ads.example.org` | this name |
/// | `*.example.org` | what is below this name |
/// | `\|\|example.org^` | this name and what is below it |
/// | `@@\|\|example.org^` | not this name, and not what is below it |
/// | empty, or beginning with `#`, `!` or `[` | nothing |
///
/// Lists come from strangers: what is anything else is counted and passed over.
final class ListReader {

    private static final int MAX_LINE = 4096;

    private final BlockedNames.Builder names;
    private final int maxNames;
    private final byte[] line = new byte[MAX_LINE];
    private final byte[] wire = new byte[256];
    private int end;
    private long number;
    private long skipped;
    private long firstSkipped;

    /// @param maxNames more than these are trouble
    ListReader(BlockedNames.Builder names, int maxNames) {
        this.names = names;
        this.maxNames = maxNames;
    }

    /// How many lines there were that say nothing which could be blocked.
    long skipped() {
        return skipped;
    }

    /// The number of the first of them, from 1.
    long firstSkipped() {
        return firstSkipped;
    }

    /// @throws IOException when it cannot be read, or has too many names
    ListReader read(InputStream in) throws IOException {
        byte[] buffer = new byte[65_536];
        boolean tooLong = false;
        boolean any = false;
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            for (int i = 0; i < count; i++) {
                byte octet = buffer[i];
                any = true;
                if (octet == '\n') {
                    line(tooLong);
                    tooLong = false;
                    any = false;
                } else if (end < MAX_LINE) {
                    line[end++] = octet;
                } else {
                    tooLong = true;
                }
            }
        }
        if (any) {
            line(tooLong);
        }
        return this;
    }

    private void line(boolean tooLong) throws IOException {
        number++;
        boolean understood = !tooLong && line();
        end = 0;
        if (!understood && skipped++ == 0) {
            firstSkipped = number;
        }
        if (names.size() > maxNames) {
            throw new IOException("more than " + maxNames + " names");
        }
    }

    private boolean line() {
        int from = 0;
        if (number == 1 && starts(0, "\u00ef\u00bb\u00bf")) {
            from = 3; // the mark of UTF-8
        }
        from = behindSpace(from);
        int to = beforeSpace(from);
        if (from == to || "#![".indexOf(line[from]) >= 0) {
            return true;
        }
        if (starts(from, "@@||")) {
            return adblock(from + 4, to, BlockedNames.ALLOWED);
        }
        if (starts(from, "||")) {
            return adblock(from + 2, to, BlockedNames.EXACT | BlockedNames.BELOW);
        }
        int first = word(from, to);
        int second = behindSpace(first);
        if (second >= to || line[second] == '#') {
            return plain(from, first);
        }
        return hosts(from, first, to);
    }

    private boolean adblock(int from, int to, int flags) {
        int caret = from;
        while (caret < to && line[caret] != '^') {
            caret++;
        }
        if (caret == to || !unconditional(caret + 1, to)) {
            return false;
        }
        int length = name(from, caret);
        if (length > 0) {
            names.add(wire, length, flags);
        }
        return length > 0;
    }

    /// What depends on the page that a name is on is nothing that a name server could know.
    private boolean unconditional(int from, int to) {
        int at = from < to && line[from] == '|' ? from + 1 : from;
        return at == to
                || to - at == 10 && starts(at, "$important")
                || to - at == 4 && starts(at, "$all");
    }

    private boolean plain(int from, int to) {
        boolean below = to - from > 2 && starts(from, "*.");
        int length = name(below ? from + 2 : from, to);
        if (length > 0) {
            names.add(wire, length, below ? BlockedNames.BELOW : BlockedNames.EXACT);
        }
        return length > 0;
    }

    /// The names of the machine itself, which such files begin with, have no dot.
    private boolean hosts(int from, int first, int to) {
        if (!nowhere(from, first)) {
            return false;
        }
        boolean understood = true;
        for (int at = behindSpace(first); at < to && line[at] != '#'; ) {
            int next = word(at, to);
            int length = name(at, next);
            if (length <= 0) {
                understood &= address(at, next);
            } else if (length > 1 + (wire[0] & 0xFF) && !local(length)) {
                names.add(wire, length, BlockedNames.EXACT);
            }
            at = behindSpace(next);
        }
        return understood;
    }

    private boolean nowhere(int from, int to) {
        String text = text(from, to);
        return text.equals("0.0.0.0")
                || text.startsWith("127.")
                || text.equals("::")
                || text.equals("::1")
                || text.equals("0:0:0:0:0:0:0:0")
                || text.equals("0:0:0:0:0:0:0:1");
    }

    private boolean address(int from, int to) {
        return text(from, to).equals("0.0.0.0");
    }

    private boolean local(int length) {
        return length == 22
                && new String(wire, 0, length, StandardCharsets.ISO_8859_1)
                        .equals("\tlocalhost\u000blocaldomain");
    }

    private String text(int from, int to) {
        return new String(line, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /// Puts a name into `wire`, without its root.
    ///
    /// @return how long it is there, or 0 when it is no name
    private int name(int from, int to) {
        for (int at = from; at < to; at++) {
            if (line[at] < 0) {
                return international(from, to);
            }
        }
        return name(line, from, to);
    }

    private int name(byte[] text, int from, int to) {
        int last = to > from && text[to - 1] == '.' ? to - 1 : to;
        if (last == from || last - from > 253) {
            return 0; // RFC 1035 §2.3.4
        }
        int label = 0;
        int at = 1;
        boolean digits = true;
        for (int i = from; i < last; i++) {
            int octet = text[i];
            if (octet == '.') {
                if (!ended(label, at)) {
                    return 0;
                }
                label = at++;
                digits = true;
            } else if (octet >= 'a' && octet <= 'z' || octet == '-' || octet == '_') {
                wire[at++] = (byte) octet;
                digits = false;
            } else if (octet >= 'A' && octet <= 'Z') {
                wire[at++] = (byte) (octet + 'a' - 'A');
                digits = false;
            } else if (octet >= '0' && octet <= '9') {
                wire[at++] = (byte) octet;
            } else {
                return 0;
            }
        }
        // a last label of digits is that of an address
        return !digits && ended(label, at) ? at : 0;
    }

    private boolean ended(int label, int at) {
        int length = at - label - 1;
        wire[label] = (byte) length;
        return length > 0 && length <= 63;
    }

    private int international(int from, int to) {
        if (to - from > 253) {
            return 0;
        }
        try {
            String unicode = new String(line, from, to - from, StandardCharsets.UTF_8);
            byte[] ascii = IDN.toASCII(unicode).getBytes(StandardCharsets.ISO_8859_1);
            return name(ascii, 0, ascii.length);
        } catch (IllegalArgumentException e) {
            return 0;
        }
    }

    private boolean starts(int from, String text) {
        if (end - from < text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if ((line[from + i] & 0xFF) != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private int behindSpace(int from) {
        int at = from;
        while (at < end && space(line[at])) {
            at++;
        }
        return at;
    }

    private int beforeSpace(int from) {
        int at = end;
        while (at > from && space(line[at - 1])) {
            at--;
        }
        return at;
    }

    private int word(int from, int to) {
        int at = from;
        while (at < to && !space(line[at])) {
            at++;
        }
        return at;
    }

    private static boolean space(byte octet) {
        return octet == ' ' || octet == '\t' || octet == '\r';
    }
}
