package org.pabal.dns.recursive;

import org.pabal.dnssec.DenialProof;
import org.pabal.dnssec.Effort;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The gaps between the names of signed zones, as far as proofs have told of them: what is in a gap
/// need not be asked (RFC 8198).
///
/// Only NSEC: the hashes of NSEC3 would cost more than they save in zones that use opt-out, and
/// most of those do. For many threads at once.
final class DenialMemory {

    private static final int MOST_ZONES = 1_000;
    private static final int MOST_GAPS = 100_000;
    private static final int MOST_GAPS_OF_A_ZONE = 20_000;

    /// Proofs that are longer are not kept: a name, a list of types and a signature or two are
    /// shorter, and who sends more may fill a message with signatures that nobody looked at.
    private static final int MOST_OCTETS = 2_000;

    private record Kept(RRset set, Instant until) {}

    private static final class Gaps {
        private final TreeMap<Name, Kept> byOwner = new TreeMap<>();
        private Kept soa;

        Gaps(Kept soa) {
            this.soa = soa;
        }
    }

    private final InstantSource clock;
    private final LinkedHashMap<Name, Gaps> zones = new LinkedHashMap<>(64, 0.75f, true);
    private int size;

    DenialMemory(InstantSource clock) {
        this.clock = clock;
    }

    /// Keeps what a secure denial is proved by.
    synchronized void keep(Finding finding) {
        if (finding.kind() != Finding.Kind.NO_NAME && finding.kind() != Finding.Kind.NO_RECORD
                || finding.ttl() <= 0) {
            return;
        }
        Optional<RRset> soa =
                finding.proof().stream()
                        .filter(
                                set ->
                                        set.getType() == Type.SOA
                                                && set.getName().equals(finding.zone())
                                                && small(set))
                        .findFirst();
        if (soa.isEmpty()) {
            return;
        }
        // RFC 8198 §5.4, RFC 9077 §3: no longer than the SOA says
        Instant until = clock.instant().plusSeconds(finding.ttl());
        Kept keptSoa = new Kept(soa.get(), until);
        for (RRset set : finding.proof()) {
            if (set.getType() == Type.NSEC && small(set)) {
                Gaps gaps = zones.computeIfAbsent(finding.zone(), zone -> new Gaps(keptSoa));
                gaps.soa = keptSoa;
                if (gaps.byOwner.put(set.getName(), new Kept(set, until)) == null) {
                    size++;
                }
                if (gaps.byOwner.size() > MOST_GAPS_OF_A_ZONE) {
                    gaps.byOwner.pollFirstEntry();
                    size--;
                }
            }
        }
        while (size > MOST_GAPS || zones.size() > MOST_ZONES) {
            size -= zones.pollFirstEntry().getValue().byOwner.size();
        }
    }

    private static boolean small(RRset set) {
        return Stream.concat(set.rrs(false).stream(), set.sigs().stream())
                        .mapToInt(record -> record.toWire(Section.AUTHORITY).length)
                        .sum()
                <= MOST_OCTETS;
    }

    /// Forgets the gaps of the zones at and below a name, and of those that may say that it is not
    /// there.
    synchronized void forget(Name name) {
        zones.entrySet()
                .removeIf(
                        each -> {
                            boolean concerned =
                                    each.getKey().subdomain(name) || name.subdomain(each.getKey());
                            size -= concerned ? each.getValue().byOwner.size() : 0;
                            return concerned;
                        });
    }

    /// What follows for a question; only what is secure.
    synchronized Optional<Finding> denied(Question question) {
        if (zones.isEmpty() || question.type() == Type.ANY || question.type() == Type.RRSIG) {
            return Optional.empty();
        }
        // RFC 4035 §3.1.4.1: a DS set is the parent's
        int first = question.type() == Type.DS ? 1 : 0;
        for (int strip = first; strip < question.name().labels(); strip++) {
            Name zone = new Name(question.name(), strip);
            Gaps gaps = zones.get(zone);
            if (gaps != null) {
                Optional<Finding> denied = denied(question, zone, gaps);
                if (denied.isPresent()) {
                    return denied;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<Finding> denied(Question question, Name zone, Gaps gaps) {
        Instant now = clock.instant();
        List<Kept> used = new ArrayList<>();
        if (!gaps.soa.until.isAfter(now)) {
            size -= gaps.byOwner.size();
            zones.remove(zone);
            return Optional.empty();
        }
        used.add(gaps.soa);
        if (!floor(gaps, question.name(), now, used)) {
            return Optional.empty();
        }
        Optional<Name> wildcard = proof(zone, used).wildcard(question.name());
        if (wildcard.isPresent() && !floor(gaps, wildcard.get(), now, used)) {
            return Optional.empty();
        }
        DenialProof proof = proof(zone, used);
        if (wildcard.isPresent() && proof.noName(question.name()) == DenialProof.Verdict.PROVED) {
            return Optional.of(finding(question, Finding.Kind.NO_NAME, zone, used, now));
        }
        return proof.noRecord(question.name(), question.type()) == DenialProof.Verdict.PROVED
                ? Optional.of(finding(question, Finding.Kind.NO_RECORD, zone, used, now))
                : Optional.empty();
    }

    /// Finds the gap that a name is in or begins.
    private boolean floor(Gaps gaps, Name name, Instant now, List<Kept> used) {
        Map.Entry<Name, Kept> entry = gaps.byOwner.floorEntry(name);
        if (entry == null) {
            return false;
        }
        if (!entry.getValue().until.isAfter(now)) {
            gaps.byOwner.remove(entry.getKey());
            size--;
            return false;
        }
        if (!used.contains(entry.getValue())) {
            used.add(entry.getValue());
        }
        return true;
    }

    private static DenialProof proof(Name zone, List<Kept> used) {
        return new DenialProof(zone, used.stream().map(Kept::set).toList(), 0, Effort.UNBOUNDED);
    }

    private static Finding finding(
            Question question, Finding.Kind kind, Name zone, List<Kept> used, Instant now) {
        Instant until = used.stream().map(Kept::until).min(Comparator.naturalOrder()).orElseThrow();
        long ttl = Duration.between(now, until).toSeconds();
        return new Finding(
                question,
                kind,
                List.of(),
                used.stream().map(kept -> ShorterTtl.of(kept.set, ttl)).toList(),
                zone,
                Security.SECURE,
                Optional.empty(),
                ttl,
                false);
    }
}
