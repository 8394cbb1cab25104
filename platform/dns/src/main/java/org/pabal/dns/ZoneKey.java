package org.pabal.dns;

import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Name;

import java.security.PrivateKey;
import java.time.Instant;
import java.util.Optional;

/// A key that signs a zone, and what has happened to it so far: facts, of which what happens next
/// is calculated, so that a node that slept catches up instead of hurrying.
///
/// @param dnskey the public half, with the flag of a key-signing key or without it
/// @param secret the private half
/// @param created when it was made
/// @param published since when it has been in the zone
/// @param active since when it has signed
/// @param inactive since when it makes no new signatures, because its successor does
/// @param seen since when the parent has had a DS record of it
/// @param removal when it may leave the zone
public record ZoneKey(
        DNSKEYRecord dnskey,
        PrivateKey secret,
        Instant created,
        Optional<Instant> published,
        Optional<Instant> active,
        Optional<Instant> inactive,
        Optional<Instant> seen,
        Optional<Instant> removal) {

    private static final int SECURE_ENTRY_POINT = 1; // RFC 4034 §2.1.1

    /// A new key, to which nothing has happened.
    public ZoneKey(DNSKEYRecord dnskey, PrivateKey secret, Instant created) {
        this(
                dnskey,
                secret,
                created,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    public Name origin() {
        return dnskey.getName();
    }

    /// The key tag of RFC 4034 appendix B.
    public int tag() {
        return dnskey.getFootprint();
    }

    public int algorithm() {
        return dnskey.getAlgorithm();
    }

    /// Whether it signs keys, and the parent has a DS record of it, rather than all the rest.
    public boolean signsKeys() {
        return (dnskey.getFlags() & SECURE_ENTRY_POINT) != 0;
    }

    /// Whether this is that key, whatever has happened to it.
    public boolean is(ZoneKey other) {
        return dnskey.equals(other.dnskey);
    }

    public ZoneKey published(Instant at) {
        return new ZoneKey(
                dnskey, secret, created, Optional.of(at), active, inactive, seen, removal);
    }

    public ZoneKey active(Instant at) {
        return new ZoneKey(
                dnskey, secret, created, published, Optional.of(at), inactive, seen, removal);
    }

    public ZoneKey inactive(Instant at) {
        return new ZoneKey(
                dnskey, secret, created, published, active, Optional.of(at), seen, removal);
    }

    public ZoneKey seen(Instant at) {
        return new ZoneKey(
                dnskey, secret, created, published, active, inactive, Optional.of(at), removal);
    }

    public ZoneKey removal(Optional<Instant> at) {
        return new ZoneKey(dnskey, secret, created, published, active, inactive, seen, at);
    }

    /// Without the private half: this may end in a log.
    @Override
    public String toString() {
        return origin()
                + (signsKeys() ? " KSK " : " ZSK ")
                + tag()
                + " "
                + DNSSEC.Algorithm.string(algorithm());
    }
}
