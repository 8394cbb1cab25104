package org.pabal.dns.recursive;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/// Reads what a reply means, and leaves out what its sender has no say in (security row D4).
///
/// Servers are not as tidy as RFC 1034 §4.3.2: many answer without the AA bit, or with a referral
/// beside the answer. What is taken for what is as Unbound takes it, because zones of the Internet
/// have been tried with it.
final class ReplyReading {

    /// Security row D24; RFC 1034 §3.6.2 knows no limit.
    static final int MAX_ALIASES = 16;

    /// A zone with more name servers than that is an attack (CVE-2022-3204, security row D7).
    static final int MAX_NAME_SERVERS = 40;

    private static final int MAX_ADDRESSES_EACH = 8;

    /// For an answer that says nothing of how long it holds: RFC 2308 §5 would have it forgotten
    /// at once, which has everybody ask again.
    static final long UNKNOWN_NEGATIVE_TTL = 5;

    /// Of one name and type, each of which is compared to all others of them: a message of 64 KB
    /// would take seconds to read. The same number as in BIND (CVE-2024-1737).
    private static final int MAX_RECORDS = 100;

    private record SetName(Name name, int type) {}

    private final Message message;
    private final Question question;
    private final Name zone;
    private final boolean recursive;
    private final Map<SetName, RRset> answer;
    private final Map<SetName, RRset> authority;

    private ReplyReading(Message message, Question question, Name zone, boolean recursive) {
        this.message = message;
        this.question = question;
        this.zone = zone;
        this.recursive = recursive;
        this.answer = sets(Section.ANSWER);
        this.authority = sets(Section.AUTHORITY);
    }

    /// @param zone of which the server was asked: it has no say above that
    /// @param recursive whether it was to do the walk, so that it tells what others said
    static Reading read(Message message, Question question, Name zone, boolean recursive) {
        if (tooLarge(message)) {
            return new Reading.Unusable("more than " + MAX_RECORDS + " records of a type");
        }
        return new ReplyReading(message, question, zone, recursive).read();
    }

    private Reading read() {
        int rcode = message.getRcode();
        if (message.getHeader().getOpcode() != Opcode.QUERY) {
            return new Reading.Unusable("is no answer to a query");
        }
        List<Finding> chain = chain();
        boolean tooLong = !chain.isEmpty() && chain.getLast().kind() == Finding.Kind.TOO_LONG;
        // RFC 6672 §2.2: YXDOMAIN is the right answer there
        if (rcode != Rcode.NOERROR
                && rcode != Rcode.NXDOMAIN
                && !(rcode == Rcode.YXDOMAIN && tooLong)) {
            return new Reading.Unusable(Rcode.string(rcode));
        }
        if (!chain.isEmpty()) {
            return answered(chain, rcode);
        }
        return rcode == Rcode.NXDOMAIN ? noName() : nothing();
    }

    private Reading answered(List<Finding> chain, int rcode) {
        Finding last = chain.getLast();
        if (last.kind() == Finding.Kind.ALIAS) {
            negative(last.target(), rcode).ifPresent(chain::add);
            return said(chain);
        }
        if (chain.size() == 1 && !flag(Flags.AA) && !recursive) {
            Optional<RRset> below = below();
            if (below.isPresent() && !authority.containsKey(new SetName(zone, Type.NS))) {
                return referral(below.get());
            }
            if (flag(Flags.RA)) {
                return new Reading.Weak("answers from memory", chain);
            }
        }
        return said(chain);
    }

    /// The records that answer, from alias to alias as long as the names are the zone's.
    private List<Finding> chain() {
        List<Finding> chain = new ArrayList<>();
        Set<Name> names = new HashSet<>();
        Name name = question.name();
        while (name.subdomain(zone) && names.add(name) && chain.size() < MAX_ALIASES) {
            Optional<Finding> link = link(name);
            if (link.isEmpty()) {
                break;
            }
            chain.add(link.get());
            if (link.get().kind() != Finding.Kind.ALIAS) {
                break;
            }
            name = link.get().target();
        }
        return chain;
    }

    private Optional<Finding> link(Name name) {
        Question asked = new Question(name, question.type());
        // RFC 6672 §2.4: there are no names below a DNAME, so nothing but what follows from it; who
        // asks for a CNAME would else get the server's, which nobody signs
        for (RRset set : answer.values()) {
            if (set.getType() == Type.DNAME
                    && !set.rrs(false).isEmpty()
                    && name.subdomain(set.getName())
                    && !name.equals(set.getName())) {
                return Optional.of(synthesized(asked, set, zone(set)));
            }
        }
        List<RRset> sets = matching(name);
        if (!sets.isEmpty()) {
            return Optional.of(positive(asked, Finding.Kind.RECORDS, sets));
        }
        return Optional.ofNullable(answer.get(new SetName(name, Type.CNAME)))
                .filter(cname -> !cname.rrs(false).isEmpty())
                .map(cname -> positive(asked, Finding.Kind.ALIAS, List.of(cname)));
    }

    private List<RRset> matching(Name name) {
        if (question.type() == Type.ANY) {
            // RFC 8482 §4.1: one set is enough, and nobody can be made to carry more
            return answer.values().stream()
                    .filter(set -> set.getName().equals(name) && !set.rrs(false).isEmpty())
                    .limit(1)
                    .toList();
        }
        if (question.type() == Type.RRSIG) {
            return answer.values().stream()
                    .filter(set -> name(set).equals(name) && !set.sigs().isEmpty())
                    .toList();
        }
        RRset set = answer.get(new SetName(name, question.type()));
        return set == null || set.rrs(false).isEmpty() ? List.of() : List.of(set);
    }

    /// RFC 6672 §3.1: the CNAME that follows from a DNAME is made here, whatever came with it.
    static Finding synthesized(Question asked, RRset dname, Name zone) {
        Finding.Kind kind = Finding.Kind.ALIAS;
        List<RRset> records;
        try {
            Name target = asked.name().fromDNAME((DNAMERecord) dname.first());
            RRset cname =
                    new RRset(new CNAMERecord(asked.name(), DClass.IN, dname.getTTL(), target));
            records = List.of(dname, cname);
        } catch (NameTooLongException e) {
            kind = Finding.Kind.TOO_LONG;
            records = List.of(dname);
        }
        return new Finding(
                asked,
                kind,
                records,
                List.of(),
                zone,
                Security.UNCHECKED,
                Optional.empty(),
                dname.getTTL(),
                false);
    }

    private Finding positive(Question asked, Finding.Kind kind, List<RRset> sets) {
        // RFC 4035 §3.1.3.3: what came of a wildcard is proved by what denies the name itself
        List<RRset> proof =
                sets.stream().anyMatch(ReplyReading::ofWildcard) ? denials() : List.of();
        return new Finding(
                asked,
                kind,
                sets,
                proof,
                zone(sets.getFirst()),
                Security.UNCHECKED,
                Optional.empty(),
                ttl(sets),
                false);
    }

    private static boolean ofWildcard(RRset set) {
        return set.sigs().stream().anyMatch(sig -> sig.getLabels() < labels(set.getName()));
    }

    private static int labels(Name name) {
        return name.labels() - 1 - (name.isWild() ? 1 : 0);
    }

    private Reading noName() {
        Finding finding = negative(question, Finding.Kind.NO_NAME);
        if (!recursive && flag(Flags.RA) && !flag(Flags.AA)) {
            return new Reading.Weak(
                    "says from memory that there is no such name", List.of(finding));
        }
        return said(List.of(finding));
    }

    /// NOERROR and no answer: no such record, or a referral, or nonsense.
    private Reading nothing() {
        if (recursive) {
            return soa(question.name()).isPresent() || !denials().isEmpty()
                    ? said(List.of(negative(question, Finding.Kind.NO_RECORD)))
                    : empty();
        }
        if (question.type() == Type.DS) {
            Optional<Reading> atCut = delegationSigner();
            if (atCut.isPresent()) {
                return atCut.get();
            }
        }
        boolean fromMemory = flag(Flags.RA) && !flag(Flags.AA);
        for (RRset set : authority.values()) {
            Name owner = name(set);
            if (set.getType() == Type.SOA && question.name().subdomain(owner)) {
                Finding none = negative(question, Finding.Kind.NO_RECORD);
                return fromMemory
                        ? new Reading.Weak("answers from memory", List.of(none))
                        : said(List.of(none));
            }
            if (set.getType() == Type.NS && owner.equals(zone)) {
                // RFC 2308 §2.2.1 would take it for a referral to itself: real ones are AA
                return flag(Flags.AA) ? empty() : new Reading.Unusable("refers to itself");
            }
            if (set.getType() == Type.NS && question.name().subdomain(owner)) {
                return referral(set);
            }
        }
        if (upwards()) {
            return new Reading.Lame("refers upwards");
        }
        if (fromMemory) {
            return new Reading.Unusable("has nothing in its memory");
        }
        return empty();
    }

    /// RFC 2308 §2.2 asks for an SOA; without it nobody can say for how long this holds. It may be
    /// a broken server, so others are asked first.
    private Reading empty() {
        return new Reading.Weak(
                "says nothing, without SOA", List.of(negative(question, Finding.Kind.NO_RECORD)));
    }

    /// The parent's word on a child's keys, which some servers give as a referral only; and what
    /// the child itself says of it counts for nothing (RFC 4035 §3.1.4.1).
    private Optional<Reading> delegationSigner() {
        Name child = question.name();
        boolean belowTheCut =
                authority.containsKey(new SetName(child, Type.SOA)) && !child.equals(zone);
        if (belowTheCut) {
            return Optional.of(new Reading.Unusable("answers from below the cut"));
        }
        if (authority.containsKey(new SetName(child, Type.NS)) && !child.equals(zone)) {
            return Optional.of(
                    said(
                            List.of(
                                    signer(child)
                                            .orElseGet(
                                                    () ->
                                                            negative(
                                                                    question,
                                                                    Finding.Kind.NO_RECORD)))));
        }
        return Optional.empty();
    }

    private Optional<Finding> signer(Name child) {
        Question ds = new Question(child, Type.DS);
        RRset set = authority.get(new SetName(child, Type.DS));
        if (set != null && !set.rrs(false).isEmpty()) {
            return Optional.of(positive(ds, Finding.Kind.RECORDS, List.of(set)));
        }
        return denials().isEmpty()
                ? Optional.empty()
                : Optional.of(negative(ds, Finding.Kind.NO_RECORD));
    }

    /// What is said of the end of a chain of aliases: nothing, when it belongs to somebody else or
    /// nobody says for how long.
    private Optional<Finding> negative(Name target, int rcode) {
        if (!target.subdomain(zone) || soa(target).isEmpty()) {
            return Optional.empty();
        }
        Finding.Kind kind = rcode == Rcode.NXDOMAIN ? Finding.Kind.NO_NAME : Finding.Kind.NO_RECORD;
        return Optional.of(negative(new Question(target, question.type()), kind));
    }

    private Finding negative(Question asked, Finding.Kind kind) {
        List<RRset> proof = new ArrayList<>();
        Optional<RRset> soa = soa(asked.name());
        soa.ifPresent(proof::add);
        proof.addAll(denials());
        long ttl = UNKNOWN_NEGATIVE_TTL;
        if (soa.isPresent()) {
            // RFC 2308 §5
            SOARecord record = (SOARecord) soa.get().first();
            ttl = Math.min(ttl(proof), record.getMinimum());
            // what is passed on must not hold for longer: RFC 2308 §3 has servers do that
            proof.set(0, ShorterTtl.of(soa.get(), ttl));
        } else if (!proof.isEmpty()) {
            ttl = ttl(proof);
        }
        Name said =
                soa.map(RRset::getName)
                        .orElseGet(() -> proof.isEmpty() ? zone : zone(proof.getFirst()));
        return new Finding(
                asked,
                kind,
                List.of(),
                proof,
                said,
                Security.UNCHECKED,
                Optional.empty(),
                ttl,
                false);
    }

    /// The SOA of a zone that may speak for a name: at or above it, and not above the zone asked.
    private Optional<RRset> soa(Name name) {
        return authority.values().stream()
                .filter(set -> set.getType() == Type.SOA && !set.rrs(false).isEmpty())
                .filter(set -> name.subdomain(set.getName()))
                .findFirst();
    }

    private List<RRset> denials() {
        return authority.values().stream()
                .filter(set -> !set.rrs(false).isEmpty())
                .filter(set -> set.getType() == Type.NSEC || set.getType() == Type.NSEC3)
                .toList();
    }

    private Optional<RRset> below() {
        return authority.values().stream()
                .filter(set -> set.getType() == Type.NS && !set.getName().equals(zone))
                .filter(set -> question.name().subdomain(set.getName()))
                .findFirst();
    }

    private boolean upwards() {
        return message.getSection(Section.AUTHORITY).stream()
                .anyMatch(
                        record ->
                                record.getType() == Type.NS
                                        && zone.subdomain(record.getName())
                                        && !zone.equals(record.getName()));
    }

    private Reading referral(RRset set) {
        RRset ns = new RRset();
        set.rrs(false).stream().limit(MAX_NAME_SERVERS).forEach(ns::addRR);
        List<RRset> glue = glue(RootHints.names(ns));
        long ttl = Math.min(ns.getTTL(), glue.isEmpty() ? Long.MAX_VALUE : ttl(glue));
        return new Reading.Referral(
                new Delegation(ns.getName(), ns, glue, ttl),
                zone.equals(ns.getName()) ? Optional.empty() : signer(ns.getName()));
    }

    /// Addresses that the zone asked may speak of: those of its own names and below (row D4).
    private List<RRset> glue(List<Name> servers) {
        return sets(Section.ADDITIONAL).values().stream()
                .filter(set -> set.getType() == Type.A || set.getType() == Type.AAAA)
                .filter(set -> !set.rrs(false).isEmpty() && servers.contains(set.getName()))
                .map(ReplyReading::some)
                .toList();
    }

    private static RRset some(RRset set) {
        RRset some = new RRset();
        set.rrs(false).stream().limit(MAX_ADDRESSES_EACH).forEach(some::addRR);
        return some;
    }

    /// For priming (RFC 9609): who the root says serves it.
    static Optional<Delegation> rootServers(Message message) {
        ReplyReading reading =
                new ReplyReading(message, new Question(Name.root, Type.NS), Name.root, false);
        RRset ns = reading.answer.get(new SetName(Name.root, Type.NS));
        if (message.getRcode() != Rcode.NOERROR || ns == null || ns.rrs(false).isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(((Reading.Referral) reading.referral(ns)).delegation());
    }

    private Reading said(List<Finding> chain) {
        SetName own = new SetName(zone, Type.NS);
        Optional<RRset> servers =
                Optional.ofNullable(authority.get(own))
                        .or(() -> Optional.ofNullable(answer.get(own)))
                        .filter(set -> !recursive && !set.rrs(false).isEmpty());
        return new Reading.Said(chain, servers);
    }

    private boolean flag(byte flag) {
        return message.getHeader().getFlag(flag);
    }

    /// Who says so, as far as can be seen from one set.
    private Name zone(RRset set) {
        return set.sigs().stream()
                .map(RRSIGRecord::getSigner)
                .filter(signer -> name(set).subdomain(signer) && signer.subdomain(zone))
                .findFirst()
                .orElse(zone);
    }

    private static Name name(RRset set) {
        return set.rrs(false).isEmpty() ? set.sigs().getFirst().getName() : set.getName();
    }

    private static long ttl(List<RRset> sets) {
        OptionalLong least =
                sets.stream()
                        .flatMap(
                                set ->
                                        Stream.<Record>concat(
                                                set.rrs(false).stream(), set.sigs().stream()))
                        .mapToLong(Record::getTTL)
                        .min();
        return least.orElse(0);
    }

    private static boolean tooLarge(Message message) {
        List<Record> records = message.getSection(Section.ANSWER);
        Map<SetName, Integer> counts = new HashMap<>();
        return records.size() > MAX_RECORDS
                && records.stream()
                        .anyMatch(each -> counts.merge(name(each), 1, Integer::sum) > MAX_RECORDS);
    }

    private static SetName name(Record record) {
        return new SetName(
                record.getName(),
                record instanceof RRSIGRecord sig ? sig.getTypeCovered() : record.getType());
    }

    /// The sets of a section that belong to the zone, as far as they are not too large. Records of
    /// a set get the lowest TTL of it (RFC 2181 §5.2).
    private Map<SetName, RRset> sets(int section) {
        Map<SetName, RRset> sets = new LinkedHashMap<>();
        Map<SetName, Integer> counts = new HashMap<>();
        for (Record record : message.getSection(section)) {
            if (record.getDClass() == DClass.IN && record.getName().subdomain(zone)) {
                SetName name = name(record);
                if (counts.merge(name, 1, Integer::sum) <= MAX_RECORDS) {
                    sets.computeIfAbsent(name, k -> new RRset()).addRR(record);
                }
            }
        }
        if (section != Section.ANSWER || question.type() != Type.RRSIG) {
            // signatures of nothing prove nothing
            sets.values().removeIf(set -> set.rrs(false).isEmpty());
        }
        return sets;
    }
}
