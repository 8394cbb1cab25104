package org.pabal.dns.recursive;

import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Type;

import java.util.Arrays;
import java.util.Optional;

/// Looks over the octets of an answer before anything is built from them.
///
/// dnsjava refuses pointers that do not lead back, yet follows as many as there are: one message
/// can keep it busy for seconds. So here every name of an answer is walked first, in time linear
/// in its length (security row D16: strictly backward, at most 127 hops, at most 255 octets).
final class MessageBounds {

    static final int MAX_HOPS = 127;

    /// Security row D15: nobody needs more.
    static final int MAX_OPTIONS = 32;

    /// Of pointers that lead to pointers. Nobody writes even two, and dnsjava could follow that
    /// many for each of a name's labels.
    private static final int MAX_CHAIN = 16;

    /// As far as a pointer reaches.
    private static final int REACH = 0x4000;

    private static final int MAX_NAME = 255;

    /// What is wrong with a message.
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message, null, false, false);
        }
    }

    /// What the OPT record says, as far as it matters here.
    ///
    /// @param present there is one
    /// @param rcode the upper octet of the extended one
    /// @param cookie the data of the first COOKIE (RFC 7873 §5.3)
    record Opt(boolean present, int rcode, Optional<byte[]> cookie) {
        static final Opt ABSENT = new Opt(false, 0, Optional.empty());
    }

    private final byte[] message;
    private int at;
    private Opt opt = Opt.ABSENT;

    private MessageBounds(byte[] message, int at) {
        this.message = message;
        this.at = at;
    }

    /// Looks over everything that follows the question.
    static Opt check(byte[] message, int questionEnd) throws Malformed {
        MessageBounds bounds = new MessageBounds(message, questionEnd);
        bounds.chains();
        bounds.records(bounds.octets16(6) + bounds.octets16(8), false);
        bounds.records(bounds.octets16(10), true);
        return bounds.opt;
    }

    /// Whatever the octets are, and so also where names are in records that are not known here.
    private void chains() throws Malformed {
        int end = Math.min(message.length - 1, REACH);
        byte[] depths = new byte[end];
        for (int i = 0; i < end; i++) {
            if ((message[i] & 0xC0) == 0xC0) {
                int target = octets16(i) & REACH - 1;
                depths[i] = (byte) (target < i ? depths[target] + 1 : 1);
                if (depths[i] > MAX_CHAIN) {
                    throw new Malformed("a chain of pointers to pointers");
                }
            }
        }
    }

    private void records(int count, boolean additional) throws Malformed {
        for (int i = 0; i < count; i++) {
            int owner = at;
            at = name(at, message.length);
            need(10);
            int type = octets16(at);
            int data = at + 10;
            int end = data + octets16(at + 8);
            if (end > message.length) {
                throw new Malformed("a record that is longer than the message");
            }
            if (type == Type.OPT) {
                // RFC 6891 §6.1.1: at the root, only one, in the additional section
                if (!additional || opt.present || message[owner] != 0) {
                    throw new Malformed("an OPT record where none belongs");
                }
                opt = new Opt(true, message[at + 4] & 0xFF, cookie(data, end));
            } else {
                names(type, data, end);
            }
            at = end;
        }
    }

    private Optional<byte[]> cookie(int from, int end) throws Malformed {
        Optional<byte[]> cookie = Optional.empty();
        int option = from;
        for (int i = 0; option < end; i++) {
            if (i == MAX_OPTIONS) {
                throw new Malformed("more than " + MAX_OPTIONS + " EDNS options");
            }
            int data = option + 4;
            if (data > end || data + octets16(option + 2) > end) {
                throw new Malformed("an EDNS option that is longer than its record");
            }
            int next = data + octets16(option + 2);
            if (octets16(option) == EDNSOption.Code.COOKIE && cookie.isEmpty()) {
                cookie = Optional.of(Arrays.copyOfRange(message, data, next));
            }
            option = next;
        }
        return cookie;
    }

    /// The names in a record's data.
    private void names(int type, int from, int end) throws Malformed {
        switch (type) {
            case Type.NS,
                    Type.CNAME,
                    Type.PTR,
                    Type.DNAME,
                    Type.MB,
                    Type.MD,
                    Type.MF,
                    Type.MG,
                    Type.MR,
                    Type.NSEC,
                    Type.NXT ->
                    name(from, end);
            case Type.SOA, Type.MINFO, Type.RP -> name(name(from, end), end);
            case Type.MX, Type.AFSDB, Type.RT, Type.KX, Type.SVCB, Type.HTTPS ->
                    name(from + 2, end);
            case Type.PX -> name(name(from + 2, end), end);
            case Type.SRV -> name(from + 6, end);
            case Type.RRSIG, Type.SIG -> name(from + 18, end);
            default -> {
                // has none, or none that has to be known: they were looked over by chains()
            }
        }
    }

    /// Walks a name and returns where it ends.
    ///
    /// @param end of what it is part of; what pointers lead to is before
    private int name(int from, int end) throws Malformed {
        int place = from;
        int after = -1;
        int limit = end;
        int length = 0;
        for (int hops = 0; ; ) {
            if (place >= limit) {
                throw new Malformed("a name that does not end");
            }
            int label = message[place] & 0xFF;
            if (label >= 0xC0) {
                if (place + 2 > limit) {
                    throw new Malformed("half a pointer");
                }
                if (after < 0) {
                    after = place + 2;
                }
                int target = octets16(place) & REACH - 1;
                if (target >= place || ++hops > MAX_HOPS) {
                    throw new Malformed(
                            target >= place
                                    ? "a pointer that does not lead back"
                                    : "more than " + MAX_HOPS + " pointers in a name");
                }
                limit = message.length;
                place = target;
                continue;
            }
            length += label + 1;
            if (label > 63 || length > MAX_NAME) {
                throw new Malformed(label > 63 ? "an unknown label" : "a name that is too long");
            }
            place += label + 1;
            if (label == 0) {
                return after < 0 ? place : after;
            }
        }
    }

    private void need(int octets) throws Malformed {
        if (message.length - at < octets) {
            throw new Malformed("fewer records than it says");
        }
    }

    private int octets16(int index) {
        return (message[index] & 0xFF) << 8 | message[index + 1] & 0xFF;
    }
}
