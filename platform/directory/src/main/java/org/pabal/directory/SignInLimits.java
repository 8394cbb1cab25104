package org.pabal.directory;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Locale;

/// Makes guessing passwords slow, for all protocols of the node together (security row S18):
/// failures are counted by address, by network (/24, /56) and by login, in tables of fixed size.
///
/// Nobody can lock an account out from elsewhere: an address from which a login succeeded lately is
/// not held up by failures of others for that login.
///
/// Every count halves in a quarter of an hour, so that nothing is for ever and a limit is also a
/// rate: an address that fails 20 times gets about one more try a minute. IPv6 addresses count as
/// their /64, since each customer has at least that. The loopback address is counted by login only:
/// proxies, webmail and an administrator's own mistakes come from there.
///
/// A store registers one as an OSGi service beside its [Directory].
public final class SignInLimits {

    /// Failures in a short time, from which on tries are refused unheard.
    static final int ADDRESS_LIMIT = 20;

    static final int NETWORK_LIMIT = 60;
    static final int LOGIN_LIMIT = 50;

    /// Failures for a login from an address that knows it. A telephone with an old password comes
    /// back every few minutes, and must not shut out the house it is in.
    static final int FAMILIAR_LIMIT = 20;

    static final Duration HALF_LIFE = Duration.ofMinutes(15);

    /// How long a success is remembered.
    static final Duration FAMILIAR = Duration.ofDays(7);

    /// 2^10: falls below 1 after ten half-lives, which is [#FAMILIAR].
    private static final double FRESH = 1_024;

    private static final Duration FIRST_DELAY = Duration.ofMillis(250);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(8);

    private final InstantSource clock;
    private final byte[] secret;

    // All guarded by this.
    private final DecayingCounts addresses = new DecayingCounts(8_192, HALF_LIFE);
    private final DecayingCounts networks = new DecayingCounts(4_096, HALF_LIFE);
    private final DecayingCounts logins = new DecayingCounts(8_192, HALF_LIFE);
    private final DecayingCounts familiar = new DecayingCounts(8_192, FAMILIAR.dividedBy(10));
    private final DecayingCounts familiarFailures = new DecayingCounts(4_096, HALF_LIFE);

    public SignInLimits(InstantSource clock) {
        this(clock, random());
    }

    /// @param secret at least 16 octets that only this node knows. What [Sasl] says about a login
    ///     that does not exist follows from it: a secret that outlives a restart lets it say the
    ///     same as before
    public SignInLimits(InstantSource clock, byte[] secret) {
        if (secret.length < 16) {
            throw new IllegalArgumentException(
                    "secret of " + secret.length + " octets: at least 16");
        }
        this.clock = clock;
        this.secret = secret.clone();
    }

    /// Whether a try is allowed at all just now. False: tell the client to come later, and check
    /// nothing.
    public synchronized boolean allowed(InetAddress from, String login) {
        long now = now();
        if (familiar.count(pair(from, login), now) >= 1) {
            return familiarFailures.count(pair(from, login), now) < FAMILIAR_LIMIT;
        }
        return logins.count(login(login), now) < LOGIN_LIMIT
                && (from.isLoopbackAddress()
                        || addresses.count(address(from), now) < ADDRESS_LIMIT
                                && networks.count(network(from), now) < NETWORK_LIMIT);
    }

    /// Notes a failure.
    ///
    /// @return how long to wait before the client hears of it
    public synchronized Duration failed(InetAddress from, String login) {
        long now = now();
        double count;
        if (familiar.count(pair(from, login), now) >= 1) {
            count = familiarFailures.add(pair(from, login), 1, now);
        } else {
            count = logins.add(login(login), 1, now);
        }
        if (!from.isLoopbackAddress()) {
            count = Math.max(count, addresses.add(address(from), 1, now));
            networks.add(network(from), 1, now);
        }
        double millis = FIRST_DELAY.toMillis() * Math.pow(2, Math.min(count, 20) - 1);
        return Duration.ofMillis(
                Math.min(
                        LONGEST_DELAY.toMillis(), Math.max(FIRST_DELAY.toMillis(), (long) millis)));
    }

    /// Notes a success. It forgives the failures of this login from this address, and nobody
    /// else's: who has one account here must not buy guesses at others with it.
    public synchronized void succeeded(InetAddress from, String login) {
        long now = now();
        double count = familiar.count(pair(from, login), now);
        familiar.add(pair(from, login), FRESH - count, now);
        familiarFailures.clear(pair(from, login));
    }

    /// What stays the same for one text on this node, and tells nothing about it.
    byte[] pseudonym(String text) {
        return ScramKeys.hmac("SHA-256", secret, text.getBytes(StandardCharsets.UTF_8));
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    private long pair(InetAddress from, String login) {
        return key("pair " + address(from) + " " + login.toLowerCase(Locale.ROOT));
    }

    private long login(String login) {
        return key("login " + login.toLowerCase(Locale.ROOT));
    }

    private long address(InetAddress from) {
        return prefix(from, from instanceof Inet6Address ? 8 : 4);
    }

    private long network(InetAddress from) {
        return prefix(from, from instanceof Inet6Address ? 7 : 3);
    }

    private long prefix(InetAddress from, int octets) {
        byte[] all = from.getAddress();
        Arrays.fill(all, octets, all.length, (byte) 0);
        return key(all.length + "/" + octets + " " + new String(all, StandardCharsets.ISO_8859_1));
    }

    /// Keyed, so that nobody outside can choose logins or addresses that fall together in a table.
    private long key(String text) {
        return ByteBuffer.wrap(pseudonym(text)).getLong();
    }

    private static byte[] random() {
        byte[] secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        return secret;
    }
}
