package org.pabal.dns.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/// Response rate limiting: who forges the address of a victim gets few answers sent there, and all
/// others get theirs.
///
/// There is an account for each network (/24 and /56) and kind of answer: what a name has, or has
/// not, which names a zone has not, where a name is delegated to, refusals. An account may spend a
/// number of answers a second; one that asks for more gets into debt, up to fifteen seconds' worth,
/// and gets nothing until that is paid off by time. So a flood gets one second's answers and then
/// none for as long as it goes on, as in BIND.
///
/// Accounts are in a table of fixed size (security row D30), four to a set, an account in one
/// `long`:
///
/// ```
/// 63..40 which account      39..36 answers dropped, modulo slip      35..0 when its debt is paid off, in µs
/// ```
/// When a set is full the account with the least debt makes room, so one that is being limited
/// stays while there are others, and a newcomer is never withheld an answer because strangers fill
/// the table. There are no locks: two workers that meet in an account miscount by one.
public final class RateLimit {

    /// The answer goes out.
    public static final int SEND = 0;

    /// No answer goes out.
    public static final int DROP = 1;

    /// A truncated answer without records goes out: a true client comes again over TCP.
    public static final int SLIP = 2;

    // Kinds of answer.
    public static final int POSITIVE = 1;
    public static final int NO_DATA = 2;
    public static final int NO_NAME = 3;
    public static final int REFERRAL = 4;
    public static final int ERROR = 5;

    private static final int WAYS = 4;
    private static final long SECOND = 1_000_000;
    private static final long WINDOW = 15 * SECOND;
    private static final int TIME_BITS = 36;
    private static final long TIME = (1L << TIME_BITS) - 1;
    private static final int ACCOUNT_BITS = 24;
    private static final long ACCOUNT = -1L << 64 - ACCOUNT_BITS;
    private static final long DROPPED = 0xFL << TIME_BITS;

    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] table;
    private final long price;
    private final int slip;
    private final Networks exempt;
    private final long seed;

    /// @param perSecond answers that an account may spend; 0 for no limit
    /// @param accounts the size of the table; rounded down to a power of two
    /// @param slip every how many-th dropped answer goes out truncated, up to 15; 0 for none
    /// @param exempt networks that nothing is withheld from
    /// @param seed where accounts stand is not for strangers to know
    public RateLimit(int perSecond, int accounts, int slip, Networks exempt, long seed) {
        this.table = new long[perSecond == 0 ? 0 : Integer.highestOneBit(accounts)];
        this.price = perSecond == 0 ? 0 : SECOND / perSecond;
        this.slip = slip;
        this.exempt = exempt;
        this.seed = seed;
    }

    /// Charges one answer and says whether it may go out.
    ///
    /// @param address the client's, 4 or 16 octets in network order
    /// @param kind one of the kinds above
    /// @param hash of the name that all answers of this account have in common
    /// @param millis the time
    public int account(ByteBuffer address, int kind, int hash, long millis) {
        if (table.length == 0) {
            return SEND;
        }
        long network =
                address.limit() == 4 ? address.getInt(0) & ~0xFFL : address.getLong(0) & ~0xFFL;
        long key = mix(mix(network ^ seed) + ((long) kind << 32 | hash & 0xFFFF_FFFFL));
        long account = key & ACCOUNT | 1L << 64 - ACCOUNT_BITS; // never that of an empty entry
        int set = (int) key & table.length - WAYS;
        long now = millis * 1000 & TIME;
        int place = set;
        long least = Long.MAX_VALUE;
        for (int i = set; i < set + WAYS; i++) {
            long entry = (long) ENTRY.getOpaque(table, i);
            if ((entry & ACCOUNT) == account) {
                return charge(address, i, entry, now);
            }
            long debt = entry == 0 ? Long.MIN_VALUE : debt(entry, now);
            if (debt < least) {
                least = debt;
                place = i;
            }
        }
        ENTRY.setOpaque(table, place, account | now - SECOND + price & TIME);
        return SEND;
    }

    private int charge(ByteBuffer address, int place, long entry, long now) {
        // An account earns for a second ahead; it has spent that when its debt reaches the present.
        long debt = Math.max(debt(entry, now), -SECOND) + price;
        long account = entry & ACCOUNT;
        long dropped = entry & DROPPED;
        int verdict = SEND;
        if (debt > 0 && !exempt.contain(address)) {
            verdict = DROP;
            if (slip > 0) {
                dropped += 1L << TIME_BITS;
                if (dropped >>> TIME_BITS == slip) {
                    dropped = 0;
                    verdict = SLIP;
                }
            }
        }
        ENTRY.setOpaque(table, place, account | dropped | now + Math.min(debt, WINDOW) & TIME);
        return verdict;
    }

    /// How far ahead of now an account is paid off, in µs; negative when that was before. Times are
    /// kept modulo 19 hours: what looks farther ahead than can be is an old one.
    private static long debt(long entry, long now) {
        long debt = (entry - now) << 64 - TIME_BITS >> 64 - TIME_BITS;
        return debt > WINDOW ? -TIME : debt;
    }

    private static long mix(long value) {
        long z = (value ^ value >>> 32) * 0xd6e8feb86659fd93L;
        z = (z ^ z >>> 32) * 0xd6e8feb86659fd93L;
        return z ^ z >>> 32;
    }
}
