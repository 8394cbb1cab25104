package org.pabal.dns.recursive;

import org.pabal.dns.Zone;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DNAMERecord;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Master;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;

/// An internet in a map: name servers at addresses, each with some zones, so that walks run without
/// sockets. Some servers are silent, and some say what a test wants.
final class ScriptedInternet implements Upstream {

    /// A query that was sent.
    record Asked(String address, Question question, boolean recursive) {
        @Override
        public String toString() {
            return address + " " + question;
        }
    }

    private final Map<String, List<Zone>> servers = new HashMap<>();
    private final Map<String, BiFunction<Question, Message, Message>> liars = new HashMap<>();
    private final Set<String> silent = new HashSet<>();
    final List<Asked> asked = new CopyOnWriteArrayList<>();
    final List<String> lame = new CopyOnWriteArrayList<>();

    /// Called before each answer.
    volatile Runnable before = () -> {};

    ScriptedInternet serve(String address, String origin, String masterFile) {
        String soa = "@ 3600 IN SOA ns. hostmaster. 1 3600 600 86400 300\n";
        MemoryZone zone = MemoryZone.of(origin, soa + masterFile);
        servers.computeIfAbsent(address, a -> new ArrayList<>())
                .removeIf(z -> z.origin().equals(zone.origin()));
        servers.get(address).add(zone);
        return this;
    }

    ScriptedInternet silent(String address) {
        silent.add(address);
        return this;
    }

    ScriptedInternet speaking(String address) {
        silent.remove(address);
        return this;
    }

    /// @param lie makes the answer out of the question and of what would be said honestly
    ScriptedInternet lying(String address, BiFunction<Question, Message, Message> lie) {
        liars.put(address, lie);
        return this;
    }

    @Override
    public Reply ask(
            Server server, Name zone, Question question, boolean recursive, Request request)
            throws IOException {
        if (!request.quota().fetch()) {
            throw new IOException("the quota is spent");
        }
        String address = server.address().getAddress().getHostAddress();
        asked.add(new Asked(address, question, recursive));
        before.run();
        if (silent.contains(address)
                || !servers.containsKey(address) && !liars.containsKey(address)) {
            throw new IOException("timed out after 376 ms");
        }
        Message honest = answer(servers.getOrDefault(address, List.of()), question);
        Message said =
                liars.containsKey(address) ? liars.get(address).apply(question, honest) : honest;
        return new Reply(server, said, Reply.Transport.UDP, Duration.ofMillis(1));
    }

    @Override
    public List<Server> order(Name zone, List<Server> all) {
        return all;
    }

    @Override
    public void lame(Server server, Name zone, Duration howLong) {
        lame.add(server.address().getAddress().getHostAddress() + " " + zone);
    }

    /// RFC 1034 §4.3.2, as far as the tests need it.
    static Message answer(List<Zone> zones, Question question) {
        Message message = empty(question);
        Optional<Zone> best =
                zones.stream()
                        .filter(z -> question.name().subdomain(z.origin()))
                        .filter(
                                z ->
                                        question.type() != Type.DS
                                                || zones.size() == 1
                                                || !z.origin().equals(question.name()))
                        .max((a, b) -> a.origin().labels() - b.origin().labels());
        if (best.isEmpty()) {
            message.getHeader().setRcode(Rcode.REFUSED);
            return message;
        }
        message.getHeader().setFlag(Flags.AA);
        Zone zone = best.get();
        Name name = question.name();
        for (int chain = 0; chain < 20 && name.subdomain(zone.origin()); chain++) {
            Optional<Name> next = step(message, zone, name, question.type());
            if (next.isEmpty()) {
                break;
            }
            name = next.get();
        }
        return message;
    }

    private static Optional<Name> step(Message message, Zone zone, Name name, int type) {
        int above = name.labels() - zone.origin().labels();
        for (int strip = above - 1; strip >= 0; strip--) {
            Name cut = strip == 0 ? name : new Name(name, strip);
            Optional<RRset> ns = zone.records(cut, Type.NS);
            if (ns.isPresent() && !(cut.equals(name) && type == Type.DS)) {
                if (message.getSection(Section.ANSWER).isEmpty()) {
                    message.getHeader().unsetFlag(Flags.AA);
                }
                refer(message, zone, ns.get());
                return Optional.empty();
            }
            Optional<RRset> dname = zone.records(cut, Type.DNAME);
            if (dname.isPresent() && !cut.equals(name)) {
                add(message, dname.get(), Section.ANSWER);
                try {
                    Name target = name.fromDNAME((DNAMERecord) dname.get().first());
                    message.addRecord(
                            new CNAMERecord(name, 1, dname.get().getTTL(), target), Section.ANSWER);
                    return Optional.of(target);
                } catch (NameTooLongException e) {
                    message.getHeader().setRcode(Rcode.YXDOMAIN);
                    return Optional.empty();
                }
            }
        }
        Optional<RRset> found = zone.records(name, type);
        if (found.isPresent()) {
            add(message, found.get(), Section.ANSWER);
            return Optional.empty();
        }
        Optional<RRset> alias = zone.records(name, Type.CNAME);
        if (alias.isPresent()) {
            add(message, alias.get(), Section.ANSWER);
            return Optional.of(((CNAMERecord) alias.get().first()).getTarget());
        }
        if (!zone.exists(name)) {
            message.getHeader().setRcode(Rcode.NXDOMAIN);
        }
        zone.records(zone.origin(), Type.SOA)
                .ifPresent(soa -> add(message, soa, Section.AUTHORITY));
        return Optional.empty();
    }

    private static void refer(Message message, Zone zone, RRset ns) {
        add(message, ns, Section.AUTHORITY);
        for (Record record : ns.rrs()) {
            Name target = ((NSRecord) record).getTarget();
            for (int type : new int[] {Type.A, Type.AAAA}) {
                zone.records(target, type)
                        .ifPresent(glue -> add(message, glue, Section.ADDITIONAL));
            }
        }
    }

    static Message empty(Question question) {
        Message message = new Message();
        message.getHeader().setFlag(Flags.QR);
        message.addRecord(Record.newRecord(question.name(), question.type(), 1), Section.QUESTION);
        return message;
    }

    static void add(Message message, RRset set, int section) {
        set.rrs(false).forEach(record -> message.addRecord(record, section));
    }

    /// A message with records in the form of a master file, one a line after `answer`, `authority`
    /// or `additional`.
    static Message saying(Question question, int rcode, String... lines) {
        Message message = empty(question);
        message.getHeader().setRcode(rcode);
        message.getHeader().setFlag(Flags.AA);
        for (String line : lines) {
            int space = line.indexOf(' ');
            int section =
                    switch (line.substring(0, space)) {
                        case "answer" -> Section.ANSWER;
                        case "authority" -> Section.AUTHORITY;
                        case "additional" -> Section.ADDITIONAL;
                        default -> throw new IllegalArgumentException(line);
                    };
            message.addRecord(record(line.substring(space + 1)), section);
        }
        return message;
    }

    private static Record record(String line) {
        byte[] octets = (line + "\n").getBytes(StandardCharsets.US_ASCII);
        try (Master master = new Master(new ByteArrayInputStream(octets), Name.root, 3600)) {
            return master.nextRecord();
        } catch (IOException e) {
            throw new IllegalArgumentException(line + ": " + e.getMessage(), e);
        }
    }
}
