package org.pabal.dns.server;

import org.pabal.dns.NameHash;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;

/// Reads the ordinary query, and writes what surrounds its answer, without making an object: a
/// query of class IN with one question and nothing else than perhaps an OPT record, which wants
/// nothing but perhaps a cookie.
///
/// Everything is in one array of octets that a thread uses again and again: the query, its name in
/// lower case, the starts of its labels, the hash of the name from each label on, what the hash of
/// a cookie is made of, and the facts that [#read] found, which the methods without effect tell.
public final class PlainQuery {

    /// Longer queries are not ordinary.
    public static final int MAX_QUERY = 512;

    /// Where the name in lower case begins.
    public static final int NAME = MAX_QUERY;

    private static final int LABELS = NAME + 256;
    private static final int HASHES = LABELS + 128;
    private static final int COOKIE = HASHES + 4 * 128;
    private static final int FACTS = COOKIE + ServerCookies.SCRATCH;

    /// The size of the array; what is behind it is the caller's.
    public static final int SPACE = FACTS + 4 * 8;

    // The facts.
    private static final int LABEL_COUNT = FACTS;
    private static final int NAME_END = FACTS + 4;
    private static final int QUESTION_END = FACTS + 8;
    private static final int LIMIT = FACTS + 12;
    private static final int OPT_FLAGS = FACTS + 16;
    private static final int COOKIE_AT = FACTS + 20;

    public static final int HEADER = 12;
    private static final int OPT_LENGTH = 11;
    private static final int OPTION_HEAD = 4;
    private static final int DO = 0x8000;

    /// Stands for an option, or a cookie, that we leave to the readable path.
    public static final int NOT_PLAIN = -1;

    private final Edges edges;
    private final int udpLimit;
    private final boolean nsid;
    private final boolean requireCookies;

    public PlainQuery(Edges edges) {
        this.edges = edges;
        this.udpLimit = edges.settings.udpSize();
        this.nsid = edges.settings.nsid().isPresent();
        this.requireCookies = edges.settings.requireCookies();
    }

    /// Takes a query over into `space`, and says whether it is plain.
    ///
    /// @param query position to limit; not moved
    /// @param streamLimit the largest answer over a stream
    /// @param transport one of [Statistics]
    public boolean read(ByteBuffer query, byte[] space, int streamLimit, int transport) {
        int length = query.remaining();
        if (length < HEADER + 5 || length > MAX_QUERY) {
            return false;
        }
        query.get(query.position(), space, 0, length);

        // RFC 1035 §4.1.1: a query (QR 0, opcode 0) with one question and nothing else than perhaps
        // an OPT record.
        int additional = octets16(space, 10);
        if ((space[2] & 0xF8) != 0
                || (int) BigEndian.INT.get(space, 4) != 0x1_0000
                || octets16(space, 8) != 0
                || additional > 1) {
            return false;
        }
        int labels = name(space, length);
        if (labels < 0) {
            return false;
        }
        int nameEnd = HEADER + (space[LABELS + labels] & 0xFF) + 1;
        int questionEnd = nameEnd + 4;
        if (questionEnd > length || octets16(space, nameEnd + 2) != DClass.IN) {
            return false;
        }
        boolean stream = transport != Statistics.UDP;
        int limit = stream ? streamLimit : Writing.PLAIN_LIMIT;
        int optFlags = 0;
        int cookie = 0;
        if (additional == 1) {
            cookie = plainOpt(space, questionEnd, length, transport);
            if (cookie == NOT_PLAIN) {
                return false;
            }
            optFlags = octets16(space, questionEnd + 7) & DO;
            if (!stream) {
                limit = Math.clamp(octets16(space, questionEnd + 3), Writing.PLAIN_LIMIT, udpLimit);
            }
        } else if (questionEnd != length) {
            return false;
        }
        BigEndian.INT.set(space, LABEL_COUNT, labels);
        BigEndian.INT.set(space, NAME_END, nameEnd);
        BigEndian.INT.set(space, QUESTION_END, questionEnd);
        BigEndian.INT.set(space, LIMIT, limit);
        BigEndian.INT.set(space, OPT_FLAGS, optFlags);
        BigEndian.INT.set(space, COOKIE_AT, cookie);
        return true;
    }

    /// How many labels the name has, without the root.
    public static int labels(byte[] space) {
        return (int) BigEndian.INT.get(space, LABEL_COUNT);
    }

    /// Where the name ends in the message.
    public static int nameEnd(byte[] space) {
        return (int) BigEndian.INT.get(space, NAME_END);
    }

    public static int questionEnd(byte[] space) {
        return (int) BigEndian.INT.get(space, QUESTION_END);
    }

    public static int type(byte[] space) {
        return octets16(space, nameEnd(space));
    }

    /// The largest answer that the client takes.
    public static int limit(byte[] space) {
        return (int) BigEndian.INT.get(space, LIMIT);
    }

    /// Whether it has an OPT record: 1 or 0.
    public static int additional(byte[] space) {
        return octets16(space, 10);
    }

    /// The DO bit.
    public static boolean dnssec(byte[] space) {
        return (int) BigEndian.INT.get(space, OPT_FLAGS) != 0;
    }

    /// Where the name in lower case begins from a label on.
    public static int start(byte[] space, int label) {
        return NAME + (space[LABELS + label] & 0xFF);
    }

    /// Where the name in lower case ends.
    public static int end(byte[] space) {
        return NAME + nameEnd(space) - HEADER;
    }

    /// The hash of the name from a label on.
    public static int hash(byte[] space, int label) {
        return NameHash.finish(unfinishedHash(space, label));
    }

    /// The same, to go on from.
    public static int unfinishedHash(byte[] space, int label) {
        return (int) BigEndian.INT.get(space, HASHES + 4 * label);
    }

    public static int octets16(byte[] space, int at) {
        return (short) BigEndian.SHORT.get(space, at) & 0xFFFF;
    }

    /// The octets of the OPT record that answers this query's.
    public static int optSize(byte[] space) {
        if (additional(space) == 0) {
            return 0;
        }
        return OPT_LENGTH + (cookie(space) == 0 ? 0 : OPTION_HEAD + ServerCookies.LENGTH);
    }

    /// What its cookie is worth, one of [ServerCookies], or [#NOT_PLAIN].
    public int checkCookie(byte[] space, ByteBuffer address, int transport) {
        int cookie = cookie(space);
        if (cookie == 0) {
            return ServerCookies.NONE;
        }
        int length = octets16(space, cookie - 2);
        int now = edges.tick.seconds();
        int shown = edges.cookies.check(space, cookie, length, space, COOKIE, address, now);
        if (shown == ServerCookies.MALFORMED
                || requireCookies && transport == Statistics.UDP && shown < ServerCookies.AGEING) {
            return NOT_PLAIN;
        }
        edges.statistics.cookie(shown);
        return shown;
    }

    /// Writes the OPT record, if there is to be one.
    ///
    /// @param shown what [#checkCookie] said
    public void putOpt(byte[] space, int shown, ByteBuffer address, ByteBuffer out) {
        putOpt(space, 0, shown, address, out);
    }

    /// RFC 6891 §6.1.1: root, OPT, our payload size, upper rcode and version 0, DO as it was.
    private void putOpt(byte[] space, int upper, int shown, ByteBuffer address, ByteBuffer out) {
        if (additional(space) == 0) {
            return;
        }
        int cookie = cookie(space);
        out.put((byte) 0);
        out.putShort((short) Type.OPT);
        out.putShort((short) udpLimit);
        out.putInt(upper << 24 | (int) BigEndian.INT.get(space, OPT_FLAGS));
        if (cookie == 0) {
            out.putShort((short) 0);
            return;
        }
        out.putShort((short) (OPTION_HEAD + ServerCookies.LENGTH));
        out.putShort((short) EdnsOptions.COOKIE);
        out.putShort((short) ServerCookies.LENGTH);
        int now = edges.tick.seconds();
        edges.cookies.put(space, cookie, shown, space, COOKIE, address, now, out);
    }

    /// Writes an answer without records in place of one that is withheld: truncated, so that the
    /// client comes over TCP, or BADCOOKIE (RFC 7873 §5.2.3), so that it comes with its cookie.
    ///
    /// @param flags of the fourth octet
    public void slip(byte[] space, int flags, int shown, ByteBuffer address, ByteBuffer out) {
        boolean cookie = cookie(space) != 0;
        int rcode = cookie ? Rcode.BADCOOKIE : Rcode.NOERROR;
        space[2] = (byte) (0x80 | space[2] & 0x01 | (cookie ? 0 : 0x02));
        space[3] = (byte) (flags | rcode & 0xF);
        out.put(space, 0, questionEnd(space));
        putOpt(space, rcode >> 4, shown, address, out);
        edges.statistics.slipped();
        edges.statistics.answered(Statistics.UDP, true, rcode, !cookie);
    }

    private static int cookie(byte[] space) {
        return (int) BigEndian.INT.get(space, COOKIE_AT);
    }

    /// Copies the name of the question in lower case, notes where its labels start, and hashes it
    /// from each of them on. Returns the number of labels without the root, or -1 when it is not a
    /// plain name.
    private static int name(byte[] space, int length) {
        int labels = 0;
        int at = 0;
        while (true) {
            if (at > 254 || HEADER + at >= length) {
                return -1;
            }
            space[LABELS + labels] = (byte) at;
            int octets = space[HEADER + at] & 0xFF;
            if (octets == 0) {
                break;
            }
            if (octets > 63) {
                return -1;
            }
            labels++;
            at += 1 + octets;
        }
        // From the root to the left. The octets of length are below 'A' and stay as they are.
        int hash = 0;
        int label = labels;
        for (int i = at; i >= 0; i--) {
            byte octet = space[HEADER + i];
            if (octet >= 'A' && octet <= 'Z') {
                octet += 32;
            }
            space[NAME + i] = octet;
            hash = NameHash.step(hash, octet);
            if (i == (space[LABELS + label] & 0xFF)) {
                BigEndian.INT.set(space, HASHES + 4 * label, hash);
                label = Math.max(0, label - 1);
            }
        }
        return labels;
    }

    /// Looks at the OPT record of a client that wants nothing special but perhaps a cookie (RFC
    /// 6891 §6.1.2). Returns where the data of its first COOKIE is, 0 when it has none, or
    /// [#NOT_PLAIN].
    private int plainOpt(byte[] space, int at, int length, int transport) {
        if (at + OPT_LENGTH > length
                || space[at] != 0
                || octets16(space, at + 1) != Type.OPT
                || space[at + 6] != 0) {
            return NOT_PLAIN;
        }
        int option = at + OPT_LENGTH;
        if (option + octets16(space, at + 9) != length) {
            return NOT_PLAIN;
        }
        int cookie = 0;
        for (int i = 0; option < length; i++) {
            if (i == Query.MAX_OPTIONS || option + OPTION_HEAD > length) {
                return NOT_PLAIN;
            }
            int code = octets16(space, option);
            if (code == EdnsOptions.COOKIE) {
                cookie = cookie == 0 ? option + OPTION_HEAD : cookie;
            } else if (code == EdnsOptions.NSID && nsid
                    || code == EdnsOptions.KEEPALIVE && transport != Statistics.UDP
                    || code == EdnsOptions.PADDING && transport == Statistics.TLS) {
                return NOT_PLAIN;
            }
            option += OPTION_HEAD + octets16(space, option + 2);
        }
        return option == length ? cookie : NOT_PLAIN;
    }
}
