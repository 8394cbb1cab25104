package org.pabal.smtp;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Looks at the header of a message while it passes: as much as deciding about it needs, and no
/// more than a bounded number of octets.
///
/// The header ends at the first empty line, as RFC 5322 §2.1 says. A line in it that is no field
/// does not end it, though some readers think so: what they see of the header is then part of what
/// was looked at here.
final class HeaderScan {

    private static final int PIECE = 512;

    private final int mostOctets;
    private byte[] octets = new byte[2 * PIECE];
    private int size;
    private boolean complete;
    private boolean tooLong;

    /// What a header says that decides whether its message may come in.
    ///
    /// @param received how many Received fields
    /// @param dated whether there is a Date field
    /// @param identified whether there is a Message-ID field
    /// @param from the values of the From fields
    /// @param deliveredTo the values of the Delivered-To fields
    /// @param broken whether it has a CR, LF or NUL that ends no line
    record Findings(
            int received,
            boolean dated,
            boolean identified,
            List<String> from,
            List<String> deliveredTo,
            boolean broken) {}

    HeaderScan(int mostOctets) {
        this.mostOctets = mostOctets;
    }

    void add(byte[] from, int offset, int count) {
        // in small pieces, since the body that comes with the end of the header is not wanted here
        for (int at = 0; at < count && !complete && !tooLong; at += PIECE) {
            piece(from, offset + at, Math.min(PIECE, count - at));
        }
    }

    private void piece(byte[] from, int offset, int count) {
        if (size + count > octets.length) {
            octets = Arrays.copyOf(octets, 2 * octets.length);
        }
        System.arraycopy(from, offset, octets, size, count);
        int look = Math.max(0, size - 3);
        size += count;
        findEnd(look);
        // the empty line does not count, which may just have begun
        tooLong = size > mostOctets + (complete ? 0 : 3);
    }

    boolean tooLong() {
        return tooLong;
    }

    private void findEnd(int from) {
        if (from == 0 && size >= 2 && octets[0] == '\r' && octets[1] == '\n') {
            size = 0;
            complete = true;
            return;
        }
        for (int i = from; i + 3 < size; i++) {
            if (octets[i + 3] == '\n'
                    && octets[i + 2] == '\r'
                    && octets[i + 1] == '\n'
                    && octets[i] == '\r') {
                size = i + 2;
                complete = true;
                return;
            }
        }
    }

    /// Reads what was collected, once all of it is there.
    Findings findings() {
        int received = 0;
        boolean dated = false;
        boolean identified = false;
        boolean broken = false;
        List<String> from = new ArrayList<>(1);
        List<String> deliveredTo = new ArrayList<>(0);
        for (int start = 0; start < size; ) {
            int end = LineEnds.next(octets, start, size);
            broken |=
                    end < size
                            && !(octets[end] == '\r' && end + 1 < size && octets[end + 1] == '\n');
            switch (octets[start] | 0x20) {
                case 'r' -> received += field(start, end, "received") ? 1 : 0;
                case 'd' -> {
                    dated |= field(start, end, "date");
                    if (field(start, end, "delivered-to")) {
                        deliveredTo.add(value(start + "delivered-to".length(), end));
                    }
                }
                case 'm' -> identified |= field(start, end, "message-id");
                case 'f' -> {
                    if (field(start, end, "from")) {
                        from.add(value(start + "from".length(), end));
                    }
                }
                default -> {}
            }
            start = broken ? end + 1 : end + 2;
        }
        return new Findings(received, dated, identified, from, deliveredTo, broken);
    }

    /// Whether a line begins with this name and a colon; RFC 5322 §4.5 lets blanks stand before the
    /// colon.
    private boolean field(int start, int end, String name) {
        int i = start;
        for (int n = 0; n < name.length(); n++, i++) {
            if (i >= end || (octets[i] | 0x20) != name.charAt(n)) {
                return false;
            }
        }
        while (i < end && (octets[i] == ' ' || octets[i] == '\t')) {
            i++;
        }
        return i < end && octets[i] == ':';
    }

    /// A field's value with its continuation lines, unfolded.
    private String value(int afterName, int firstEnd) {
        int end = firstEnd;
        while (end + 2 < size
                && octets[end] == '\r'
                && (octets[end + 2] == ' ' || octets[end + 2] == '\t')) {
            end = LineEnds.next(octets, end + 2, size);
        }
        String field = new String(octets, afterName, end - afterName, StandardCharsets.UTF_8);
        return field.substring(field.indexOf(':') + 1).replace("\r\n", "");
    }
}
