package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneKeyStore;
import org.pabal.dnssec.Denial;
import org.pabal.dnssec.KeyRollover;
import org.pabal.dnssec.SignatureMaker;
import org.pabal.dnssec.SigningKeys;
import org.pabal.dnssec.SigningPolicy;
import org.pabal.dnssec.ZoneSigning;
import org.xbill.DNS.Name;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Makes edits of signed zones whole, and knows which versions are.
///
/// A version is trusted when it came of an edit that was completed here, or was found complete and
/// made by a key of ours when the node started. Any other version of a signed zone, which somebody
/// wrote by hand for instance, is not to be served: what is missing in it is made up for on the
/// next edit, with the signatures of the version before wherever records are the same.
final class ZoneSigner implements ZoneEditor.Completion {

    /// Until we have looked, records may be remembered as long.
    private static final Duration UNKNOWN_TTL = Duration.ofDays(1);

    private final ZoneKeyStore keys;
    private final Function<Name, SigningSettings> settings;
    private final SignatureMaker maker;
    private final InstantSource clock;

    private final Map<Name, Zone> trusted = new ConcurrentHashMap<>();

    /// Signed versions that are not published, of which signatures are taken.
    private final Map<Name, Zone> prepared = new ConcurrentHashMap<>();

    /// Keys that are about to be forgotten, and are out of the zone already.
    private final Map<Name, List<ZoneKey>> leaving = new ConcurrentHashMap<>();

    private final Map<Name, Duration> longestTtl = new ConcurrentHashMap<>();

    /// @param settings of a zone, at this moment
    ZoneSigner(
            ZoneKeyStore keys,
            Function<Name, SigningSettings> settings,
            SignatureMaker maker,
            InstantSource clock) {
        this.keys = keys;
        this.settings = settings;
        this.maker = maker;
        this.clock = clock;
    }

    SigningSettings settings(Name origin) {
        return settings.apply(origin);
    }

    /// The keys that a zone is to have.
    List<ZoneKey> keys(Name origin) {
        List<ZoneKey> all = keys.keys(origin);
        List<ZoneKey> without = leaving.getOrDefault(origin, List.of());
        return without.isEmpty()
                ? all
                : all.stream().filter(key -> without.stream().noneMatch(key::is)).toList();
    }

    /// Whether signing of a zone is to end.
    boolean ends(Name origin) {
        return settings(origin).sign().filter(sign -> !sign).isPresent();
    }

    KeyRollover rollover(Name origin) {
        return new KeyRollover(origin, settings(origin).keys());
    }

    /// How long others may remember what the zone had.
    Duration longestTtl(Name origin) {
        return longestTtl.getOrDefault(origin, UNKNOWN_TTL);
    }

    void longestTtl(Name origin, Duration ttl) {
        longestTtl.merge(origin, ttl, (a, b) -> a.compareTo(b) > 0 ? a : b);
    }

    /// Keys that are to leave the zone with its next version.
    void leave(Name origin, List<ZoneKey> gone) {
        if (gone.isEmpty()) {
            leaving.remove(origin);
        } else {
            leaving.put(origin, gone);
        }
    }

    void forget(Name origin) {
        trusted.remove(origin);
        prepared.remove(origin);
    }

    /// How a zone is signed now, with the policy that is set.
    ZoneSigning signing(Zone zone) {
        SigningSettings set = settings(zone.origin());
        return signing(
                zone.origin(),
                set.sign().isPresent() ? set.policy() : SigningPolicy.asItStands(zone));
    }

    private ZoneSigning signing(Name origin, SigningPolicy policy) {
        Instant now = clock.instant();
        SigningKeys roles =
                rollover(origin).roles(keys(origin), longestTtl(origin), ends(origin), now);
        return new ZoneSigning(roles, policy, maker, now);
    }

    /// The same, with the chain that a version has: an edit does not turn NSEC into NSEC3.
    private ZoneSigning like(Zone zone) {
        ZoneSigning signing = signing(zone);
        return new ZoneSigning(
                signing.keys(),
                new SigningPolicy(
                        Denial.of(zone).orElse(signing.policy().denial()),
                        signing.policy().lifetime(),
                        signing.policy().refresh(),
                        signing.policy().digest()),
                maker,
                signing.now());
    }

    /// Signs a version ahead of the edit that will need it, so that other edits need not wait.
    void prepare(Zone zone) {
        signing(zone)
                .whole(zone, base(zone))
                .ifPresent(change -> prepared.put(zone.origin(), zone.with(change)));
    }

    private Optional<Zone> base(Zone zone) {
        return Optional.ofNullable(trusted.get(zone.origin()))
                .or(() -> Optional.ofNullable(prepared.get(zone.origin())))
                .or(() -> signing(zone).madeHere(zone) ? Optional.of(zone) : Optional.empty());
    }

    /// Whether a version may be served: it is of a zone that we do not sign, or it is whole.
    ///
    /// @param edited whether it came of an edit that was completed here
    boolean servable(Zone zone, boolean edited) {
        List<ZoneKey> all = keys(zone.origin());
        // A zone whose keys have never been published has never been signed.
        if (all.stream().noneMatch(key -> key.published().isPresent())) {
            return true;
        }
        if (!edited && trusted.get(zone.origin()) != zone && missing(zone).isPresent()) {
            return false;
        }
        made(zone);
        return true;
    }

    @Override
    public Optional<ZoneChange> outstanding(Zone current) {
        if (keys(current.origin()).isEmpty() || trusted.get(current.origin()) == current) {
            return Optional.empty();
        }
        return missing(current);
    }

    private Optional<ZoneChange> missing(Zone zone) {
        Optional<Zone> base = base(zone);
        return like(base.orElse(zone)).whole(zone, base);
    }

    @Override
    public ZoneChange completed(Zone current, ZoneChange edit) {
        // A zone whose keys have just been made is signed by the keeper, all at once.
        return keys(current.origin()).isEmpty() || Denial.of(current).isEmpty()
                ? edit
                : like(current).completed(current, edit);
    }

    @Override
    public void made(Zone zone) {
        if (!keys(zone.origin()).isEmpty() && Denial.of(zone).isPresent()) {
            trusted.put(zone.origin(), zone);
            prepared.remove(zone.origin());
        }
    }
}
