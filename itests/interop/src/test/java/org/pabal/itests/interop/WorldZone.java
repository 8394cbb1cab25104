package org.pabal.itests.interop;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneKey;
import org.pabal.dnssec.Denial;
import org.pabal.dnssec.KeyMaking;
import org.pabal.dnssec.SignatureMaker;
import org.pabal.dnssec.SigningKeys;
import org.pabal.dnssec.SigningPolicy;
import org.pabal.dnssec.ZoneSigning;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;
import org.xbill.DNS.utils.base32;

import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A zone of a generated world: what is in it, how it is signed, and what is odd about it.
final class WorldZone {

    /// What zones of the Internet get wrong, or do in another way than most.
    enum Oddity {
        EXPIRED,
        NOT_YET_VALID,
        DS_OF_ANOTHER_KEY,
        DS_OF_UNKNOWN_ALGORITHM,
        DS_OF_UNKNOWN_DIGEST,
        DS_OF_TWO_DIGESTS,
        ISLAND,
        NO_DENIALS,
        NO_SIGNATURES,
        WRONG_SIGNATURES,
        NO_KEYS,
        NO_SOA,
        ALWAYS_TRUNCATED,
        NO_EDNS,
        FIRST_REFUSES,
        FIRST_SILENT,
        FIRST_FAILS,
        ALL_REFUSE,
        FIRST_REFERS_UPWARDS,
        ALL_REFER_UPWARDS,
        EMPTY_NON_TERMINALS_DENIED,
        JUNK,
        NOT_AUTHORITATIVE,
        FROM_MEMORY,
        CHILD_NAMES_OTHER_SERVERS,
        GLUELESS,
        GLUELESS_CIRCLE,
        MANY_SERVERS_GLUELESS,
        NO_NS_AT_APEX,
        REFERRAL_ALSO_IN_ANSWER,
        WILDCARD_WITHOUT_PROOF,
        TWO_SIGNERS_ONE_BAD,
        DS_SERVED_BY_CHILD,
    }

    final Name origin;
    final Set<Oddity> oddities = EnumSet.noneOf(Oddity.class);
    final List<Record> records = new ArrayList<>();
    final List<String> servers = new ArrayList<>();
    Optional<Denial> denial = Optional.empty();
    int algorithm = 13;
    Optional<ZoneKey> key = Optional.empty();
    private Zone zone;

    WorldZone(Name origin) {
        this.origin = origin;
    }

    boolean is(Oddity oddity) {
        return oddities.contains(oddity);
    }

    /// Makes the key, whose DS the parent needs.
    void makeKey(Instant now) {
        key =
                denial.map(
                        d ->
                                KeyMaking.make(
                                                origin,
                                                List.of(),
                                                true,
                                                algorithm,
                                                Duration.ofHours(1),
                                                now)
                                        .published(now)
                                        .active(now));
    }

    List<Record> signers() {
        if (key.isEmpty() || is(Oddity.ISLAND)) {
            return List.of();
        }
        DSRecord ds = new DSRecord(origin, DClass.IN, 3600, 2, key.get().dnskey());
        byte[] digest = ds.getDigest();
        int algorithmOfDs = ds.getAlgorithm();
        int digestId = 2;
        if (is(Oddity.DS_OF_ANOTHER_KEY)) {
            digest[3] ^= 1;
        }
        if (is(Oddity.DS_OF_UNKNOWN_ALGORITHM)) {
            algorithmOfDs = 200;
        }
        if (is(Oddity.DS_OF_UNKNOWN_DIGEST)) {
            digestId = 99;
        }
        List<Record> all = new ArrayList<>();
        all.add(
                new DSRecord(
                        origin,
                        DClass.IN,
                        3600,
                        ds.getFootprint(),
                        algorithmOfDs,
                        digestId,
                        digest));
        if (is(Oddity.DS_OF_TWO_DIGESTS)) {
            all.add(new DSRecord(origin, DClass.IN, 3600, 1, key.get().dnskey()));
        }
        return all;
    }

    /// Signs it when everything is in it.
    void finish(Instant now) {
        Zone plain = new PackedZone(origin, records);
        if (key.isEmpty()) {
            zone = plain;
            return;
        }
        Instant then = now;
        if (is(Oddity.EXPIRED)) {
            then = now.minus(Duration.ofDays(60));
        } else if (is(Oddity.NOT_YET_VALID)) {
            then = now.plus(Duration.ofDays(10));
        }
        SigningKeys keys =
                new SigningKeys(
                        key.stream().toList(),
                        key.stream().toList(),
                        key.stream().toList(),
                        List.of(),
                        false);
        SigningPolicy policy =
                new SigningPolicy(
                        denial.orElseThrow(), Duration.ofDays(14), Duration.ofDays(7), false);
        zone =
                plain.with(
                        new ZoneSigning(keys, policy, SignatureMaker.HERE, then)
                                .whole(plain, Optional.empty())
                                .orElseThrow());
    }

    Zone zone() {
        return zone;
    }

    /// NSEC or NSEC3 set that matches or covers a name.
    Optional<RRset> link(Name name) {
        if (denial.isEmpty()) {
            return Optional.empty();
        }
        if (denial.get() == Denial.NSEC) {
            return zone.matchingOrCovering(name, Type.NSEC);
        }
        return zone.matchingOrCovering(hashed(name), Type.NSEC3);
    }

    boolean linked(Name name) {
        if (denial.isEmpty() || denial.get() == Denial.NSEC) {
            return denial.isPresent() && zone.records(name, Type.NSEC).isPresent();
        }
        return zone.records(hashed(name), Type.NSEC3).isPresent();
    }

    private Name hashed(Name name) {
        NSEC3Record any =
                (NSEC3Record)
                        zone.all()
                                .filter(set -> set.getType() == Type.NSEC3)
                                .findFirst()
                                .orElseThrow()
                                .first();
        try {
            String label =
                    new base32(base32.Alphabet.BASE32HEX, false, false)
                            .toString(any.hashName(name))
                            .toLowerCase(java.util.Locale.ROOT);
            return Name.concatenate(new Name(label), origin);
        } catch (NoSuchAlgorithmException | java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
