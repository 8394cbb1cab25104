package org.pabal.dns.recursive;

import org.pabal.dns.server.BigEndian;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/// A [Finding] or a [Delegation] as the cache keeps it: octets that can be copied into a message,
/// so that an answer from memory needs no object. Immutable, but for the mark that it was asked
/// for.
///
/// ```
/// 0               the name, in lower case and wire form, its root included
/// answersStart    records of the answer section; of a delegation its NS records
/// answersEnd      their signatures (RRSIG), for who says DO
/// signaturesEnd   records of the authority section for everybody: the SOA of a negative answer;
///                 of a delegation the addresses of its name servers
/// authorityEnd    records of the authority section for who says DO: NSEC, NSEC3, RRSIG
/// proofEnd        the zone, when it is not the name or above it; then the reason, if there is
///                 one: u16 code, text in UTF-8
/// ```
/// Every record is as RFC 1035 §4.1.3 has it, class IN, and
///
/// - its owner is a compression pointer of two octets if it is the name or above it, as if the
///   message's question were the name (RFC 1035 §4.1.4): `0xC00C` for the name itself, `0xC00C` + n
///   for what begins n octets later. All other owners are in full. So a group of records can be
///   copied behind a question as it is; where the name lies elsewhere in the message, pointers are
///   shifted by as much;
/// - names in its data are in full, in the case in which they came;
/// - its TTL is [#ttl()], that of the whole, because it is one answer that is over as one: the
///   least of what its records had, within the limits of the settings. Who copies says what is
///   left of it.
///
/// An entry is *plain* when the owner of every answer is the name, so that each answer begins with
/// `0xC00C`: everything but aliases that follow from a DNAME. If moreover all its answers are
/// equally long, [#recordLength()] says how long, and they can be sent in any order (RFC 1794).
final class Entry {

    /// The key type of a name that does not exist: it answers every type (RFC 2308 §5).
    static final int EVERY_TYPE = 0x20000;

    /// The key type of a delegation.
    static final int DELEGATION = 0x20001;

    /// Added to the type of what did not work out, failures and what is bogus, because these must
    /// not push out what is known, and may be wanted when it is stale.
    static final int FAILED = 0x10000;

    /// The question's name begins behind the header, and that is where pointers lead.
    static final int POINTER_TO_NAME = 0xC00C;

    private static final Finding.Kind[] KINDS = Finding.Kind.values();
    private static final Security[] SECURITIES = Security.values();
    private static final int MOST_ASKED = 3;

    /// What an object of this class takes, with its references compressed.
    private static final int OBJECT = 64;

    private static final int ARRAY_HEAD = 16;

    private final byte[] octets;
    private final int keyType;
    private final int stored;
    private final int ttl;
    private final int answersEnd;
    private final int signaturesEnd;
    private final int authorityEnd;
    private final int proofEnd;
    private final char answers;
    private final char signatures;
    private final char authority;
    private final char proof;
    private final char recordLength;
    private final byte nameLength;
    private final byte kind;
    private final byte security;
    private final byte zone;
    private final boolean plain;

    /// How often, up to three times. Racy by intent: a mark that is lost is set the next time.
    private byte asked;

    Entry(EntryDraft draft) {
        octets = draft.octets();
        keyType = draft.keyType;
        stored = (int) draft.stored;
        ttl = draft.ttl;
        answersEnd = draft.end[EntryDraft.ANSWERS];
        signaturesEnd = draft.end[EntryDraft.SIGNATURES];
        authorityEnd = draft.end[EntryDraft.AUTHORITY];
        proofEnd = draft.end[EntryDraft.PROOF];
        answers = (char) draft.count[EntryDraft.ANSWERS];
        signatures = (char) draft.count[EntryDraft.SIGNATURES];
        authority = (char) draft.count[EntryDraft.AUTHORITY];
        proof = (char) draft.count[EntryDraft.PROOF];
        nameLength = (byte) draft.nameLength;
        kind = (byte) draft.kind.ordinal();
        security = (byte) draft.security.ordinal();
        zone = (byte) draft.zone;
        plain = allOfTheName();
        recordLength = (char) (plain ? equalLength() : 0);
    }

    /// A finding as it is kept for as long as it says.
    ///
    /// @param now seconds since 1970
    static Entry of(Finding finding, long now) {
        return of(finding, finding.ttl(), now);
    }

    /// A finding as it is kept for some time.
    static Entry of(Finding finding, long ttl, long now) {
        return EntryDraft.of(finding, ttl, now).entry();
    }

    /// A delegation as it is kept for some time.
    static Entry of(Delegation delegation, long ttl, long now) {
        return EntryDraft.of(delegation, ttl, now).entry();
    }

    /// About no name and no type, and over since 1970.
    static Entry none() {
        EntryDraft draft = new EntryDraft(new byte[] {0}, 1);
        draft.keyType = -1;
        draft.kind = Finding.Kind.FAILURE;
        draft.security = Security.BOGUS;
        Arrays.fill(draft.end, 1);
        return new Entry(draft);
    }

    // What it is about.

    /// Whether it is about a name, in lower case, and a key type.
    boolean matches(byte[] name, int from, int to, int type) {
        return keyType == type && Arrays.equals(octets, 0, nameLength & 0xFF, name, from, to);
    }

    /// The type of the question: a type of DNS, of an alias CNAME; [#EVERY_TYPE] of a name that
    /// does not exist; [#FAILED] more of what did not work out; [#DELEGATION].
    int keyType() {
        return keyType;
    }

    /// What came of the question. An alias is one for all types but CNAME (and the few that may be
    /// beside one).
    Finding.Kind kind() {
        return KINDS[kind];
    }

    Security security() {
        return SECURITIES[security];
    }

    /// When it came, in seconds since 1970.
    long stored() {
        return Integer.toUnsignedLong(stored);
    }

    /// Seconds for which it held when it came: those of each of its records.
    int ttl() {
        return ttl;
    }

    /// Seconds for which it holds from now on; 0 or less when that is over.
    ///
    /// @param now seconds since 1970. A clock that was set back makes nothing live longer
    long left(long now) {
        return ttl - Math.max(0, now - stored());
    }

    boolean live(long now) {
        return left(now) > 0;
    }

    /// Whether it is time to fetch it again while it can still be answered: the last tenth of its
    /// TTL.
    boolean nearlyOver(long now) {
        return left(now) * 10 < ttl;
    }

    /// Notes that somebody wanted it, so that it stays when others go.
    void ask() {
        byte before = asked;
        if (before < MOST_ASKED) {
            asked = (byte) (before + 1);
        }
    }

    /// How often it was wanted since it was looked at last, up to three times.
    int asked() {
        return asked;
    }

    /// Says how often it was wanted. For eviction.
    void asked(int times) {
        asked = (byte) Math.min(times, MOST_ASKED);
    }

    /// Octets of memory that it takes.
    int size() {
        return OBJECT + (ARRAY_HEAD + octets.length + 7 & ~7);
    }

    // Its octets.

    /// All octets; not to be changed.
    byte[] octets() {
        return octets;
    }

    int nameLength() {
        return nameLength & 0xFF;
    }

    /// Whether the owner of every answer is the name.
    boolean plain() {
        return plain;
    }

    /// How long each answer is, owner included, when it is plain and they are equally long; else
    /// 0.
    int recordLength() {
        return recordLength;
    }

    /// Records of the answer section.
    int answerCount() {
        return answers;
    }

    int signatureCount() {
        return signatures;
    }

    /// Records of the authority section that everybody gets.
    int authorityCount() {
        return authority;
    }

    /// Records of the authority section for who says DO.
    int proofCount() {
        return proof;
    }

    int answersStart() {
        return nameLength & 0xFF;
    }

    int answersEnd() {
        return answersEnd;
    }

    int signaturesEnd() {
        return signaturesEnd;
    }

    int authorityEnd() {
        return authorityEnd;
    }

    int proofEnd() {
        return proofEnd;
    }

    int answersSize() {
        return answersEnd - answersStart();
    }

    int signaturesSize() {
        return signaturesEnd - answersEnd;
    }

    int authoritySize() {
        return authorityEnd - signaturesEnd;
    }

    int proofSize() {
        return proofEnd - authorityEnd;
    }

    // Copying.

    /// Copies the answers; the other groups in the same way.
    ///
    /// @param out there has to be room; its position is neither used nor changed
    /// @param at the index in `out`
    /// @param shift how much farther in the message than octet 12 the name begins
    /// @param seconds what the TTLs are to be
    /// @param first which answer comes first, less than their count; without effect if they are of
    ///     different lengths
    /// @return the index in `out` behind them
    int copyAnswers(ByteBuffer out, int at, int shift, int seconds, int first) {
        int start = answersStart();
        int split = start + first * recordLength;
        int next = copy(split, answersEnd, out, at, shift, seconds);
        return split == start ? next : copy(start, split, out, next, shift, seconds);
    }

    int copySignatures(ByteBuffer out, int at, int shift, int seconds) {
        return copy(answersEnd, signaturesEnd, out, at, shift, seconds);
    }

    int copyAuthority(ByteBuffer out, int at, int shift, int seconds) {
        return copy(signaturesEnd, authorityEnd, out, at, shift, seconds);
    }

    int copyProof(ByteBuffer out, int at, int shift, int seconds) {
        return copy(authorityEnd, proofEnd, out, at, shift, seconds);
    }

    private int copy(int from, int to, ByteBuffer out, int at, int shift, int seconds) {
        out.put(at, octets, from, to - from);
        int back = at - from;
        for (int record = from; record < to; ) {
            int fixed = afterOwner(octets, record);
            if (shift != 0 && octets[record] < 0) {
                out.putShort(back + record, (short) (octets16(octets, record) + shift));
            }
            out.putInt(back + fixed + 4, seconds);
            record = fixed + 10 + octets16(octets, fixed + 8);
        }
        return back + to;
    }

    /// Copies in lower case the name where an alias leads to: the last octets of its last answer,
    /// so in a message the octets before the end of the copied answers. Only for aliases.
    ///
    /// @param into has room for 255 octets from `at` on
    /// @return how long it is
    int copyTarget(byte[] into, int at) {
        int start = answersStart();
        for (int record = start; record < answersEnd; record = afterRecord(octets, record)) {
            start = record;
        }
        int from = afterOwner(octets, start) + 10;
        int length = answersEnd - from;
        for (int i = 0; i < length; i++) {
            into[at + i] = EntryDraft.lower(octets[from + i]);
        }
        return length;
    }

    // Reading: for people and for everything that is not ordinary.

    /// Why, as far as it is said.
    Optional<Reason> reason() {
        return EntryReader.reason(this);
    }

    /// The finding as an answer to a question, which may be another one than that of which it
    /// came: an alias answers all types, a name that does not exist those below it too.
    ///
    /// @param seconds what the TTLs are to be
    Finding finding(Question question, long seconds, boolean stale) {
        return EntryReader.finding(this, question, seconds, stale);
    }

    /// The finding with what is left of its TTL, and under its own question.
    Finding finding(long now) {
        return EntryReader.finding(this, Math.max(0, left(now)));
    }

    /// The delegation with what is left of its TTL.
    Delegation delegation(long now) {
        return EntryReader.delegation(this, Math.max(0, left(now)));
    }

    /// Looks whether its records can be read; octets of strangers are checked before they come
    /// here, those of a file are not.
    ///
    /// @throws IllegalStateException when not
    void check() {
        try {
            if (keyType == DELEGATION) {
                if (delegation(stored()).ns().getType() != Type.NS) {
                    throw new IllegalStateException("a delegation to nobody");
                }
            } else {
                Finding finding = finding(stored());
                switch (kind()) {
                    case RECORDS -> finding.set();
                    case ALIAS -> finding.target();
                    default -> {} // has no answer
                }
            }
        } catch (RuntimeException e) { // which of them is up to the many readers of records
            throw new IllegalStateException("broken: expected an entry", e);
        }
    }

    /// Where the zone begins in the name, or [EntryDraft#ZONE_IN_FULL].
    int zone() {
        return zone & 0xFF;
    }

    private boolean allOfTheName() {
        for (int at = answersStart(); at < answersEnd; at = afterRecord(octets, at)) {
            if (octets16(octets, at) != POINTER_TO_NAME) {
                return false;
            }
        }
        return true;
    }

    private int equalLength() {
        if (answers == 0) {
            return 0;
        }
        int length = answersSize() / answers;
        for (int at = answersStart(); at < answersEnd; at = afterRecord(octets, at)) {
            if (afterRecord(octets, at) - at != length) {
                return 0;
            }
        }
        return length <= Character.MAX_VALUE ? length : 0;
    }

    /// The index behind the owner of a record.
    static int afterOwner(byte[] octets, int record) {
        int at = record;
        while (octets[at] > 0) {
            at += 1 + octets[at];
        }
        return octets[at] == 0 ? at + 1 : at + 2;
    }

    /// The index behind a record.
    static int afterRecord(byte[] octets, int record) {
        int fixed = afterOwner(octets, record);
        return fixed + 10 + octets16(octets, fixed + 8);
    }

    static int octets16(byte[] octets, int at) {
        return (short) BigEndian.SHORT.get(octets, at) & 0xFFFF;
    }

    /// The type under which a question is looked up first.
    static int keyType(Finding finding) {
        if (finding.kind() == Finding.Kind.FAILURE || finding.security() == Security.BOGUS) {
            return FAILED + finding.question().type();
        }
        return finding.kind() == Finding.Kind.NO_NAME ? EVERY_TYPE : finding.key().type();
    }

    /// For people.
    @Override
    public String toString() {
        String type =
                switch (keyType) {
                    case EVERY_TYPE -> "every type";
                    case DELEGATION -> "delegation";
                    default -> Type.string(keyType & 0xFFFF);
                };
        return EntryReader.name(this) + " " + DClass.string(DClass.IN) + " " + type + " " + kind();
    }
}
