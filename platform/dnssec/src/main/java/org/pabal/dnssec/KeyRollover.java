package org.pabal.dnssec;

import org.pabal.dns.ZoneKey;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// When keys come and go, and which signs what.
///
/// A zone-signing key is rolled by pre-publication (RFC 6781 §4.1.1.1): the successor is in the
/// zone until everybody has it, then it signs, and the one before stays until nobody remembers a
/// signature of it. A key-signing key is rolled by double signature (§4.1.2): both sign the keys,
/// the parent is asked for a DS of the new one, and the one before stays until nobody remembers a
/// DS set without the new one. Times are those of RFC 7583.
///
/// ```
///  ZSK   made ──▶ published ──Ipub──▶ active ──lifetime──▶ inactive ──▶ all signed anew ──Iret──▶ gone
///  KSK   made ──▶ published ──Ipub──▶ CDS ──▶ seen at the parent ──DS TTL──▶ the one before is gone
/// ```
///
/// @param origin the zone
public record KeyRollover(Name origin, KeyPolicy policy) {

    /// What to do now.
    ///
    /// @param keys all that the zone should have from now on, with what happens to them now
    /// @param removed those that may leave the zone, and may be forgotten when they have
    /// @param unsign nobody expects signatures any more: they may all leave the zone
    public record Plan(List<ZoneKey> keys, List<ZoneKey> removed, boolean unsign) {}

    /// What a key does, in an administrator's word, and when that ends.
    ///
    /// @param until empty when it does not depend on time
    public record State(String word, Optional<Instant> until, String then) {}

    /// Decides what to do.
    ///
    /// @param parent what the parent was seen to have, empty when nobody has looked
    /// @param leaving whether signing is to end
    public Plan plan(
            Collection<ZoneKey> known,
            Optional<? extends Collection<DSRecord>> parent,
            boolean leaving,
            Instant now) {
        List<ZoneKey> keys = new ArrayList<>(known);
        if (!leaving) {
            first(keys, true, now);
            first(keys, false, now);
        }
        parent.ifPresent(seen -> look(keys, seen, leaving, now));
        if (!leaving) {
            succeed(keys, now);
        }
        List<ZoneKey> removed = keys.stream().filter(key -> reached(key.removal(), now)).toList();
        boolean unsign = leaving && removed.size() == keys.size();
        if (leaving && !unsign) {
            removed = List.of(); // they go together
        }
        keys.removeAll(removed);
        return new Plan(keys, removed, unsign);
    }

    /// The first of a kind, which signs at once: nobody knows the zone as a signed one.
    private void first(List<ZoneKey> keys, boolean signsKeys, Instant now) {
        if (keys.stream().noneMatch(key -> key.signsKeys() == signsKeys)) {
            keys.add(make(keys, signsKeys, now).active(now));
        }
    }

    /// A new key, to succeed the present one. The administrator may ask for it; it is active when
    /// everybody knows it.
    public ZoneKey make(Collection<ZoneKey> keys, boolean signsKeys, Instant now) {
        int algorithm =
                keys.stream().map(ZoneKey::algorithm).findFirst().orElse(policy.algorithm());
        ZoneKey key = KeyMaking.make(origin, keys, signsKeys, algorithm, policy.keyTtl(), now);
        return signsKeys ? key.active(now) : key;
    }

    /// Takes in what the parent has.
    private void look(
            List<ZoneKey> keys, Collection<DSRecord> parent, boolean leaving, Instant now) {
        keys.replaceAll(
                key ->
                        key.signsKeys()
                                        && key.published().isPresent()
                                        && key.seen().isEmpty()
                                        && parent.stream().anyMatch(ds -> names(ds, key))
                                ? key.seen(now)
                                : key);
        if (leaving && parent.isEmpty()) {
            // RFC 8078 §4: signatures stay until nobody remembers the DS set
            Instant gone =
                    keys.stream().anyMatch(key -> key.seen().isPresent())
                            ? now.plus(policy.dsTtl())
                            : now;
            keys.replaceAll(key -> key.removal().isEmpty() ? key.removal(Optional.of(gone)) : key);
        } else if (leaving) {
            keys.replaceAll(key -> key.removal(Optional.empty()));
        }
        Optional<ZoneKey> newest = newestSeen(keys);
        if (!leaving && newest.isPresent()) {
            keys.replaceAll(
                    key ->
                            key.signsKeys() && key.removal().isEmpty() && older(key, newest.get())
                                    ? key.inactive(now)
                                            .removal(Optional.of(now.plus(policy.dsTtl())))
                                    : key);
        }
    }

    private static Optional<ZoneKey> newestSeen(Collection<ZoneKey> keys) {
        return keys.stream()
                .filter(key -> key.signsKeys() && key.seen().isPresent())
                .max(Comparator.comparing(ZoneKey::created));
    }

    private void succeed(List<ZoneKey> keys, Instant now) {
        // A key that was to leave, because signing was to end, stays after all.
        keys.replaceAll(
                key ->
                        key.removal().isPresent() && key.inactive().isEmpty()
                                ? key.removal(Optional.empty())
                                : key);
        Optional<ZoneKey> signs = signsZone(keys);
        Optional<ZoneKey> ready =
                keys.stream()
                        .filter(key -> standsBy(key) && reached(readyAt(key), now))
                        .max(Comparator.comparing(ZoneKey::created));
        if (signs.isPresent() && ready.isPresent()) {
            keys.replaceAll(
                    key ->
                            key.is(ready.get())
                                    ? key.active(now)
                                    : key.is(signs.get()) ? key.inactive(now) : key);
        } else if (signs.isPresent()
                && keys.stream().noneMatch(KeyRollover::standsBy)
                && reached(successorAt(signs.get()), now)) {
            keys.add(make(keys, false, now));
        }
        Optional<ZoneKey> newest = newestKsk(keys);
        if (newest.isPresent() && reached(kskSuccessorAt(newest.get()), now)) {
            keys.add(make(keys, true, now));
        }
    }

    /// Notes that keys have come into the zone.
    public static List<ZoneKey> published(Collection<ZoneKey> keys, Instant now) {
        return keys.stream()
                .map(key -> key.published().isEmpty() ? key.published(now) : key)
                .toList();
    }

    /// Notes that the keys whose signatures have all been replaced may leave, when nobody remembers
    /// those signatures (RFC 7583 §3.2.1, Iret).
    ///
    /// @param tags of the keys that made any signature which is in the zone
    public List<ZoneKey> replaced(
            Collection<ZoneKey> keys, Set<Integer> tags, Duration longestTtl, Instant now) {
        return keys.stream()
                .map(
                        key ->
                                !key.signsKeys()
                                                && key.inactive().isPresent()
                                                && key.removal().isEmpty()
                                                && !tags.contains(key.tag())
                                        ? key.removal(
                                                Optional.of(
                                                        now.plus(longestTtl)
                                                                .plus(policy.propagation())))
                                        : key)
                .toList();
    }

    /// Which key does what.
    public SigningKeys roles(
            Collection<ZoneKey> keys, Duration longestTtl, boolean leaving, Instant now) {
        List<ZoneKey> ksks = keys.stream().filter(ZoneKey::signsKeys).toList();
        List<ZoneKey> atParent =
                ksks.stream()
                        .filter(key -> reached(submitAt(key, ksks, longestTtl), now))
                        .max(Comparator.comparing(ZoneKey::created))
                        .stream()
                        .toList();
        return new SigningKeys(
                List.copyOf(keys), ksks, signsZone(keys).stream().toList(), atParent, leaving);
    }

    /// What a key does at a moment.
    public State state(
            ZoneKey key,
            Collection<ZoneKey> keys,
            Duration longestTtl,
            boolean leaving,
            Instant now) {
        if (key.removal().isPresent()) {
            return new State(
                    leaving ? "leaving" : "retired", key.removal(), "is taken out of the zone");
        }
        if (key.published().isEmpty()) {
            return new State("new", Optional.empty(), "comes into the zone");
        }
        if (key.signsKeys()) {
            if (leaving) {
                return new State("leaving", Optional.empty(), "the parent has to remove its DS");
            }
            Optional<Instant> submit = submitAt(key, keys, longestTtl);
            if (key.seen().isPresent()) {
                return new State("active", kskSuccessorAt(key), "a successor is made");
            }
            return reached(submit, now)
                    ? new State("ready", Optional.empty(), "the parent has to have its DS")
                    : new State("published", submit, "the parent may have its DS");
        }
        if (key.inactive().isPresent()) {
            return new State("inactive", Optional.empty(), "its signatures are replaced");
        }
        return key.active().isPresent()
                ? new State("active", successorAt(key), "a successor is made")
                : new State("published", readyAt(key), "it begins to sign");
    }

    /// Whether a DS record is one of a key.
    public static boolean names(DSRecord ds, ZoneKey key) {
        return ds.getFootprint() == key.tag()
                && ds.getAlgorithm() == key.algorithm()
                && new DSRecord(
                                key.origin(),
                                ds.getDClass(),
                                ds.getTTL(),
                                ds.getDigestID(),
                                key.dnskey())
                        .equals(ds);
    }

    /// When there is something to do again, as far as it depends on time.
    public Optional<Instant> next(
            Collection<ZoneKey> keys, Duration longestTtl, boolean leaving, Instant now) {
        List<ZoneKey> ksks = keys.stream().filter(ZoneKey::signsKeys).toList();
        return keys.stream()
                .flatMap(
                        key ->
                                Stream.of(
                                        key.removal(),
                                        leaving || !standsBy(key)
                                                ? Optional.<Instant>empty()
                                                : readyAt(key),
                                        leaving || key.inactive().isPresent()
                                                ? Optional.<Instant>empty()
                                                : successorAt(key),
                                        key.signsKeys()
                                                ? submitAt(key, ksks, longestTtl)
                                                : Optional.<Instant>empty(),
                                        leaving ? Optional.<Instant>empty() : kskSuccessorAt(key)))
                .flatMap(Optional::stream)
                .filter(at -> at.isAfter(now))
                .min(Comparator.naturalOrder());
    }

    /// The zone-signing key that makes the signatures.
    private static Optional<ZoneKey> signsZone(Collection<ZoneKey> keys) {
        return keys.stream()
                .filter(
                        key ->
                                !key.signsKeys()
                                        && key.active().isPresent()
                                        && key.inactive().isEmpty())
                .max(Comparator.comparing(ZoneKey::created));
    }

    private static Optional<ZoneKey> newestKsk(Collection<ZoneKey> keys) {
        return keys.stream().filter(ZoneKey::signsKeys).max(Comparator.comparing(ZoneKey::created));
    }

    private static boolean standsBy(ZoneKey key) {
        return !key.signsKeys() && key.active().isEmpty();
    }

    private Optional<Instant> readyAt(ZoneKey key) {
        return key.published().map(at -> at.plus(policy.known()));
    }

    /// When a successor of the key that signs the zone has to be made, to be ready in time.
    private Optional<Instant> successorAt(ZoneKey key) {
        return key.signsKeys() || policy.zskLifetime().isZero()
                ? Optional.empty()
                : key.active().map(at -> at.plus(policy.zskLifetime()).minus(policy.known()));
    }

    private Optional<Instant> kskSuccessorAt(ZoneKey key) {
        return policy.kskLifetime().isZero()
                ? Optional.empty()
                : key.seen().map(at -> at.plus(policy.kskLifetime()).minus(policy.known()));
    }

    /// When the parent may have a DS of a key. The first waits until nobody remembers the zone
    /// without signatures (RFC 7583 §3.3.4); another until everybody has the key.
    private Optional<Instant> submitAt(ZoneKey key, Collection<ZoneKey> keys, Duration longestTtl) {
        boolean first = keys.stream().noneMatch(other -> other.signsKeys() && older(other, key));
        Duration wait = policy.known();
        if (first && longestTtl.plus(policy.propagation()).compareTo(wait) > 0) {
            wait = longestTtl.plus(policy.propagation());
        }
        Duration waits = wait;
        return key.published().map(at -> at.plus(waits));
    }

    private static boolean older(ZoneKey one, ZoneKey other) {
        return one.created().isBefore(other.created());
    }

    private static boolean reached(Optional<Instant> moment, Instant now) {
        return moment.isPresent() && !now.isBefore(moment.get());
    }
}
