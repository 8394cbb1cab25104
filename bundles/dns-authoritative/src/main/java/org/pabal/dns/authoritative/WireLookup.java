package org.pabal.dns.authoritative;

import org.pabal.dns.NameHash;
import org.pabal.dns.server.BigEndian;
import org.pabal.dns.server.EdnsOptions;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.RateLimit;
import org.pabal.dns.server.ServerCookies;
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
    private static final int HOST = COOKIE + ServerCookies.SCRATCH;
    private static final int SCRATCH = HOST + 256;

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
                || (int) BigEndian.INT.get(space, 4) != 0x1_0000
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
        WireZone zone = null;
        int apex = 0;
        for (boolean found = false; apex <= labels && !found; apex++) {
            ServedZones.Place place =
                    zones.find(
                            hash(space, apex), space, start(space, apex), NAME + nameEnd - HEADER);
            if (place != null) {
                found = true;
                zone = place.wire();
            }
        }
        if (zone == null || optFlags != 0 && zone.signed()) {
            return NOT_HERE;
        }
        if (Reply.isAddress(type)
                && zone.policy().withholds(hash(space, 0), space, NAME, NAME + nameEnd - HEADER)) {
            return NOT_HERE;
        }

        // Step 3: the name, or its closest encloser.
        int below = NAME + nameEnd - HEADER - zone.originLength();
        int node = 0;
        int label = 0;
        for (; label < apex && node == 0; label++) {
            node = zone.find(hash(space, label), space, start(space, label), below);
        }
        boolean exact = label == 1;
        int flags = zone.flags(node);
        if ((flags & WireZone.HIDDEN) != 0) {
            return NOT_HERE;
        }
        for (; (flags & WireZone.OCCLUDED) != 0 && label < apex; label++) {
            node = zone.find(hash(space, label), space, start(space, label), below);
            flags = zone.flags(node);
        }
        int image = 0;
        int rcode = Rcode.NOERROR;
        if ((flags & WireZone.CUT) != 0) {
            image = zone.image(node, WireZone.NO_TYPE);
        } else {
            if (!exact) {
                if ((flags & WireZone.REDIRECTS) != 0) {
                    return NOT_HERE;
                }
                if ((flags & WireZone.WILDCARD) == 0) {
                    node = 0;
                    rcode = Rcode.NXDOMAIN;
                } else { // RFC 4592 §3.3.1
                    node = wildcard(zone, space, label - 1, below);
                    flags = zone.flags(node);
                    if ((flags & WireZone.CUT) != 0) {
                        return NOT_HERE;
                    }
                }
            }
            if (node != 0) {
                image = zone.image(node, type);
                if (image == 0 && (flags & WireZone.ALIAS) != 0) {
                    return NOT_HERE;
                }
            }
            if (image == 0) {
                node = zone.apex();
                image = zone.image(node, WireZone.NO_TYPE); // RFC 2308 §2
            }
        }
        if (image == WireImage.NONE) {
            return NOT_HERE;
        }
        int opt =
                additional == 0
                        ? 0
                        : OPT_LENGTH + (cookie == 0 ? 0 : OPTION_HEAD + ServerCookies.LENGTH);
        ByteBuffer segment = zone.segment(node);
        if (questionEnd + WireImage.size(segment, image) + opt > limit) {
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
            int kind = kind(segment, image, rcode);
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
                                | (WireImage.authoritative(segment, image) ? 0x04 : 0));
        space[3] = (byte) rcode;
        BigEndian.SHORT.set(space, 6, (short) WireImage.answers(segment, image));
        BigEndian.SHORT.set(space, 8, (short) WireImage.authority(segment, image));
        BigEndian.SHORT.set(space, 10, (short) additional);
        int message = out.position();
        out.put(space, 0, questionEnd);
        WireImage.put(segment, image, nameEnd, message, out, zone.policy().order());
        if (WireImage.hosts(segment, image) > 0) {
            // RFC 9471 §2: below a cut they are glue, which is sent whoever has authority.
            boolean glue = type == Type.NS || !WireImage.authoritative(segment, image);
            int addresses =
                    addresses(
                            zone, segment, image, glue, space, nameEnd, message + limit - opt, out);
            if (addresses < 0) {
                return NOT_HERE;
            }
            out.putShort(message + 10, (short) (addresses + additional));
        }
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
    private static int kind(ByteBuffer segment, int image, int rcode) {
        if (rcode == Rcode.NXDOMAIN) {
            return RateLimit.NO_NAME;
        }
        if (!WireImage.authoritative(segment, image)) {
            return RateLimit.REFERRAL;
        }
        return WireImage.answers(segment, image) == 0 ? RateLimit.NO_DATA : RateLimit.POSITIVE;
    }

    /// The node of the wildcard below an ancestor of the name in question, whose octets it takes.
    private static int wildcard(WireZone zone, byte[] space, int encloser, int below) {
        int start = start(space, encloser) - 2;
        space[start] = 1;
        space[start + 1] = '*';
        int hash = (int) BigEndian.INT.get(space, HASHES + 4 * encloser);
        hash = NameHash.step(NameHash.step(hash, (byte) '*'), (byte) 1);
        return zone.find(NameHash.finish(hash), space, start, below);
    }

    /// Writes the addresses of the hosts that an image names.
    ///
    /// @param glue those below a cut will do; otherwise they have to be ours
    /// @return how many records, or -1 when the readable path has to answer: they do not fit, or a
    ///     host does not exist, for which a wildcard may speak
    private static int addresses(
            WireZone zone,
            ByteBuffer segment,
            int image,
            boolean glue,
            byte[] space,
            int nameEnd,
            int end,
            ByteBuffer out) {
        int count = 0;
        int host = WireImage.firstHost(segment, image);
        for (int i = WireImage.hosts(segment, image); i > 0; i--) {
            int length = WireImage.hostLength(segment, host);
            segment.get(WireImage.hostName(host), space, HOST, length);
            int node = zone.find(WireImage.hostHash(segment, host), space, HOST, HOST + length);
            int pointer = WireImage.hostPointer(segment, host);
            host = WireImage.hostName(host) + length;
            if (node == 0) {
                return -1;
            }
            int flags = zone.flags(node);
            if ((flags & WireZone.HIDDEN) != 0
                    || !glue && (flags & (WireZone.CUT | WireZone.OCCLUDED)) != 0) {
                continue;
            }
            for (int type = Type.A; type != 0; type = type == Type.A ? Type.AAAA : 0) {
                int found = zone.image(node, type);
                if (found == WireImage.NONE) {
                    return -1;
                }
                if (found != 0) {
                    ByteBuffer there = zone.segment(node);
                    int records = WireImage.answers(there, found);
                    // The records start with a pointer of two octets; a name may take more.
                    int owner = pointer != 0 ? 2 : length + 2;
                    if (out.position() + WireImage.size(there, found) + records * (owner - 2)
                            > end) {
                        return -1;
                    }
                    int from = WireImage.end(there, found) - WireImage.size(there, found);
                    int octets = WireImage.size(there, found) / records;
                    for (int record = 0; record < records; record++) {
                        if (pointer == 0) {
                            out.put(space, HOST, length);
                        }
                        int distance = pointer == 0 ? zone.originLength() : pointer;
                        out.putShort((short) (0xC000 | nameEnd - distance));
                        int to = out.position();
                        out.put(to, there, from + record * octets + 2, octets - 2);
                        out.position(to + octets - 2);
                    }
                    count += records;
                }
            }
        }
        return count;
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
        return NameHash.finish((int) BigEndian.INT.get(space, HASHES + 4 * label));
    }

    private static int octets16(byte[] space, int at) {
        return (short) BigEndian.SHORT.get(space, at) & 0xFFFF;
    }
}
