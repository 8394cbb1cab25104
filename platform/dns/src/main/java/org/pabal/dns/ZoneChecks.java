package org.pabal.dns;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Type;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What an administrator should know about a zone before it is published.
///
/// @param errors why it cannot be served; a [PackedZone] refuses the same
/// @param warnings what will not work as it was probably meant; a line each, at most [#MAX_LINES]
public record ZoneChecks(List<String> errors, List<String> warnings) {

    public static final int MAX_LINES = 1_000;

    public ZoneChecks {
        errors = List.copyOf(errors);
        warnings = List.copyOf(warnings);
    }

    public static ZoneChecks of(Zone zone) {
        return of(zone, List.of());
    }

    /// @param read the records as they were written; in a zone a set has one TTL only
    public static ZoneChecks of(Zone zone, Collection<? extends Record> read) {
        Checking checking = new Checking(zone);
        try (Stream<RRset> all = zone.all()) {
            all.forEach(checking::set);
        }
        checking.apex();
        if (checking.dnames) {
            checking.belowDnames();
        }
        checking.ttls(read);
        return new ZoneChecks(List.copyOf(checking.errors), List.copyOf(checking.warnings));
    }

    private static final class Checking {

        private final Zone zone;
        private final Set<String> errors = new LinkedHashSet<>();
        private final Set<String> warnings = new LinkedHashSet<>();

        private boolean dnames;

        Checking(Zone zone) {
            this.zone = zone;
        }

        void apex() {
            // RFC 1034 §4.2.1
            if (zone.records(zone.origin(), Type.SOA).map(RRset::size).orElse(0) != 1) {
                error("expected exactly one SOA");
            }
            if (zone.records(zone.origin(), Type.NS).isEmpty()) {
                error("expected an NS record of the zone itself, for example @ NS ns1");
            }
        }

        void set(RRset set) {
            Name owner = set.getName();
            if (!owner.subdomain(zone.origin())) {
                error(owner + " does not belong to it");
            }
            for (Record record : set.rrs(false)) {
                switch (record) {
                    case NSRecord ns -> nameServer(owner, ns.getTarget());
                    case MXRecord mx -> host(owner, Type.MX, mx.getTarget());
                    case SRVRecord srv -> host(owner, Type.SRV, srv.getTarget());
                    case CNAMERecord cname -> alias(owner, set.size());
                    case DNAMERecord dname -> dname(owner, set.size());
                    case SOARecord soa when !owner.equals(zone.origin()) ->
                            error(owner + " has an SOA: expected one at the apex only");
                    default -> {}
                }
            }
        }

        private void alias(Name owner, int size) {
            if (size > 1) {
                error(owner + " has more than one CNAME"); // RFC 2181 §10.1
            }
            try (Stream<RRset> sets = zone.at(owner)) {
                // RFC 1034 §3.6.2, RFC 4034 §4
                if (sets.anyMatch(s -> s.getType() != Type.CNAME && s.getType() != Type.NSEC)) {
                    error(owner + " has CNAME and other data");
                }
            }
        }

        private void dname(Name owner, int size) {
            dnames = true;
            if (size > 1) {
                error(owner + " has more than one DNAME"); // RFC 6672 §2.4
            }
        }

        private void nameServer(Name owner, Name host) {
            boolean delegation = !owner.equals(zone.origin());
            if (!delegation) {
                host(owner, Type.NS, host);
            } else if (host.subdomain(owner)) {
                // RFC 9471 §3: without glue nobody finds the way there
                if (!hasAddress(host)) {
                    warning(
                            owner
                                    + " is delegated to "
                                    + host
                                    + ", which has no glue: expected an A or AAAA record of it"
                                    + " here");
                }
            } else {
                host(owner, Type.NS, host);
            }
        }

        /// A host that others are sent to.
        private void host(Name owner, int type, Name host) {
            if (!host.subdomain(zone.origin()) || host.equals(Name.root) || elsewhere(host)) {
                return; // RFC 7505, RFC 2782: the root stands for none
            }
            String what = owner + " " + Type.string(type) + " " + host;
            if (type != Type.SRV && zone.records(host, Type.CNAME).isPresent()) {
                warning(what + ": is an alias, and has to be the name of a host itself"); // RFC
                // 2181
                // §10.3
            } else if (!hasAddress(host)
                    && zone.records(host, Type.CNAME).isEmpty()
                    && !byWildcard(host)) {
                warning(what + ": has no address; expected an A or AAAA record");
            }
        }

        private boolean hasAddress(Name host) {
            return zone.records(host, Type.A).isPresent()
                    || zone.records(host, Type.AAAA).isPresent();
        }

        /// RFC 4592 §3.3.1: only a name that does not exist, at its closest encloser.
        private boolean byWildcard(Name host) {
            Name encloser = host;
            while (!zone.exists(encloser) && !encloser.equals(zone.origin())) {
                encloser = new Name(encloser, 1);
            }
            try {
                return !encloser.equals(host)
                        && hasAddress(Name.concatenate(Name.fromConstantString("*"), encloser));
            } catch (org.xbill.DNS.NameTooLongException e) {
                return false;
            }
        }

        /// Whether a name is below a cut or a DNAME, so that its records are not looked for here.
        private boolean elsewhere(Name host) {
            for (Name above = host; !above.equals(zone.origin()); above = new Name(above, 1)) {
                if (zone.records(above, Type.NS).isPresent()
                        || !above.equals(host) && zone.records(above, Type.DNAME).isPresent()) {
                    return true;
                }
            }
            return false;
        }

        /// RFC 6672 §2.4: what is below a DNAME is never answered with.
        void belowDnames() {
            try (Stream<RRset> all = zone.all()) {
                all.forEach(
                        set -> {
                            Optional<Name> above = dnameAbove(set.getName());
                            if (above.isPresent()) {
                                warning(
                                        set.getName()
                                                + " is below the DNAME of "
                                                + above.get()
                                                + " and is never found");
                            }
                        });
            }
        }

        private Optional<Name> dnameAbove(Name name) {
            Name above = name;
            while (!above.equals(zone.origin())) {
                above = new Name(above, 1);
                if (zone.records(above, Type.DNAME).isPresent()) {
                    return Optional.of(above);
                }
            }
            return Optional.empty();
        }

        /// RFC 2181 §5.2: the records of a set have one TTL.
        void ttls(Collection<? extends Record> read) {
            for (Record record : read) {
                if (record instanceof RRSIGRecord) {
                    continue;
                }
                zone.records(record.getName(), record.getType())
                        .filter(set -> set.getTTL() != record.getTTL())
                        .ifPresent(
                                set ->
                                        warning(
                                                record.getName()
                                                        + " "
                                                        + Type.string(record.getType())
                                                        + ": its records have different TTLs; all"
                                                        + " get "
                                                        + set.getTTL()));
            }
        }

        private void error(String line) {
            if (errors.size() < MAX_LINES) {
                errors.add(line);
            }
        }

        private void warning(String line) {
            if (warnings.size() < MAX_LINES) {
                warnings.add(line);
            }
        }
    }
}
