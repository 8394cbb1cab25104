package org.pabal.dns.authoritative;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;

/// Answers the ordinary query from octet to octet: no object is made between the datagram that came
/// and the one that goes.
///
/// It knows a few cases well (a name that has the type, that has it not, that does not exist, that
/// a wildcard speaks for, that is delegated) and leaves everything else to [ZoneLookup]: aliases,
/// DNAME, DS, ANY, signed answers, odd options, errors, answers that do not fit. What it sends is
/// what [ZoneLookup] found when the zone was published.
final class WireLookup {

    /// Longer queries are not ordinary. The scratch space holds the query, then its name in lower
    /// case, the starts of its labels, the hash of the name from each label on, and what the hash
    /// of a cookie is made of.
    private static final int MAX_QUERY = 512;

    private static final int NAME = MAX_QUERY;
    private static final int LABELS = NAME + 256;
    private static final int HASHES = LABELS + 128;
    private static final int COOKIE = HASHES + 4 * 128;
    private static final int SCRATCH = COOKIE + ServerCookies.SCRATCH;

    /// No answer of this path is longer.
    static final int MAX_ANSWER = MAX_QUERY + WireImage.LIMIT;

    /// What [#answer] says: this query is for the readable path.
    static final int NOT_HERE = 0;

    /// There is an answer.
    static final int ANSWERED = 1;

    /// There is to be no answer: the client gets too many.
    static final int WITHHELD = 2;

    private static final int HEADER = 12;
    private static final int OPT_LENGTH = 11;
    private static final int OPTION_HEAD = 4;

    /// Stands for the place of an option that we leave to the readable path.
    private static final int NOT_PLAIN = -1;

    /// Plain octets, so that a worker thread that outlives this bundle keeps none of its classes.
    private static final ThreadLocal<byte[]> SPACE =
            ThreadLocal.withInitial(() -> new byte[SCRATCH]);

    private final Edges edges;
    private final int udpLimit;
    private final boolean nsid;
    private final boolean requireCookies;

    WireLookup(Edges edges) {
        this.edges = edges;
        this.udpLimit = edges.settings.udpSize();
        this.nsid = edges.settings.nsid().isPresent();
        this.requireCookies = edges.settings.requireCookies();
    }

    /// Writes the answer behind the position of `out`, or has written nothing that counts.
    ///
    /// @param query position to limit; not moved
    /// @param out big endian
    /// @param address the client's, 4 or 16 octets in network order
    /// @param transport one of [Statistics]
    int answer(
            ServedZones zones,
            ByteBuffer query,
            ByteBuffer out,
            ByteBuffer address,
            int transport) {
        boolean stream = transport != Statistics.UDP;
        int length = query.remaining();
        if (length < HEADER + 5 || length > MAX_QUERY) {
            return NOT_HERE;
        }
        byte[] space = SPACE.get();
        query.get(query.position(), space, 0, length);

        // RFC 1035 §4.1.1: a query (QR 0, opcode 0) with one question and nothing else than perhaps
        // an OPT record.
        int additional = octets16(space, 10);
        if ((space[2] & 0xF8) != 0
                || (int) Arena.INT.get(space, 4) != 0x1_0000
                || octets16(space, 8) != 0
                || additional > 1) {
            return NOT_HERE;
        }
        int labels = name(space, length);
        if (labels < 0) {
            return NOT_HERE;
        }
        int nameEnd = HEADER + (space[LABELS + labels] & 0xFF) + 1;
        int questionEnd = nameEnd + 4;
        if (questionEnd > length) {
            return NOT_HERE;
        }
        int type = octets16(space, nameEnd);
        if (octets16(space, nameEnd + 2) != DClass.IN || !ordinary(type)) {
            return NOT_HERE;
        }

        int limit = stream ? out.remaining() : Reply.PLAIN_LIMIT;
        int optFlags = 0;
        int cookie = 0;
        if (additional == 1) {
            cookie = plainOpt(space, questionEnd, length, transport);
            if (cookie == NOT_PLAIN) {
                return NOT_HERE;
            }
            optFlags = octets16(space, questionEnd + 7) & 0x8000;
            if (!stream) {
                limit = Math.clamp(octets16(space, questionEnd + 3), Reply.PLAIN_LIMIT, udpLimit);
            }
        } else if (questionEnd != length) {
            return NOT_HERE;
        }

        // RFC 1034 §4.3.2 step 2: the nearest zone.
        int slot = -1;
        int apex = 0;
        for (; apex <= labels && slot < 0; apex++) {
            slot =
                    zones.find(
                            hash(space, apex), space, start(space, apex), NAME + nameEnd - HEADER);
        }
        WireZone zone = slot < 0 ? null : zones.wire(slot);
        if (zone == null || optFlags != 0 && zone.signed()) {
            return NOT_HERE;
        }
        if (Reply.isAddress(type)
                && zone.policy().withholds(hash(space, 0), space, NAME, NAME + nameEnd - HEADER)) {
            return NOT_HERE;
        }

        // Step 3: the name, or its closest encloser.
        int node = 0;
        int label = 0;
        for (; label < apex && node == 0; label++) {
            node =
                    zone.find(
                            hash(space, label),
                            space,
                            start(space, label),
                            NAME + nameEnd - HEADER);
        }
        boolean exact = label == 1;
        int image = zone.referral(node);
        int rcode = Rcode.NOERROR;
        if ((zone.flags(node) & WireZone.HIDDEN) != 0) {
            return NOT_HERE;
        }
        if (image == 0) {
            if (!exact) {
                if ((zone.flags(node) & WireZone.REDIRECTS) != 0) {
                    return NOT_HERE;
                }
                node = zone.wildcard(node); // RFC 4592 §3.3.1
                if (node == 0) {
                    rcode = Rcode.NXDOMAIN;
                } else if (zone.referral(node) != 0) {
                    return NOT_HERE;
                }
            }
            if (node != 0) {
                image = zone.image(node, type);
                if (image == 0 && (zone.flags(node) & WireZone.ALIAS) != 0) {
                    return NOT_HERE;
                }
            }
            if (image == 0) {
                image = zone.negative(); // RFC 2308 §2
            }
        }
        if (image == WireImage.NONE) {
            return NOT_HERE;
        }
        int opt =
                additional == 0
                        ? 0
                        : OPT_LENGTH + (cookie == 0 ? 0 : OPTION_HEAD + ServerCookies.LENGTH);
        byte[] arena = zone.arena();
        if (questionEnd + WireImage.size(arena, image) + opt > limit) {
            return NOT_HERE;
        }

        int now = cookie == 0 ? 0 : edges.tick.seconds();
        int shown = ServerCookies.NONE;
        if (cookie != 0) {
            int cookieLength = octets16(space, cookie - 2);
            shown = edges.cookies.check(space, cookie, cookieLength, space, COOKIE, address, now);
            if (shown == ServerCookies.MALFORMED
                    || requireCookies && !stream && shown < ServerCookies.AGEING) {
                return NOT_HERE;
            }
            edges.statistics.cookie(shown);
        }
        // Security row D13: who showed our cookie has not forged its address.
        if (!stream && shown < ServerCookies.AGEING) {
            int kind = kind(arena, image, rcode);
            int name = hash(space, kind == RateLimit.NO_NAME ? apex - 1 : label - 1);
            int verdict = edges.limit.account(address, kind, name, edges.tick.millis());
            if (verdict == RateLimit.DROP) {
                return WITHHELD;
            }
            if (verdict == RateLimit.SLIP) {
                slip(space, questionEnd, additional, optFlags, cookie, shown, address, now, out);
                return ANSWERED;
            }
        }

        // RFC 1035 §4.1.1: id, opcode and RD are the query's; QR and perhaps AA are set; everything
        // else is clear.
        space[2] =
                (byte)
                        (0x80
                                | space[2] & 0x01
                                | (WireImage.authoritative(arena, image) ? 0x04 : 0));
        space[3] = (byte) rcode;
        Arena.SHORT.set(space, 6, (short) WireImage.answers(arena, image));
        Arena.SHORT.set(space, 8, (short) WireImage.authority(arena, image));
        Arena.SHORT.set(space, 10, (short) (WireImage.additional(arena, image) + additional));
        int message = out.position();
        out.put(space, 0, questionEnd);
        WireImage.put(arena, image, nameEnd, message, out, zone.policy().order());
        if (opt != 0) {
            putOpt(optFlags, opt - OPT_LENGTH, out);
            if (cookie != 0) {
                putCookie(space, cookie, shown, address, now, out);
            }
        }
        edges.statistics.answered(transport, true, rcode, false);
        return ANSWERED;
    }

    /// Writes an answer without records in place of one that is withheld: truncated, so that the
    /// client comes over TCP, or BADCOOKIE (RFC 7873 §5.2.3), so that it comes with its cookie.
    private void slip(
            byte[] space,
            int questionEnd,
            int additional,
            int optFlags,
            int cookie,
            int shown,
            ByteBuffer address,
            int now,
            ByteBuffer out) {
        int rcode = cookie == 0 ? Rcode.NOERROR : Rcode.BADCOOKIE;
        space[2] = (byte) (0x80 | space[2] & 0x01 | (cookie == 0 ? 0x02 : 0));
        space[3] = (byte) (rcode & 0xF);
        out.put(space, 0, questionEnd);
        if (additional != 0) {
            int options = cookie == 0 ? 0 : OPTION_HEAD + ServerCookies.LENGTH;
            putOpt(rcode >> 4 << 24 | optFlags, options, out);
            if (cookie != 0) {
                putCookie(space, cookie, shown, address, now, out);
            }
        }
        edges.statistics.slipped();
        edges.statistics.answered(Statistics.UDP, true, rcode, cookie == 0);
    }

    /// RFC 6891 §6.1.1: root, OPT, our payload size, upper rcode and version 0, DO as it was.
    ///
    /// @param options the octets of options that follow
    private void putOpt(int flags, int options, ByteBuffer out) {
        out.put((byte) 0);
        out.putShort((short) Type.OPT);
        out.putShort((short) udpLimit);
        out.putInt(flags);
        out.putShort((short) options);
    }

    private void putCookie(
            byte[] space, int cookie, int shown, ByteBuffer address, int now, ByteBuffer out) {
        out.putShort((short) EdnsOptions.COOKIE);
        out.putShort((short) ServerCookies.LENGTH);
        edges.cookies.put(space, cookie, shown, space, COOKIE, address, now, out);
    }

    /// What account an answer is charged to.
    private static int kind(byte[] arena, int image, int rcode) {
        if (rcode == Rcode.NXDOMAIN) {
            return RateLimit.NO_NAME;
        }
        if (!WireImage.authoritative(arena, image)) {
            return RateLimit.REFERRAL;
        }
        return WireImage.answers(arena, image) == 0 ? RateLimit.NO_DATA : RateLimit.POSITIVE;
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
            hash = WireName.step(hash, octet);
            if (i == (space[LABELS + label] & 0xFF)) {
                Arena.INT.set(space, HASHES + 4 * label, WireName.finish(hash));
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

    /// Types that are answered by what a node has. DS may belong to another zone; signatures and
    /// meta types are not sets.
    private static boolean ordinary(int type) {
        return type != Type.DS
                && type != Type.RRSIG
                && type != Type.OPT
                && (type < 128 || type > 255);
    }

    private static int start(byte[] space, int label) {
        return NAME + (space[LABELS + label] & 0xFF);
    }

    private static int hash(byte[] space, int label) {
        return (int) Arena.INT.get(space, HASHES + 4 * label);
    }

    private static int octets16(byte[] space, int at) {
        return (short) Arena.SHORT.get(space, at) & 0xFFFF;
    }
}
