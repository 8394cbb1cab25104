package org.pabal.dns.authoritative;

import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneStore;
import org.pabal.dns.authoritative.UpdateMessage.Add;
import org.pabal.dns.authoritative.UpdateMessage.Change;
import org.pabal.dns.authoritative.UpdateMessage.Delete;
import org.pabal.dns.authoritative.UpdateMessage.DeleteSet;
import org.pabal.dns.authoritative.UpdateMessage.Prerequisite;
import org.pabal.dns.authoritative.UpdateMessage.Presence;
import org.pabal.dns.authoritative.UpdateMessage.Refusal;
import org.pabal.dns.authoritative.UpdateMessage.Value;
import org.pabal.dns.authoritative.UpdatePolicy.Signer;
import org.pabal.dns.server.SparingLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;
import org.xbill.DNS.WKSRecord;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Changes zones as others ask for it: dynamic update, RFC 2136 §3, with the permissions of
/// [UpdatePolicy].
///
/// NOERROR is said when the change is on disk (security row D22). An update that is sent again
/// finds its work done.
final class Updates implements RequestHandler {

    private static final Logger LOG = LoggerFactory.getLogger(AuthoritativeServer.class);

    /// What a server makes by itself when it signs.
    private static final Set<Integer> MADE_HERE = Set.of(Type.RRSIG, Type.NSEC, Type.NSEC3);

    /// The same in a zone whose keys are there.
    private static final Set<Integer> MADE_HERE_WHEN_SIGNED =
            Set.of(Type.DNSKEY, Type.NSEC3PARAM, Type.CDS, Type.CDNSKEY);

    private final ZoneStore store;
    private final ZoneEditor editor;
    private final Supplier<Administration> administration;
    private final KeyRecords keyRecords;
    private final Reply replies;
    private final SparingLog refusals;

    Updates(
            ZoneStore store,
            ZoneEditor editor,
            Supplier<Administration> administration,
            KeyRecords keyRecords,
            Reply replies,
            SparingLog refusals) {
        this.store = store;
        this.editor = editor;
        this.administration = administration;
        this.keyRecords = keyRecords;
        this.replies = replies;
        this.refusals = refusals;
    }

    @Override
    public Stream<byte[]> answer(Request request) {
        int rcode;
        try {
            rcode = made(request);
        } catch (Refusal e) {
            rcode = e.rcode();
            if (rcode == Rcode.REFUSED) {
                refusals.say(
                        "zone "
                                + request.query().name()
                                + ": an update by "
                                + requestor(request)
                                + " is refused: "
                                + e.getMessage());
            }
        } catch (NoSuchFileException e) {
            rcode = Rcode.NOTAUTH; // the zone was withdrawn meanwhile
        } catch (IOException e) {
            rcode = Rcode.SERVFAIL;
            refusals.say(
                    "zone "
                            + request.query().name()
                            + ": an update by "
                            + requestor(request)
                            + " could not be kept, and is not made: "
                            + e.getMessage());
        }
        return Stream.of(replies.write(request.query(), Answer.bare(rcode), request.stream()));
    }

    private int made(Request request) throws IOException {
        Name origin = request.query().name();
        Optional<Zone> found = store.find(origin);
        if (found.isEmpty()) {
            return Rcode.NOTAUTH; // RFC 2136 §3.1.1
        }
        UpdatePolicy policy = administration.get().of(origin).update();
        // RFC 2136 §3.3.1 asks who may after the prerequisites; but these are questions about the
        // zone, which a stranger gets no answer to. BIND does the same.
        Signer signer =
                signer(request, found.get(), policy)
                        .orElseThrow(
                                () -> new Refusal(Rcode.REFUSED, "no update grant names the key"));
        UpdateMessage message = UpdateMessage.read(origin, request.octets());
        List<ZoneChange> made = new ArrayList<>();
        Zone zone;
        try {
            zone =
                    editor.edit(
                            origin,
                            current -> {
                                made.clear();
                                Optional<ZoneChange> change =
                                        edit(current, message, policy, signer);
                                change.ifPresent(made::add);
                                return change;
                            });
        } catch (Refusal e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new Refusal(Rcode.REFUSED, e.getMessage()); // no zone that can be served
        }
        for (ZoneChange change : made) {
            LOG.info(
                    "zone {}: serial {}: {} records added, {} removed by {}",
                    zone.origin(),
                    change.to().getSerial(),
                    change.added().size(),
                    change.removed().size(),
                    signer + " from " + address(request));
        }
        return Rcode.NOERROR;
    }

    private Optional<Signer> signer(Request request, Zone zone, UpdatePolicy policy) {
        Optional<Signer> signer = request.key().map(name -> new Signer(name, false));
        if (signer.isEmpty() && policy.knowsPublicKeys()) {
            signer =
                    keyRecords
                            .signer(
                                    zone,
                                    request.octets(),
                                    name -> policy.knows(new Signer(name, true)))
                            .map(name -> new Signer(name, true));
        }
        return signer.filter(policy::knows);
    }

    private static String requestor(Request request) {
        return request.key().map(key -> "key " + key.toString(true) + " from ").orElse("")
                + address(request);
    }

    private static String address(Request request) {
        return request.from().address().getAddress().getHostAddress();
    }

    private static Optional<ZoneChange> edit(
            Zone zone, UpdateMessage message, UpdatePolicy policy, Signer signer) {
        check(zone, message.prerequisites());
        ZoneEdit edit = new ZoneEdit(zone);
        // §3.4.2: in the order in which they are sent; a refusal leaves nothing behind.
        for (Change change : message.changes()) {
            permit(edit, change, policy, signer);
            switch (change) {
                case Add(Record record) -> add(edit, record);
                case DeleteSet(Name name, int type) -> {
                    for (int each : deletable(edit, name, type)) {
                        edit.remove(name, each);
                    }
                }
                case Delete(Record record) -> delete(edit, record);
            }
        }
        return edit.change();
    }

    /// RFC 2136 §3.2
    private static void check(Zone zone, List<Prerequisite> prerequisites) {
        Map<Name, Map<Integer, Set<Record>>> values = new HashMap<>();
        for (Prerequisite each : prerequisites) {
            switch (each) {
                case Presence(Name name, int type, boolean wanted) -> {
                    // §2.4.4: an empty non-terminal is not in use
                    boolean there =
                            type == Type.ANY
                                    ? has(zone.at(name))
                                    : zone.records(name, type).isPresent();
                    if (there != wanted) {
                        throw new Refusal(
                                type == Type.ANY
                                        ? wanted ? Rcode.NXDOMAIN : Rcode.YXDOMAIN
                                        : wanted ? Rcode.NXRRSET : Rcode.YXRRSET,
                                name + " " + Type.string(type) + ": prerequisite not met");
                    }
                }
                case Value(Record record) ->
                        values.computeIfAbsent(record.getName(), name -> new HashMap<>())
                                .computeIfAbsent(record.getType(), type -> new HashSet<>())
                                .add(record);
            }
        }
        // §3.2.3: sets are compared as wholes, without their TTLs
        values.forEach(
                (name, sets) ->
                        sets.forEach(
                                (type, records) -> {
                                    Set<Record> there =
                                            zone.records(name, type)
                                                    .map(set -> Set.copyOf(set.rrs(false)))
                                                    .orElse(Set.of());
                                    if (!there.equals(records)) {
                                        throw new Refusal(
                                                Rcode.NXRRSET, name + ": prerequisite not met");
                                    }
                                }));
    }

    private static boolean has(Stream<?> some) {
        try (some) {
            return some.findAny().isPresent();
        }
    }

    /// RFC 2136 §3.3, for each record that comes or goes. Who deletes a name needs the right for
    /// every type that it has.
    private static void permit(ZoneEdit edit, Change change, UpdatePolicy policy, Signer signer) {
        if (MADE_HERE.contains(change.type())
                || MADE_HERE_WHEN_SIGNED.contains(change.type()) && signed(edit)) {
            throw new Refusal(
                    Rcode.REFUSED,
                    change.name() + " " + Type.string(change.type()) + " is made by this server");
        }
        List<Integer> types =
                change.type() == Type.ANY
                        ? deletable(edit, change.name(), Type.ANY)
                        : List.of(change.type());
        for (int type : types) {
            if (!policy.allows(signer, change.name(), type)) {
                throw new Refusal(
                        Rcode.REFUSED,
                        "no update grant allows " + change.name() + " " + Type.string(type));
            }
        }
    }

    private static boolean signed(ZoneEdit edit) {
        return !edit.records(edit.origin(), Type.DNSKEY).isEmpty();
    }

    /// RFC 2136 §3.4.2.2
    private static void add(ZoneEdit edit, Record record) {
        Name name = record.getName();
        int type = record.getType();
        if (type == Type.SOA) {
            SOARecord next = (SOARecord) record;
            // §3.4.2.2: where there is no SOA, and one that does not follow, is
            // ignored
            if (name.equals(edit.origin())
                    && Serial.follows(next.getSerial(), edit.soa().getSerial())) {
                edit.soa(next);
            }
            return;
        }
        List<Integer> there = edit.types(name);
        boolean conflict =
                type == Type.CNAME
                        ? name.equals(edit.origin())
                                || there.stream().anyMatch(Updates::notBesideCname)
                        : notBesideCname(type) && there.contains(Type.CNAME);
        if (conflict) {
            return;
        }
        // RFC 6672 §2.4: one DNAME, as one CNAME
        if (type == Type.CNAME || type == Type.DNAME) {
            edit.remove(name, type);
        }
        if (record instanceof WKSRecord services) {
            edit.records(name, type).stream()
                    .filter(each -> each instanceof WKSRecord old && sameServices(old, services))
                    .forEach(edit::remove);
        }
        edit.add(record);
    }

    private static boolean sameServices(WKSRecord one, WKSRecord other) {
        return one.getAddress().equals(other.getAddress())
                && one.getProtocol() == other.getProtocol();
    }

    /// RFC 4035 §2.5 in place of the list of §3.4.2.2, as in [org.pabal.dns.PackedZone]
    private static boolean notBesideCname(int type) {
        return type != Type.CNAME && type != Type.NSEC;
    }

    /// RFC 2136 §3.4.2.3: what goes when a set or a name is deleted. The SOA and the NS of the apex
    /// never do, and what the server makes it takes away itself.
    private static List<Integer> deletable(ZoneEdit edit, Name name, int type) {
        boolean apex = name.equals(edit.origin());
        if (type != Type.ANY) {
            return type == Type.SOA || apex && type == Type.NS ? List.of() : List.of(type);
        }
        boolean signed = signed(edit);
        return edit.types(name).stream()
                .filter(each -> !apex || each != Type.NS)
                .filter(each -> !MADE_HERE.contains(each))
                .filter(each -> !signed || !MADE_HERE_WHEN_SIGNED.contains(each))
                .toList();
    }

    /// RFC 2136 §3.4.2.4
    private static void delete(ZoneEdit edit, Record record) {
        Name name = record.getName();
        int type = record.getType();
        if (type == Type.SOA) {
            return;
        }
        List<Record> left = new ArrayList<>(edit.records(name, type));
        left.removeIf(each -> each.getType() == Type.RRSIG || each.equals(record));
        if (!left.isEmpty()) {
            edit.remove(record);
        } else if (type != Type.NS || !name.equals(edit.origin())) {
            edit.remove(name, type); // with the signatures
        }
    }
}
