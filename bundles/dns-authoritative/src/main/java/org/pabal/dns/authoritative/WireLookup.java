package org.pabal.dns.authoritative;

import org.pabal.dns.NameHash;
import org.pabal.dns.server.BigEndian;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.PlainQuery;
import org.pabal.dns.server.RateLimit;
import org.pabal.dns.server.ServerCookies;
import org.pabal.dns.server.Statistics;
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

    /// Behind what [PlainQuery] needs stands the name of a host.
    private static final int HOST = PlainQuery.SPACE;

    private static final int SCRATCH = HOST + 256;

    /// No answer of this path is longer.
    static final int MAX_ANSWER = PlainQuery.MAX_QUERY + WireImage.LIMIT;

    /// What [#answer] says: this query is for the readable path.
    static final int NOT_HERE = 0;

    /// There is an answer.
    static final int ANSWERED = 1;

    /// There is to be no answer: the client gets too many.
    static final int WITHHELD = 2;

    /// Plain octets, so that a worker thread that outlives this bundle keeps none of its classes.
    private static final ThreadLocal<byte[]> SPACE =
            ThreadLocal.withInitial(() -> new byte[SCRATCH]);

    private final Edges edges;
    private final PlainQuery plain;

    WireLookup(Edges edges) {
        this.edges = edges;
        this.plain = new PlainQuery(edges);
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
        byte[] space = SPACE.get();
        if (!plain.read(query, space, out.remaining(), transport)
                || !ordinary(PlainQuery.type(space))) {
            return NOT_HERE;
        }
        int labels = PlainQuery.labels(space);
        int nameEnd = PlainQuery.nameEnd(space);
        int questionEnd = PlainQuery.questionEnd(space);
        int nameLimit = PlainQuery.end(space);
        int type = PlainQuery.type(space);
        int limit = PlainQuery.limit(space);

        // RFC 1034 §4.3.2 step 2: the nearest zone.
        WireZone zone = null;
        int apex = 0;
        for (boolean found = false; apex <= labels && !found; apex++) {
            ServedZones.Place place =
                    zones.find(
                            PlainQuery.hash(space, apex),
                            space,
                            PlainQuery.start(space, apex),
                            nameLimit);
            if (place != null) {
                found = true;
                zone = place.wire();
            }
        }
        if (zone == null || PlainQuery.dnssec(space) && zone.signed()) {
            return NOT_HERE;
        }
        if (Reply.isAddress(type)
                && zone.policy()
                        .withholds(PlainQuery.hash(space, 0), space, PlainQuery.NAME, nameLimit)) {
            return NOT_HERE;
        }

        // Step 3: the name, or its closest encloser.
        int below = nameLimit - zone.originLength();
        int node = 0;
        int label = 0;
        for (; label < apex && node == 0; label++) {
            node =
                    zone.find(
                            PlainQuery.hash(space, label),
                            space,
                            PlainQuery.start(space, label),
                            below);
        }
        boolean exact = label == 1;
        int flags = zone.flags(node);
        if ((flags & WireZone.HIDDEN) != 0) {
            return NOT_HERE;
        }
        for (; (flags & WireZone.OCCLUDED) != 0 && label < apex; label++) {
            node =
                    zone.find(
                            PlainQuery.hash(space, label),
                            space,
                            PlainQuery.start(space, label),
                            below);
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
        int opt = PlainQuery.optSize(space);
        ByteBuffer segment = zone.segment(node);
        if (questionEnd + WireImage.size(segment, image) + opt > limit) {
            return NOT_HERE;
        }

        int shown = plain.checkCookie(space, address, transport);
        if (shown == PlainQuery.NOT_PLAIN) {
            return NOT_HERE;
        }
        // Security row D13: who showed our cookie has not forged its address.
        if (!stream && shown < ServerCookies.AGEING) {
            int kind = kind(segment, image, rcode);
            int name = PlainQuery.hash(space, kind == RateLimit.NO_NAME ? apex - 1 : label - 1);
            int verdict = edges.limit.account(address, kind, name, edges.tick.millis());
            if (verdict == RateLimit.DROP) {
                return WITHHELD;
            }
            if (verdict == RateLimit.SLIP) {
                plain.slip(space, 0, shown, address, out);
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
        BigEndian.SHORT.set(space, 10, (short) PlainQuery.additional(space));
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
            out.putShort(message + 10, (short) (addresses + PlainQuery.additional(space)));
        }
        plain.putOpt(space, shown, address, out);
        edges.statistics.answered(transport, true, rcode, false);
        return ANSWERED;
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
        int start = PlainQuery.start(space, encloser) - 2;
        space[start] = 1;
        space[start + 1] = '*';
        int hash = PlainQuery.unfinishedHash(space, encloser);
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

    /// Types that are answered by what a node has. DS may belong to another zone; signatures and
    /// meta types are not sets.
    private static boolean ordinary(int type) {
        return type != Type.DS
                && type != Type.RRSIG
                && type != Type.OPT
                && (type < 128 || type > 255);
    }
}
