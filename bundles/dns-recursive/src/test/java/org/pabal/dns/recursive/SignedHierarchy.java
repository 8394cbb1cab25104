package org.pabal.dns.recursive;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneKey;
import org.pabal.dnssec.Denial;
import org.pabal.dnssec.KeyMaking;
import org.pabal.dnssec.SignatureMaker;
import org.pabal.dnssec.SigningKeys;
import org.pabal.dnssec.SigningPolicy;
import org.pabal.dnssec.ZoneSigning;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;

/// Signed and unsigned zones below a signed root, which answer as their servers would. Stands for
/// the walk in tests of the validator.
final class SignedHierarchy implements Validator.Fetch {

    static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");

    private final Map<Name, Zone> zones = new TreeMap<>();
    private final Map<Name, DNSKEYRecord> signers = new HashMap<>();
    final List<Question> fetched = new ArrayList<>();

    /// What a test does to findings on their way; the number is how often it was fetched before.
    BiFunction<Finding, Integer, Finding> between = (finding, before) -> finding;

    private final Map<Question, Integer> before = new HashMap<>();

    static Name name(String text) {
        return Name.fromConstantString(text);
    }

    /// Adds a zone; those below it come first.
    ///
    /// @param denial empty for a zone that is not signed
    /// @param text without SOA and apex NS; `DS child.` stands for the child's DS record
    SignedHierarchy zone(String origin, Optional<Denial> denial, String text) {
        Name apex = name(origin);
        StringBuilder file =
                new StringBuilder(
                        "@ 3600 IN SOA ns.test. hostmaster.test. 1 7200 900 604800 300\n"
                                + "@ 3600 IN NS ns.test.\n");
        for (String line : text.lines().toList()) {
            if (line.startsWith("DS ")) {
                Name child = name(line.substring(3).strip());
                DSRecord ds = new DSRecord(child, DClass.IN, 3600, 2, signers.get(child));
                file.append(ds).append('\n');
            } else {
                file.append(line).append('\n');
            }
        }
        Zone zone = PackedZone.of(MemoryZone.of(origin, file.toString()));
        zones.put(apex, denial.map(how -> signed(zone, how)).orElse(zone));
        return this;
    }

    private Zone signed(Zone zone, Denial denial) {
        ZoneKey key =
                KeyMaking.make(zone.origin(), List.of(), true, 15, Duration.ofHours(1), NOW)
                        .published(NOW)
                        .active(NOW);
        signers.put(zone.origin(), key.dnskey());
        SigningKeys keys =
                new SigningKeys(List.of(key), List.of(key), List.of(key), List.of(), false);
        SigningPolicy policy =
                new SigningPolicy(denial, Duration.ofDays(14), Duration.ofDays(7), false);
        return zone.with(
                new ZoneSigning(keys, policy, SignatureMaker.HERE, NOW)
                        .whole(zone, Optional.empty())
                        .orElseThrow());
    }

    /// The key that a zone is signed with.
    Record key(String zone) {
        return signers.get(name(zone));
    }

    Finding ask(String name, int type) {
        return answer(new Question(name(name), type));
    }

    @Override
    public Finding fetch(Question question, Request request) {
        fetched.add(question);
        int times = before.merge(question, 1, Integer::sum) - 1;
        return between.apply(answer(question), times);
    }

    private Finding answer(Question question) {
        Name name = question.name();
        Zone zone = zone(question);
        Optional<RRset> set = zone.records(name, question.type());
        if (set.isPresent()) {
            return finding(question, Finding.Kind.RECORDS, List.of(set.get()), List.of());
        }
        Optional<RRset> alias = zone.records(name, Type.CNAME);
        if (alias.isPresent()) {
            return finding(question, Finding.Kind.ALIAS, List.of(alias.get()), List.of());
        }
        for (int strip = 1; strip <= name.labels() - zone.origin().labels(); strip++) {
            Optional<RRset> dname = zone.records(new Name(name, strip), Type.DNAME);
            if (dname.isPresent()) {
                try {
                    Name target = name.fromDNAME((DNAMERecord) dname.get().first());
                    RRset cname = new RRset(new CNAMERecord(name, DClass.IN, 3600, target));
                    return finding(
                            question, Finding.Kind.ALIAS, List.of(dname.get(), cname), List.of());
                } catch (NameTooLongException e) {
                    throw new IllegalArgumentException(e);
                }
            }
        }
        List<RRset> proof =
                new ArrayList<>(zone.records(zone.origin(), Type.SOA).stream().toList());
        zone.all()
                .filter(each -> each.getType() == Type.NSEC || each.getType() == Type.NSEC3)
                .forEach(proof::add);
        if (zone.exists(name)) {
            return finding(question, Finding.Kind.NO_RECORD, List.of(), proof);
        }
        Name above = new Name(name, 1);
        while (!zone.exists(above)) {
            above = new Name(above, 1);
        }
        Optional<RRset> wildcard = zone.records(name("*." + above), question.type());
        if (wildcard.isPresent()) {
            proof.removeFirst();
            return finding(
                    question, Finding.Kind.RECORDS, List.of(renamed(wildcard.get(), name)), proof);
        }
        return finding(question, Finding.Kind.NO_NAME, List.of(), proof);
    }

    private Zone zone(Question question) {
        int strip = question.type() == Type.DS && !question.name().equals(Name.root) ? 1 : 0;
        for (Name above = new Name(question.name(), strip); ; above = new Name(above, 1)) {
            if (zones.containsKey(above)) {
                return zones.get(above);
            }
        }
    }

    static RRset renamed(RRset set, Name name) {
        RRset renamed = new RRset();
        set.rrs(false).forEach(each -> renamed.addRR(renamed(each, name)));
        set.sigs().forEach(each -> renamed.addRR((RRSIGRecord) renamed(each, name)));
        return renamed;
    }

    private static Record renamed(Record record, Name name) {
        return Record.newRecord(
                name,
                record.getType(),
                record.getDClass(),
                record.getTTL(),
                record.rdataToWireCanonical());
    }

    static RRset unsigned(RRset set) {
        return new RRset(set.rrs(false));
    }

    /// The same finding with other sets.
    static Finding with(Finding finding, List<RRset> records, List<RRset> proof) {
        return new Finding(
                finding.question(),
                finding.kind(),
                records,
                proof,
                finding.zone(),
                Security.UNCHECKED,
                Optional.empty(),
                finding.ttl(),
                false);
    }

    private static Finding finding(
            Question question, Finding.Kind kind, List<RRset> records, List<RRset> proof) {
        long ttl =
                records.isEmpty()
                        ? proof.stream()
                                .filter(set -> set.getType() == Type.SOA)
                                .mapToLong(set -> ((SOARecord) set.first()).getMinimum())
                                .findFirst()
                                .orElse(300)
                        : records.getLast().getTTL();
        return new Finding(
                question,
                kind,
                records,
                proof,
                Name.root,
                Security.UNCHECKED,
                Optional.empty(),
                ttl,
                false);
    }
}
