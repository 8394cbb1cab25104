package org.pabal.itests.interop;

import org.pabal.dns.Zone;
import org.pabal.dnssec.Denial;
import org.pabal.itests.interop.WorldZone.Oddity;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A server of zones of a generated world, with what is odd about them (RFC 1034 §4.3.2, RFC 4035
/// §3.1, RFC 5155 §7.2).
final class WorldServer {

    private static final int MAX_ALIASES = 8;

    private final String address;
    private final List<WorldZone> zones = new ArrayList<>();

    WorldServer(String address) {
        this.address = address;
    }

    void serve(WorldZone zone) {
        zones.add(zone);
    }

    /// What goes back, if anything.
    List<byte[]> answer(byte[] octets, boolean stream) throws IOException {
        Message query = new Message(octets);
        Record question = query.getQuestion();
        if (question == null) {
            return List.of();
        }
        Optional<WorldZone> found = zone(question.getName(), question.getType());
        if (found.isEmpty()) {
            return List.of(reply(query, Rcode.REFUSED).toWire());
        }
        WorldZone zone = found.get();
        boolean first = zone.servers.getFirst().equals(address);
        OPTRecord opt = query.getOPT();
        if (zone.is(Oddity.FIRST_SILENT) && first) {
            return List.of();
        }
        if (zone.is(Oddity.ALL_REFUSE) || zone.is(Oddity.FIRST_REFUSES) && first) {
            return List.of(reply(query, Rcode.REFUSED).toWire());
        }
        if (zone.is(Oddity.FIRST_FAILS) && first) {
            return List.of(reply(query, Rcode.SERVFAIL).toWire());
        }
        if (opt != null && zones.stream().anyMatch(each -> each.is(Oddity.NO_EDNS))) {
            return List.of(reply(query, Rcode.FORMERR).toWire());
        }
        if (zone.is(Oddity.ALL_REFER_UPWARDS) || zone.is(Oddity.FIRST_REFERS_UPWARDS) && first) {
            Message up = reply(query, Rcode.NOERROR);
            up.addRecord(
                    new NSRecord(Name.root, DClass.IN, 3600, name("a.root-servers.test.")),
                    Section.AUTHORITY);
            return List.of(up.toWire());
        }
        if (zone.is(Oddity.ALWAYS_TRUNCATED) && !stream) {
            Message empty = reply(query, Rcode.NOERROR);
            empty.getHeader().setFlag(Flags.TC);
            return List.of(empty.toWire());
        }
        boolean dnssec = opt != null && (opt.getFlags() & ExtendedFlags.DO) != 0;
        Message reply = new Reply(query, zone, dnssec).message();
        if (zone.is(Oddity.NOT_AUTHORITATIVE)) {
            reply.getHeader().unsetFlag(Flags.AA);
        }
        if (zone.is(Oddity.FROM_MEMORY)) {
            reply.getHeader().unsetFlag(Flags.AA);
            reply.getHeader().setFlag(Flags.RA);
        }
        if (opt != null && !zone.is(Oddity.NO_EDNS)) {
            reply.addRecord(
                    new OPTRecord(1232, 0, 0, dnssec ? ExtendedFlags.DO : 0), Section.ADDITIONAL);
        }
        byte[] wire = reply.toWire(65535);
        int room = stream ? 65535 : opt == null ? 512 : opt.getPayloadSize();
        if (wire.length > room) {
            Message cut = reply(query, Rcode.NOERROR);
            cut.getHeader().setFlag(Flags.TC);
            if (opt != null) {
                cut.addRecord(
                        new OPTRecord(1232, 0, 0, dnssec ? ExtendedFlags.DO : 0),
                        Section.ADDITIONAL);
            }
            wire = cut.toWire();
        }
        return List.of(wire);
    }

    private Optional<WorldZone> zone(Name name, int type) {
        WorldZone best = null;
        for (WorldZone zone : zones) {
            boolean above = name.subdomain(zone.origin);
            boolean cut = type == Type.DS && name.equals(zone.origin) && !name.equals(Name.root);
            if (above && !cut && (best == null || zone.origin.labels() > best.origin.labels())) {
                best = zone;
            }
        }
        if (best == null || type == Type.DS) {
            for (WorldZone zone : zones) {
                boolean here = name.equals(zone.origin);
                if (here && (best == null || zone.is(Oddity.DS_SERVED_BY_CHILD))) {
                    return Optional.of(zone);
                }
            }
        }
        return Optional.ofNullable(best);
    }

    static Message reply(Message query, int rcode) {
        Message reply = new Message(query.getHeader().getID());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setRcode(rcode);
        reply.addRecord(query.getQuestion(), Section.QUESTION);
        return reply;
    }

    private static Name name(String text) {
        return Name.fromConstantString(text);
    }

    private final class Reply {
        private final Message message;
        private final boolean dnssec;
        private final int type;
        private WorldZone at;

        Reply(Message query, WorldZone zone, boolean dnssec) {
            this.message = reply(query, Rcode.NOERROR);
            this.dnssec = dnssec;
            this.type = query.getQuestion().getType();
            this.at = zone;
        }

        Message message() {
            Name name = message.getQuestion().getName();
            message.getHeader().setFlag(Flags.AA);
            WorldZone start = at;
            Set<Name> seen = new LinkedHashSet<>();
            Optional<Name> next = Optional.of(name);
            while (next.isPresent() && seen.add(next.get()) && seen.size() <= MAX_ALIASES) {
                Name now = next.get();
                Optional<WorldZone> zone = zone(now, type);
                if (zone.isEmpty()) {
                    break;
                }
                if (seen.size() > 1 && zone.get() != at) {
                    // another zone that happens to be here
                    at = zone.get();
                }
                next = step(now, seen.size() > 1);
            }
            if (start.is(Oddity.JUNK)) {
                junk();
            }
            return message;
        }

        /// One name; the alias's target when there is one.
        private Optional<Name> step(Name name, boolean followed) {
            Zone zone = at.zone();
            for (int strip = name.labels() - at.origin.labels() - 1; strip >= 0; strip--) {
                Name above = new Name(name, strip);
                Optional<RRset> ns = zone.records(above, Type.NS);
                if (ns.isPresent() && !(type == Type.DS && strip == 0)) {
                    referral(above, ns.get(), followed);
                    return Optional.empty();
                }
                Optional<RRset> dname = zone.records(above, Type.DNAME);
                if (dname.isPresent() && strip > 0) {
                    return dname(name, dname.get());
                }
            }
            Optional<RRset> dnameAtApex = zone.records(at.origin, Type.DNAME);
            if (dnameAtApex.isPresent() && !name.equals(at.origin)) {
                return dname(name, dnameAtApex.get());
            }
            if (zone.exists(name)) {
                if (at.is(Oddity.EMPTY_NON_TERMINALS_DENIED)
                        && zone.at(name).noneMatch(set -> set.getType() != Type.NSEC)) {
                    negative(name, true);
                    return Optional.empty();
                }
                return existing(name, name, Optional.empty());
            }
            Name encloser = new Name(name, 1);
            Name nextCloser = name;
            while (!zone.exists(encloser)) {
                nextCloser = encloser;
                encloser = new Name(encloser, 1);
            }
            Name wildcard = GeneratedWorld.name("*." + encloser);
            if (zone.exists(wildcard)) {
                return existing(name, wildcard, Optional.of(nextCloser));
            }
            negative(name, true);
            return Optional.empty();
        }

        private Optional<Name> existing(Name name, Name owner, Optional<Name> nextCloser) {
            Zone zone = at.zone();
            Optional<RRset> cname = zone.records(owner, Type.CNAME);
            if (type == Type.ANY) {
                zone.at(owner)
                        .filter(set -> dnssec || set.getType() != Type.NSEC)
                        .forEach(set -> add(set, name, Section.ANSWER));
                if (zone.at(owner).findAny().isEmpty()) {
                    negative(name, false);
                }
                return Optional.empty();
            }
            if (cname.isPresent()
                    && type != Type.CNAME
                    && (type != Type.NSEC || zone.records(owner, Type.NSEC).isEmpty())) {
                add(cname.get(), name, Section.ANSWER);
                nextCloser.ifPresent(closer -> noCloser(name, closer));
                return Optional.of(((CNAMERecord) cname.get().first()).getTarget());
            }
            Optional<RRset> set = zone.records(owner, type);
            if (set.isEmpty() || type == Type.NSEC3) {
                negative(name, false);
                return Optional.empty();
            }
            add(set.get(), name, Section.ANSWER);
            if (type == Type.DNSKEY && at.is(Oddity.NO_KEYS)) {
                message.removeAllRecords(Section.ANSWER);
                negative(name, false);
                return Optional.empty();
            }
            nextCloser.ifPresent(closer -> noCloser(name, closer));
            if (at.is(Oddity.CHILD_NAMES_OTHER_SERVERS) || name.hashCode() % 3 == 0) {
                zone.records(at.origin, Type.NS)
                        .filter(ns -> type != Type.NS)
                        .ifPresent(ns -> add(ns, at.origin, Section.AUTHORITY));
            }
            return Optional.empty();
        }

        private Optional<Name> dname(Name name, RRset dname) {
            add(dname, dname.getName(), Section.ANSWER);
            try {
                Name target = name.fromDNAME((DNAMERecord) dname.first());
                message.addRecord(
                        new CNAMERecord(name, DClass.IN, dname.getTTL(), target), Section.ANSWER);
                return type == Type.CNAME ? Optional.empty() : Optional.of(target);
            } catch (NameTooLongException e) {
                message.getHeader().setRcode(Rcode.YXDOMAIN);
                return Optional.empty();
            }
        }

        private void referral(Name cut, RRset ns, boolean followed) {
            if (followed) {
                return; // an alias into a zone that is elsewhere
            }
            message.getHeader().unsetFlag(Flags.AA);
            ns.rrs(false).forEach(record -> message.addRecord(record, Section.AUTHORITY));
            if (at.is(Oddity.REFERRAL_ALSO_IN_ANSWER) && type == Type.NS) {
                ns.rrs(false).forEach(record -> message.addRecord(record, Section.ANSWER));
            }
            if (dnssec) {
                Optional<RRset> ds = at.zone().records(cut, Type.DS);
                if (ds.isPresent()) {
                    add(ds.get(), cut, Section.AUTHORITY);
                } else {
                    noData(cut);
                }
            }
            for (Record each : ns.rrs(false)) {
                Name server = ((NSRecord) each).getTarget();
                for (int glue : new int[] {Type.A, Type.AAAA}) {
                    at.zone()
                            .records(server, glue)
                            .ifPresent(
                                    set ->
                                            set.rrs(false)
                                                    .forEach(
                                                            record ->
                                                                    message.addRecord(
                                                                            record,
                                                                            Section.ADDITIONAL)));
                }
            }
        }

        private void negative(Name name, boolean noName) {
            if (noName) {
                message.getHeader().setRcode(Rcode.NXDOMAIN);
            }
            if (!at.is(Oddity.NO_SOA)) {
                add(
                        at.zone().records(at.origin, Type.SOA).orElseThrow(),
                        at.origin,
                        Section.AUTHORITY);
            }
            if (!dnssec) {
                return;
            }
            if (!noName && at.zone().exists(name)) {
                noData(name);
                return;
            }
            Name encloser = name;
            Name nextCloser = name;
            while (!at.zone().exists(encloser)) {
                nextCloser = encloser;
                encloser = new Name(encloser, 1);
            }
            if (at.denial.filter(d -> d != Denial.NSEC).isPresent()) {
                proof(encloser);
                proof(nextCloser);
            } else {
                proof(name);
            }
            proof(GeneratedWorld.name("*." + encloser));
        }

        private void noData(Name name) {
            if (at.linked(name) || at.denial.filter(d -> d != Denial.NSEC).isEmpty()) {
                proof(name);
                return;
            }
            // opt-out: the closest encloser that has a link, and what covers the next name
            Name encloser = name;
            Name nextCloser = name;
            while (!at.linked(encloser)) {
                nextCloser = encloser;
                encloser = new Name(encloser, 1);
            }
            proof(encloser);
            proof(nextCloser);
        }

        private void noCloser(Name name, Name nextCloser) {
            if (dnssec && !at.is(Oddity.WILDCARD_WITHOUT_PROOF)) {
                proof(at.denial.filter(d -> d != Denial.NSEC).isPresent() ? nextCloser : name);
            }
        }

        private void proof(Name name) {
            if (at.is(Oddity.NO_DENIALS)) {
                return;
            }
            at.link(name)
                    .filter(
                            set ->
                                    message.getSection(Section.AUTHORITY).stream()
                                            .noneMatch(
                                                    r ->
                                                            r.getName().equals(set.getName())
                                                                    && r.getType()
                                                                            == set.getType()))
                    .ifPresent(set -> add(set, set.getName(), Section.AUTHORITY));
        }

        private void add(RRset set, Name owner, int section) {
            for (Record record : set.rrs(false)) {
                message.addRecord(renamed(record, owner), section);
            }
            if (!dnssec || at.is(Oddity.NO_SIGNATURES)) {
                return;
            }
            for (RRSIGRecord signature : set.sigs()) {
                Record record = renamed(signature, owner);
                if (at.is(Oddity.WRONG_SIGNATURES) && set.getType() != Type.DNSKEY) {
                    byte[] wrong = signature.rdataToWireCanonical();
                    wrong[wrong.length - 7] ^= 4;
                    record =
                            Record.newRecord(
                                    owner, Type.RRSIG, DClass.IN, signature.getTTL(), wrong);
                    if (at.is(Oddity.TWO_SIGNERS_ONE_BAD)) {
                        message.addRecord(record, section);
                        record = renamed(signature, owner);
                    }
                }
                message.addRecord(record, section);
            }
        }

        private static Record renamed(Record record, Name owner) {
            return record.getName().equals(owner)
                    ? record
                    : Record.newRecord(
                            owner,
                            record.getType(),
                            record.getDClass(),
                            record.getTTL(),
                            record.rdataToWireCanonical());
        }

        private void junk() {
            Name victim = name("www.victim.test.");
            message.addRecord(
                    new ARecord(victim, DClass.IN, 3600, InetAddress.ofLiteral("203.0.113.66")),
                    Section.ADDITIONAL);
            message.addRecord(
                    new NSRecord(name("victim.test."), DClass.IN, 3600, name("ns.evil.test.")),
                    Section.AUTHORITY);
            if (!message.getSection(Section.ANSWER).isEmpty()) {
                message.addRecord(
                        new ARecord(victim, DClass.IN, 3600, InetAddress.ofLiteral("203.0.113.66")),
                        Section.ANSWER);
            }
        }
    }
}
