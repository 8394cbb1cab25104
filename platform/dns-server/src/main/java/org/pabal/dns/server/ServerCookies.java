package org.pabal.dns.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.random.RandomGenerator;

/// Server cookies, RFC 7873 as made interoperable by RFC 9018: a client that shows one of ours has
/// had an answer at its address before, so the address is not forged.
///
/// ```
/// client cookie 8 | version 1 | reserved 3 | seconds 4 | SipHash-2-4 of all before and the address 8
/// ```
/// Makes no objects, so that a query with a cookie goes the fast way.
public final class ServerCookies {

    /// The query has no cookie.
    public static final int NONE = 0;

    /// Neither 8 octets long, nor 16 to 40.
    public static final int MALFORMED = 1;

    /// The client's half alone.
    public static final int CLIENT_ONLY = 2;

    /// A server cookie that we did not make, not for this client, or too long ago: counts as the
    /// client's half alone.
    public static final int BAD = 3;

    /// Ours, and half an hour old or more: time for a new one.
    public static final int AGEING = 4;

    /// Ours.
    public static final int GOOD = 5;

    /// What goes back: the client's half and ours.
    public static final int LENGTH = 24;

    /// The octets of scratch space that are needed: the hash is made of them.
    public static final int SCRATCH = 32;

    private static final int CLIENT_LENGTH = 8;
    private static final int SERVER_LEAST = 8;
    private static final int SERVER_MOST = 32;
    private static final int HASHED = 16;
    private static final byte VERSION = 1;

    // RFC 9018 §4.3
    private static final int MOST_AGE = 3600;
    private static final int MOST_AHEAD = 300;
    private static final int RENEWED_AT = 1800;

    private static final int ROLLED_EVERY = 86_400;

    private static final VarHandle LITTLE =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /// A key of SipHash.
    public record Secret(long k0, long k1) {

        /// @param hex 32 digits
        /// @throws IllegalArgumentException when they are not
        public static Secret parse(String hex) {
            byte[] octets = HexFormat.of().parseHex(hex);
            if (octets.length != 16) {
                throw new IllegalArgumentException("not 32 digits");
            }
            return new Secret((long) LITTLE.get(octets, 0), (long) LITTLE.get(octets, 8));
        }

        private long hash(byte[] scratch, int from, int length) {
            return SipHash.hash(k0, k1, scratch, from, length);
        }
    }

    /// The first makes cookies, all are believed; replaced as a whole.
    private volatile Secret[] secrets;

    private volatile int rolled;
    private final boolean rolling;
    private final RandomGenerator random;

    /// @param shared the secrets that servers at one address share (RFC 9018 §5), the first is used
    ///     for new cookies; without any we roll one of our own every day
    public ServerCookies(List<Secret> shared) {
        this(shared, new SecureRandom());
    }

    public ServerCookies(List<Secret> shared, RandomGenerator random) {
        this.random = random;
        this.rolling = shared.isEmpty();
        this.secrets = rolling ? new Secret[] {fresh()} : shared.toArray(Secret[]::new);
    }

    /// What a cookie is worth.
    ///
    /// @param octets has the option's data from `at` on
    /// @param scratch may be the same array; [#SCRATCH] octets from `space` on are overwritten
    /// @param address the client's, 4 or 16 octets, wherever a proxy stands (security row D14)
    /// @param now in seconds
    public int check(
            byte[] octets,
            int at,
            int length,
            byte[] scratch,
            int space,
            ByteBuffer address,
            int now) {
        if (length == CLIENT_LENGTH) {
            return CLIENT_ONLY;
        }
        if (length < CLIENT_LENGTH + SERVER_LEAST || length > CLIENT_LENGTH + SERVER_MOST) {
            return MALFORMED; // RFC 7873 §5.2.2
        }
        if (length != LENGTH || octets[at + CLIENT_LENGTH] != VERSION) {
            return BAD;
        }
        int age = now - (int) BigEndian.INT.get(octets, at + 12); // RFC 1982
        if (age > MOST_AGE || age < -MOST_AHEAD) {
            return BAD;
        }
        System.arraycopy(octets, at, scratch, space, HASHED);
        int hashed = withAddress(scratch, space, address);
        long claimed = (long) LITTLE.get(octets, at + HASHED);
        Secret[] all = current(now);
        for (int i = 0; i < all.length; i++) {
            if (all[i].hash(scratch, space, hashed) == claimed) {
                return age >= RENEWED_AT || i > 0 ? AGEING : GOOD;
            }
        }
        return BAD;
    }

    /// Writes the [#LENGTH] octets of the cookie that goes back.
    ///
    /// @param verdict what [#check] said
    public void put(
            byte[] octets,
            int at,
            int verdict,
            byte[] scratch,
            int space,
            ByteBuffer address,
            int now,
            ByteBuffer out) {
        if (verdict == GOOD) {
            out.put(octets, at, LENGTH);
            return;
        }
        System.arraycopy(octets, at, scratch, space, CLIENT_LENGTH);
        BigEndian.INT.set(
                scratch, space + CLIENT_LENGTH, VERSION << 24); // RFC 9018 §4.2: reserved 0
        BigEndian.INT.set(scratch, space + 12, now);
        int hashed = withAddress(scratch, space, address);
        out.put(scratch, space, HASHED);
        out.putLong(Long.reverseBytes(current(now)[0].hash(scratch, space, hashed)));
    }

    private static int withAddress(byte[] scratch, int space, ByteBuffer address) {
        int octets = address.limit();
        address.get(0, scratch, space + HASHED, octets);
        return HASHED + octets;
    }

    /// RFC 7873 §7.1: a secret does not live forever, and the one before is still believed.
    private Secret[] current(int now) {
        if (rolling && now - rolled >= ROLLED_EVERY) {
            roll(now);
        }
        return secrets;
    }

    private synchronized void roll(int now) {
        if (now - rolled >= ROLLED_EVERY) {
            secrets = new Secret[] {fresh(), secrets[0]};
            rolled = now;
        }
    }

    private Secret fresh() {
        return new Secret(random.nextLong(), random.nextLong());
    }
}
