package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SVCBBase;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Finds the answer to one question: the algorithm of RFC 1034 §4.3.2, as RFC 4592 (wildcards), RFC
/// 6672 (DNAME), RFC 4035 (DS at a cut) and RFC 2308 (negative answers) amended it.
///
/// This is the readable form and the reference. What [WireLookup] sends was made by it when the
/// zone was published.
final class ZoneLookup {

    /// The longest chain of CNAMEs and DNAMEs that is followed (security row D24).
    static final int MAX_LINKS = 16;

    private final Zones zones;
    private final Name question;
    private final int type;
    private final boolean dnssec;
    private final boolean explaining;

    private final List<RRset> answer = new ArrayList<>();
    private final List<RRset> authority = new ArrayList<>();
    private final List<RRset> glue = new ArrayList<>();
    private final List<RRset> additional = new ArrayList<>();
    private final List<String> steps = new ArrayList<>();

    private ZoneLookup(Zones zones, Name question, int type, boolean dnssec, boolean explaining) {
        this.zones = zones;
        this.question = question;
        this.type = type;
        this.dnssec = dnssec;
        this.explaining = explaining;
    }

    /// @param question an absolute name
    /// @param type any type that records have, or ANY
    /// @param dnssec the client set the DO bit (RFC 3225)
    static Answer find(Zones zones, Name question, int type, boolean dnssec) {
        return new ZoneLookup(zones, question, type, dnssec, false).find();
    }

    /// The same, with the steps that led to it.
    static Answer explain(Zones zones, Name question, int type, boolean dnssec) {
        return new ZoneLookup(zones, question, type, dnssec, true).find();
    }

    /// RFC 1034 §4.3.2. Step 1 (recursion) and step 5 (the cache) are not for an authoritative
    /// server.
    private Answer find() {
        Set<Name> seen = new HashSet<>(Set.of(question));
        Name name = question;
        for (int links = 0; ; links++) {
            // Step 2: the zone that is the nearest ancestor of the name.
            Optional<Zone> nearest = zones.nearest(name, type);
            if (nearest.isEmpty()) {
                step(name, () -> "in no zone of ours");
                return links == 0 ? Answer.bare(Rcode.REFUSED).with(steps) : found(Rcode.NOERROR);
            }
            Zone zone = nearest.get();
            step(name, () -> "zone " + zone.origin() + " serial " + zone.serial());
            if (zones.withholds(zone, name, type)) {
                step(name, () -> "is kept here, and what it has is not known now");
                return Answer.bare(Rcode.SERVFAIL).with(steps);
            }

            // Step 3: down label by label, from the apex to the name or to the last of its
            // ancestors that exists.
            Name encloser = zone.origin();
            Optional<RRset> dname = Optional.empty();
            for (int labels = encloser.labels(); labels <= name.labels(); labels++) {
                Name node = new Name(name, name.labels() - labels);
                if (!exists(zone, node)) {
                    break;
                }
                encloser = node;
                // Step 3b: we leave our authority. RFC 4035 §3.1.4.1: but the DS at the cut is
                // ours.
                if (isCut(zone, node) && !(type == Type.DS && node.equals(name))) {
                    return referral(zone, node, links > 0);
                }
                // RFC 6672 §2.3: a DNAME redirects what is below it, not its owner.
                dname =
                        labels == name.labels()
                                ? Optional.empty()
                                : records(zone, node, Type.DNAME);
                if (dname.isPresent()) {
                    break;
                }
            }

            Name target;
            if (dname.isPresent()) {
                // RFC 6672 §3.2 step 3c
                DNAMERecord redirection = (DNAMERecord) dname.get().first();
                step(
                        name,
                        () ->
                                "below DNAME "
                                        + redirection.getName()
                                        + " to "
                                        + redirection.getTarget());
                once(answer, dname.get());
                try {
                    target = name.fromDNAME(redirection);
                } catch (NameTooLongException e) {
                    step(redirection.getName(), () -> "the name that the DNAME makes is too long");
                    return found(Rcode.YXDOMAIN);
                }
                // RFC 6672 §3.1: the synthesised CNAME has the TTL of the DNAME.
                answer.add(
                        new RRset(new CNAMERecord(name, DClass.IN, redirection.getTTL(), target)));
                if (type == Type.CNAME) {
                    step(name, () -> "is the alias that was asked for");
                    return found(Rcode.NOERROR);
                }
            } else {
                // Step 3a, the name is there, or step 3c, RFC 4592 §3.3: the wildcard at the
                // closest encloser speaks for it.
                boolean exact = encloser.equals(name);
                Name source = exact ? name : name.wild(name.labels() - encloser.labels());
                if (!exact && !exists(zone, source)) {
                    Name closest = encloser;
                    step(
                            name,
                            () ->
                                    "does not exist, closest encloser "
                                            + closest
                                            + " has no wildcard");
                    negative(zone, denial(zone).noSuchName(name, encloser));
                    return found(Rcode.NXDOMAIN);
                }
                step(
                        name,
                        () ->
                                exact
                                        ? "exists"
                                        : "does not exist, wildcard " + source + " speaks for it");
                Optional<RRset> set = wanted(zone, source);
                if (set.isPresent()) {
                    answer.add(owned(set.get(), name));
                    if (!exact) {
                        prove(denial(zone).onlyWildcard(name, encloser));
                    }
                    step(name, () -> "has " + Type.string(set.get().getType()));
                    if (type != Type.ANY) {
                        addAddresses(zone, set.get(), answer, additional);
                    }
                    return found(Rcode.NOERROR);
                }
                Optional<RRset> alias =
                        followsAlias() ? records(zone, source, Type.CNAME) : Optional.empty();
                if (alias.isEmpty()) {
                    step(name, () -> "has no " + Type.string(type));
                    negative(
                            zone,
                            exact
                                    ? denial(zone).noSuchRecord(name)
                                    : denial(zone).noSuchRecordAtWildcard(name, encloser));
                    return found(Rcode.NOERROR);
                }
                answer.add(owned(alias.get(), name));
                if (!exact) {
                    prove(denial(zone).onlyWildcard(name, encloser));
                }
                target = ((CNAMERecord) alias.get().first()).getTarget();
                step(name, () -> "is an alias (CNAME)");
            }

            // Back to step 1 with the new name; a loop ends with what is there (security row D24).
            if (links == MAX_LINKS || !seen.add(target)) {
                step(target, () -> "was there before, or the chain is too long: it ends here");
                return found(Rcode.NOERROR);
            }
            name = target;
        }
    }

    /// The record set that answers the question, if the node has one.
    private Optional<RRset> wanted(Zone zone, Name node) {
        return switch (type) {
            // RFC 8482 §4.1: any one set is an answer to ANY.
            case Type.ANY ->
                    zones.types(zone, node)
                            .mapToObj(each -> records(zone, node, each))
                            .flatMap(Optional::stream)
                            .findFirst();
            // Signatures are kept with what they sign; those of one set will do, as for ANY.
            case Type.RRSIG ->
                    zones.types(zone, node)
                            .mapToObj(each -> records(zone, node, each))
                            .flatMap(Optional::stream)
                            .filter(set -> !set.sigs().isEmpty())
                            .findFirst()
                            .map(
                                    set -> {
                                        RRset signatures = new RRset();
                                        set.sigs().forEach(signatures::addRR);
                                        return signatures;
                                    });
            default -> records(zone, node, type);
        };
    }

    /// RFC 4035 §2.5: what may stand beside a CNAME is asked for at the alias itself.
    private boolean followsAlias() {
        return type != Type.RRSIG && type != Type.NSEC && type != Type.ANY;
    }

    /// RFC 1034 §4.3.2 step 3b: the NS records of the cut, and the addresses of those name servers.
    private Answer referral(Zone zone, Name cut, boolean afterAlias) {
        RRset servers = records(zone, cut, Type.NS).orElseThrow();
        step(cut, () -> "is a cut: the zone is delegated");
        authority.add(servers);
        if (dnssec && isSigned(zone)) {
            // RFC 4035 §3.1.4, RFC 5155 §7.2.7: a signed DS, or the proof that there is none
            Optional<RRset> ds = records(zone, cut, Type.DS);
            if (ds.isPresent()) {
                authority.add(ds.get());
            } else {
                prove(denial(zone).noSuchRecord(cut));
            }
        }
        for (Record server : servers.rrs(false)) {
            Name target = server.getAdditionalName();
            for (int address : new int[] {Type.A, Type.AAAA}) {
                // RFC 9471 §2: in-domain glue is mandatory, sibling glue and our own addresses are
                // a help.
                addresses(zone, target, address, true)
                        .ifPresent(set -> once(target.subdomain(cut) ? glue : additional, set));
            }
        }
        return new Answer(Rcode.NOERROR, afterAlias, answer, authority, glue, additional, steps);
    }

    /// RFC 2308 §2: no such name, or no such record; the SOA says for how long that may be
    /// believed.
    private void negative(Zone zone, List<RRset> proof) {
        authority.add(negativeSoa(zone));
        prove(proof);
    }

    /// Who does not ask for DNSSEC gets no proofs (RFC 3225 §3).
    private Denial denial(Zone zone) {
        return dnssec ? Denial.of(zone) : new Denial.Nothing();
    }

    private void prove(List<RRset> proof) {
        for (RRset set : proof) {
            step(set.getName(), () -> "proves what is not there: " + Type.string(set.getType()));
            once(authority, set);
        }
    }

    private Answer found(int rcode) {
        return new Answer(rcode, true, answer, authority, List.of(), additional, steps);
    }

    /// RFC 2308 §3: the TTL of the SOA in a negative answer is the lesser of its own and its
    /// MINIMUM.
    static RRset negativeSoa(Zone zone) {
        RRset set =
                records(zone, zone.origin(), Type.SOA)
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "zone " + zone.origin() + ": has no SOA"));
        SOARecord soa = (SOARecord) set.first();
        long ttl = Math.min(soa.getTTL(), soa.getMinimum());
        RRset negative = new RRset(withTtl(soa, ttl));
        for (RRSIGRecord signature : set.sigs()) {
            negative.addRR(withTtl(signature, ttl)); // RFC 4034 §3: the TTL of what it covers
        }
        return negative;
    }

    /// Adds the addresses of the hosts that a record set names, as far as they are in the same zone
    /// and ours to tell (RFC 1035 §3.3.9 and §3.3.11, RFC 2782, RFC 9460 §4.1).
    private static void addAddresses(
            Zone zone, RRset set, List<RRset> answer, List<RRset> additional) {
        switch (set.getType()) {
            case Type.NS, Type.MX, Type.SRV ->
                    set.rrs(false)
                            .forEach(
                                    record ->
                                            addAddresses(
                                                    zone,
                                                    record.getAdditionalName(),
                                                    set.getType() == Type.NS,
                                                    answer,
                                                    additional));
            case Type.SVCB, Type.HTTPS -> addServices(zone, set, answer, additional);
            default -> {}
        }
    }

    /// RFC 9460 §4.1: also the records of the targets, so that a chain of aliases needs no more
    /// questions.
    private static void addServices(
            Zone zone, RRset first, List<RRset> answer, List<RRset> additional) {
        List<RRset> services = new ArrayList<>(List.of(first));
        for (int i = 0; i < services.size() && i < MAX_LINKS; i++) {
            for (Record record : services.get(i).rrs(false)) {
                SVCBBase service = (SVCBBase) record;
                boolean alias = service.getSvcPriority() == 0;
                Name target = service.getTargetName();
                if (target.equals(Name.root)) {
                    // §2.5: in AliasMode there is no such service, in ServiceMode it is at the
                    // owner; the owner of a wildcard is whatever was asked for
                    if (alias || record.getName().isWild()) {
                        continue;
                    }
                    target = record.getName();
                }
                addAddresses(zone, target, false, answer, additional);
                if (alias) {
                    addresses(zone, target, first.getType(), false)
                            .filter(next -> services.stream().noneMatch(each -> same(each, next)))
                            .ifPresent(
                                    next -> {
                                        services.add(next);
                                        once(additional, next);
                                    });
                }
            }
        }
    }

    private static void addAddresses(
            Zone zone, Name target, boolean glue, List<RRset> answer, List<RRset> additional) {
        for (int address : new int[] {Type.A, Type.AAAA}) {
            addresses(zone, target, address, glue)
                    .filter(found -> answer.stream().noneMatch(there -> same(there, found)))
                    .ifPresent(found -> once(additional, found));
        }
    }

    /// The addresses of a host that is named in an answer, as RFC 1034 §4.3.2 step 3 would find
    /// them: a wildcard may speak for it.
    ///
    /// @param glue those below a cut will do
    private static Optional<RRset> addresses(Zone zone, Name host, int type, boolean glue) {
        if (!host.subdomain(zone.origin())) {
            return Optional.empty();
        }
        Name encloser = zone.origin();
        for (int labels = encloser.labels(); labels <= host.labels(); labels++) {
            Name node = new Name(host, host.labels() - labels);
            if (!exists(zone, node)) {
                return records(zone, host.wild(host.labels() - encloser.labels()), type)
                        .map(set -> owned(set, host));
            }
            encloser = node;
            if (!glue && isCut(zone, node)) {
                return Optional.empty();
            }
            if (labels < host.labels() && records(zone, node, Type.DNAME).isPresent()) {
                return Optional.empty();
            }
        }
        return records(zone, host, type);
    }

    /// A set is in a message once, however many ways lead to it.
    private static void once(List<RRset> section, RRset set) {
        if (section.stream().noneMatch(there -> same(there, set))) {
            section.add(set);
        }
    }

    private static boolean same(RRset one, RRset other) {
        return one.getType() == other.getType() && one.getName().equals(other.getName());
    }

    /// Whether its answers to a client that validates differ from others.
    private static boolean isSigned(Zone zone) {
        return records(zone, zone.origin(), Type.SOA).filter(set -> set.sigSize() > 0).isPresent();
    }

    /// RFC 5155 §7.2.8: the owner of an NSEC3 record is a hash and no name.
    private static boolean exists(Zone zone, Name node) {
        return zone.exists(node)
                && (zone.records(node, Type.NSEC3).isEmpty()
                        || zone.at(node).anyMatch(set -> set.getType() != Type.NSEC3));
    }

    private static boolean isCut(Zone zone, Name node) {
        return !node.equals(zone.origin()) && records(zone, node, Type.NS).isPresent();
    }

    private static Optional<RRset> records(Zone zone, Name name, int type) {
        return zone.records(name, type).filter(set -> set.size() > 0);
    }

    /// RFC 4592 §3.3.3: a synthesised record is the wildcard's under the name that was asked. Also
    /// keeps the case of the question, so that it can be a pointer to it.
    private static RRset owned(RRset set, Name owner) {
        if (set.getName().equals(owner)) {
            return set;
        }
        RRset copy = new RRset();
        set.rrs(false).forEach(record -> copy.addRR(record.withName(owner)));
        set.sigs().forEach(signature -> copy.addRR(signature.withName(owner)));
        return copy;
    }

    private static Record withTtl(Record record, long ttl) {
        byte[] wire = record.toWire(Section.ANSWER);
        int start = record.getName().length() + 10;
        byte[] data = Arrays.copyOfRange(wire, start, wire.length);
        return Record.newRecord(record.getName(), record.getType(), record.getDClass(), ttl, data);
    }

    private void step(Name name, Supplier<String> what) {
        if (explaining) {
            steps.add(name + " " + what.get());
        }
    }
}
