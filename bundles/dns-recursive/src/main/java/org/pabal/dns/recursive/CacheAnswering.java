package org.pabal.dns.recursive;

import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.server.BigEndian;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.Networks;
import org.pabal.dns.server.PlainQuery;
import org.pabal.dns.server.RateLimit;
import org.pabal.dns.server.ServerCookies;
import org.pabal.dns.server.Statistics;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/// Answers the ordinary query from the octets of the cache: no object is made between the datagram
/// that came and the one that goes.
///
/// It knows what is live, has been judged and is not bogus: records, what is not there, and aliases
/// one after the other. Everything else is left to [ClientAnswering], which asks the recursor: what
/// is not in the cache, what the administrator's policies may have a word on, odd options, answers
/// that do not fit. What it sends is what [AnswerMessage] would write, but for the order of
/// addresses.
final class CacheAnswering {

    /// What [#answer] says: this query is for the readable path.
    static final int NOT_HERE = 0;

    /// There is an answer.
    static final int ANSWERED = 1;

    /// There is to be no answer: the client gets too many.
    static final int WITHHELD = 2;

    /// Longer chains of aliases are rare.
    private static final int MAX_LINKS = 8;

    /// Behind what [PlainQuery] needs stands the name where an alias leads.
    private static final int TARGET = PlainQuery.SPACE;

    private static final int SCRATCH = TARGET + 256;

    private static final int RECURSION_DESIRED = 0x01;
    private static final int RECURSION_AVAILABLE = 0x80;
    private static final int AUTHENTIC = 0x20;
    private static final int CHECKING_DISABLED = 0x10;

    /// What is nearly over is asked for elsewhere by the first who wants it. Neighbours in this
    /// table may be forgotten and asked for again.
    private static final int REFRESHED = 1 << 12;

    private static final int COUNTING = 1 << 12;

    /// Plain octets, so that a worker thread that outlives this bundle keeps none of its classes.
    private static final ThreadLocal<byte[]> SPACE =
            ThreadLocal.withInitial(() -> new byte[SCRATCH]);

    private final Edges edges;
    private final PlainQuery plain;
    private final Networks allow;
    private final QueryTrace traces;
    private final Supplier<List<ResponsePolicy>> policies;
    private final Entry[] refreshed = new Entry[REFRESHED];

    /// Names for which a name above counts, hashed together with the second in which that was so.
    /// Two threads may overwrite each other's.
    private final long[] counting = new long[COUNTING];

    /// Which address of a set comes first the next time: it only spreads load, so two threads may
    /// use one number.
    private int turn;

    CacheAnswering(
            Edges edges,
            Networks allow,
            QueryTrace traces,
            Supplier<List<ResponsePolicy>> policies) {
        this.edges = edges;
        this.plain = new PlainQuery(edges);
        this.allow = allow;
        this.traces = traces;
        this.policies = policies;
    }

    /// Writes the answer behind the position of `out`, or has written nothing that counts.
    ///
    /// @param query position to limit; not moved
    /// @param out big endian
    /// @param address the client's, 4 or 16 octets in network order
    /// @param transport one of [Statistics]
    int answer(
            Serving serving, ByteBuffer query, ByteBuffer out, ByteBuffer address, int transport) {
        byte[] space = SPACE.get();
        if (!plain.read(query, space, out.remaining(), transport)
                || (space[2] & RECURSION_DESIRED) == 0
                || (space[3] & CHECKING_DISABLED) != 0
                || !allow.contain(address)
                || traces.follows(address)) {
            return NOT_HERE;
        }
        int type = PlainQuery.type(space);
        if (!ordinary(type) || serving.made().test(type)) {
            return NOT_HERE;
        }
        int message = out.position();
        int questionEnd = PlainQuery.questionEnd(space);
        int end = message + PlainQuery.limit(space) - PlainQuery.optSize(space);
        boolean dnssec = PlainQuery.dnssec(space);
        RecordCache cache = serving.cache();
        long now = edges.tick.seconds() & 0xFFFF_FFFFL;

        // RFC 1034 §5.3.3 step 1, for each link of a chain.
        int at = message + questionEnd;
        int from = PlainQuery.NAME;
        int to = PlainQuery.end(space);
        int place = PlainQuery.HEADER; // where the name is in the message
        int answers = 0;
        boolean secure = true;
        Entry entry = RecordCache.NONE;
        boolean linked = true;
        for (int link = 0; linked; link++) {
            long hash = cache.hash(space, from, to);
            entry = cache.entry(space, from, to, type, hash, now);
            if (link == MAX_LINKS
                    || !tellable(entry, now)
                    || entry.nameLength() < to - from
                            && !counts(serving, entry, space, from, to, type, hash, now)) {
                return NOT_HERE;
            }
            linked = type != Type.CNAME && entry.keyType() == Type.CNAME && positive(entry);
            if (linked && dnssec && entry.proofCount() > 0) {
                return NOT_HERE; // it belongs behind the answers of all
            }
            if (at + entry.answersSize() + (dnssec ? entry.signaturesSize() : 0) > end) {
                return NOT_HERE;
            }
            secure &= entry.security() == Security.SECURE;
            if (entry.nearlyOver(now)) {
                refresh(serving, entry, space, from, to, type);
            }
            int seconds = (int) entry.left(now);
            int shift = place - PlainQuery.HEADER + (to - from) - entry.nameLength();
            if (positive(entry)) {
                at = entry.copyAnswers(out, at, shift, seconds, linked ? 0 : first(entry, type));
                answers += entry.answerCount();
                if (linked) {
                    int length = entry.copyTarget(space, TARGET);
                    place = at - length - message;
                    from = TARGET;
                    to = TARGET + length;
                }
                if (dnssec) {
                    at = entry.copySignatures(out, at, shift, seconds);
                    answers += entry.signatureCount();
                }
            }
            if (!linked) {
                at = authority(entry, dnssec, out, at, shift, seconds, end);
                if (at < 0) {
                    return NOT_HERE;
                }
            }
        }

        if (!policies.get().isEmpty() && !free(serving, space, type, address)) {
            return NOT_HERE;
        }
        int shown = plain.checkCookie(space, address, transport);
        if (shown == PlainQuery.NOT_PLAIN) {
            return NOT_HERE;
        }
        int rcode = entry.kind() == Finding.Kind.NO_NAME ? Rcode.NXDOMAIN : Rcode.NOERROR;
        // Security row D13: who showed our cookie has not forged its address.
        if (transport == Statistics.UDP && shown < ServerCookies.AGEING) {
            int kind =
                    rcode == Rcode.NXDOMAIN
                            ? RateLimit.NO_NAME
                            : answers == 0 ? RateLimit.NO_DATA : RateLimit.POSITIVE;
            int account = kind == RateLimit.NO_NAME ? 0 : PlainQuery.hash(space, 0);
            int verdict = edges.limit.account(address, kind, account, edges.tick.millis());
            if (verdict == RateLimit.DROP) {
                return WITHHELD;
            }
            if (verdict == RateLimit.SLIP) {
                plain.slip(space, RECURSION_AVAILABLE, shown, address, out);
                return ANSWERED;
            }
        }

        // RFC 1035 §4.1.1: id, opcode and RD are the query's; QR and RA are set. RFC 6840 §5.7 and
        // §5.8: AD is for who says that it understands it.
        boolean authentic = secure && (dnssec || (space[3] & AUTHENTIC) != 0);
        space[2] = (byte) (0x80 | RECURSION_DESIRED);
        space[3] = (byte) (RECURSION_AVAILABLE | (authentic ? AUTHENTIC : 0) | rcode);
        BigEndian.SHORT.set(space, 6, (short) answers);
        BigEndian.SHORT.set(space, 8, (short) authorityCount(entry, dnssec));
        out.put(message, space, 0, questionEnd);
        out.position(at);
        plain.putOpt(space, shown, address, out);
        edges.statistics.answered(transport, true, rcode, false);
        return ANSWERED;
    }

    /// Whether an entry may be sent as it is.
    private static boolean tellable(Entry entry, long now) {
        return entry.live(now)
                && entry.security().compareTo(Security.INSECURE) >= 0
                && entry.kind() != Finding.Kind.FAILURE
                && !hasReason(entry);
    }

    /// Whether that a name above does not exist says something of a name: not when that is one of a
    /// zone of ours, or is asked for elsewhere. Makes objects once a second for a name.
    private boolean counts(
            Serving serving,
            Entry above,
            byte[] space,
            int from,
            int to,
            int type,
            long hash,
            long now) {
        int slot = (int) hash & COUNTING - 1;
        long mark = hash + (now << 16 | type) * 0x9e3779b97f4a7c15L;
        if (counting[slot] == mark) {
            return true;
        }
        Route route = serving.routes().route(new Question(name(space, from, to), type));
        boolean counts =
                !(route instanceof Route.Own || route instanceof Route.Local)
                        && above.nameLength() >= route.top().length();
        if (counts) {
            counting[slot] = mark;
        }
        return counts;
    }

    /// Whether there is something to say about it beside (RFC 8914).
    private static boolean hasReason(Entry entry) {
        byte[] octets = entry.octets();
        int at = entry.proofEnd();
        if (at < octets.length && entry.zone() == EntryDraft.ZONE_IN_FULL) {
            at = Entry.afterOwner(octets, at);
        }
        return at < octets.length;
    }

    private static boolean positive(Entry entry) {
        return entry.kind() == Finding.Kind.RECORDS || entry.kind() == Finding.Kind.ALIAS;
    }

    private static int authorityCount(Entry entry, boolean dnssec) {
        return (positive(entry) ? 0 : entry.authorityCount()) + (dnssec ? entry.proofCount() : 0);
    }

    /// Writes what belongs into the authority section; -1 when it does not fit.
    private static int authority(
            Entry entry,
            boolean dnssec,
            ByteBuffer out,
            int from,
            int shift,
            int seconds,
            int end) {
        int at = from;
        boolean soa = !positive(entry);
        int size = (soa ? entry.authoritySize() : 0) + (dnssec ? entry.proofSize() : 0);
        if (at + size > end) {
            return -1;
        }
        if (soa) {
            at = entry.copyAuthority(out, at, shift, seconds);
        }
        return dnssec ? entry.copyProof(out, at, shift, seconds) : at;
    }

    /// RFC 1794: addresses take turns.
    private int first(Entry entry, int type) {
        int count = entry.answerCount();
        return count > 1 && entry.recordLength() > 0 && (type == Type.A || type == Type.AAAA)
                ? (turn++ & 0x7FFF_FFFF) % count
                : 0;
    }

    /// Whether the policies have nothing to say. Makes objects.
    private static boolean free(Serving serving, byte[] space, int type, ByteBuffer address) {
        byte[] client = new byte[address.limit()];
        address.get(0, client);
        try {
            Question question =
                    new Question(name(space, PlainQuery.NAME, PlainQuery.end(space)), type);
            return serving.recursor().ask(question, InetAddress.getByAddress(client)).free();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /// Has an entry fetched again, once. Makes objects.
    private void refresh(Serving serving, Entry entry, byte[] space, int from, int to, int type) {
        int slot = System.identityHashCode(entry) & REFRESHED - 1;
        if (refreshed[slot] == entry) {
            return;
        }
        refreshed[slot] = entry;
        serving.refresh().accept(new Question(name(space, from, to), type));
    }

    private static Name name(byte[] space, int from, int to) {
        try {
            return new Name(Arrays.copyOfRange(space, from, to));
        } catch (IOException e) {
            throw new IllegalStateException("a name that was read before", e);
        }
    }

    /// Types that are sets of records. Signatures belong to several, ANY means many.
    private static boolean ordinary(int type) {
        return type != 0
                && type != Type.RRSIG
                && type != Type.OPT
                && (type < 128 || type > Type.ANY);
    }
}
