package org.pabal.dns.recursive;

import org.pabal.dns.Authority;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SVCBBase;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// Takes private addresses out of what comes from outside, so that a stranger's name cannot lead a
/// browser to a machine in this house (DNS rebinding).
///
/// One private address among others is enough: the whole set goes, because a browser tries the
/// addresses in turn, and because what is left of a signed set would be bogus. Names are exempt
/// that an administrator gave away: private names, our own zones, and the names of forward and stub
/// zones but for the root.
final class Rebinding implements UnaryOperator<Finding> {

    private final RebindingSettings settings;
    private final RouteSettings routes;
    private final Supplier<Optional<Authority>> authority;

    /// @param authority of this node, while it has one
    Rebinding(
            RebindingSettings settings,
            RouteSettings routes,
            Supplier<Optional<Authority>> authority) {
        this.settings = settings;
        this.routes = routes;
        this.authority = authority;
    }

    @Override
    public Finding apply(Finding finding) {
        if (!settings.protection() || finding.kind() != Finding.Kind.RECORDS) {
            return finding;
        }
        Optional<Record> found =
                finding.records().stream()
                        .flatMap((RRset set) -> set.rrs(false).stream())
                        .filter(this::isPrivate)
                        .findFirst();
        return found.isEmpty() || exempt(finding.question())
                ? finding
                : withheld(finding, found.get());
    }

    /// What is bogus stays bogus, with its own reason (security row D12).
    private static Finding withheld(Finding finding, Record record) {
        Reason reason =
                new Reason(
                        ExtendedErrorCodeOption.BLOCKED,
                        record.getName()
                                + " "
                                + Type.string(record.getType())
                                + ": private address");
        boolean bogus = finding.security() == Security.BOGUS;
        return new Finding(
                finding.question(),
                Finding.Kind.NO_RECORD,
                List.of(),
                List.of(),
                finding.zone(),
                bogus ? Security.BOGUS : Security.INSECURE,
                bogus ? finding.reason().or(() -> Optional.of(reason)) : Optional.of(reason),
                finding.ttl(),
                finding.stale());
    }

    private boolean exempt(Question question) {
        Name name = question.name();
        return settings.privateNames().stream().anyMatch(name::subdomain)
                || routes.elsewhere().keySet().stream()
                        .anyMatch(zone -> zone.labels() > 1 && name.subdomain(zone))
                || authority
                        .get()
                        .flatMap(each -> each.zone(name, question.type()))
                        .filter(zone -> zone.labels() > 1)
                        .isPresent();
    }

    private boolean isPrivate(Record record) {
        return addresses(record).stream()
                .anyMatch(each -> PrivateAddresses.contain(each, settings.prefix()));
    }

    private static List<byte[]> addresses(Record record) {
        return switch (record.getType()) {
            case Type.A, Type.AAAA -> List.of(record.rdataToWireCanonical());
            case Type.SVCB, Type.HTTPS -> hints((SVCBBase) record);
            default -> List.of();
        };
    }

    /// RFC 9460 §7.3
    private static List<byte[]> hints(SVCBBase service) {
        List<byte[]> hints = new ArrayList<>();
        for (int key : new int[] {SVCBBase.IPV4HINT, SVCBBase.IPV6HINT}) {
            if (!service.getSvcParamKeys().contains(key)) {
                continue;
            }
            byte[] octets = service.getSvcParamValue(key).toWire();
            int length = key == SVCBBase.IPV4HINT ? 4 : 16;
            for (int at = 0; at + length <= octets.length; at += length) {
                hints.add(Arrays.copyOfRange(octets, at, at + length));
            }
        }
        return hints;
    }
}
