package org.pabal.dns.recursive;

import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Where the root is, before anybody has been asked (RFC 1034 §5.3.2 calls it SBELT).
///
/// The servers that answer there are asked once for who really serves the root (RFC 9609), and are
/// what is left when nobody of those answers.
final class RootHints {

    /// Root servers change seldom, and hints that could not be confirmed are to be tried again
    /// soon.
    static final long UNCONFIRMED_TTL = 60;

    private final Delegation root;
    private final Set<InetAddress> addresses;

    private RootHints(RRset ns, List<RRset> glue) {
        root = new Delegation(Name.root, ns, glue, UNCONFIRMED_TTL);
        addresses =
                glue.stream()
                        .flatMap(set -> set.rrs().stream())
                        .map(RootHints::address)
                        .collect(Collectors.toUnmodifiableSet());
    }

    /// The root servers of the Internet.
    static RootHints builtIn() {
        try (InputStream in = RootHints.class.getResourceAsStream("named.root")) {
            return read(in);
        } catch (IOException e) {
            throw new UncheckedIOException("named.root: " + e.getMessage(), e);
        }
    }

    /// Those of a file in the form of `named.root`.
    ///
    /// @throws IllegalArgumentException when it names no server of the root with an address
    static RootHints of(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return read(in);
        }
    }

    static RootHints read(InputStream in) throws IOException {
        RRset ns = new RRset();
        Map<Name, List<Record>> found = new LinkedHashMap<>();
        try (Master master = new Master(in, Name.root, 3600)) {
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                if (record.getType() == Type.NS && record.getName().equals(Name.root)) {
                    ns.addRR(record);
                } else if (record.getType() == Type.A || record.getType() == Type.AAAA) {
                    found.computeIfAbsent(record.getName(), n -> new ArrayList<>()).add(record);
                }
            }
        }
        List<RRset> glue = new ArrayList<>();
        for (Record server : ns.rrs()) {
            List<Record> records = found.getOrDefault(((NSRecord) server).getTarget(), List.of());
            for (int type : new int[] {Type.A, Type.AAAA}) {
                List<Record> some = records.stream().filter(r -> r.getType() == type).toList();
                if (!some.isEmpty()) {
                    glue.add(new RRset(some));
                }
            }
        }
        if (glue.isEmpty()) {
            throw new IllegalArgumentException("names no server of the root with its address");
        }
        return new RootHints(ns, glue);
    }

    /// As if somebody above the root had referred to it.
    Delegation root() {
        return root;
    }

    /// Whether it is the address of a hint: such a server is asked wherever it is.
    boolean has(InetAddress address) {
        return addresses.contains(address);
    }

    /// What the servers said of themselves, with the addresses of hints for those whose they left
    /// out (RFC 9609 §4.2).
    Delegation completed(Delegation primed) {
        List<RRset> glue = new ArrayList<>(primed.glue());
        Set<Name> known = glue.stream().map(RRset::getName).collect(Collectors.toSet());
        root.glue().stream()
                .filter(set -> !known.contains(set.getName()))
                .filter(set -> names(primed.ns()).contains(set.getName()))
                .forEach(glue::add);
        return new Delegation(Name.root, primed.ns(), glue, primed.ttl());
    }

    static List<Name> names(RRset ns) {
        return ns.rrs(false).stream().map(record -> ((NSRecord) record).getTarget()).toList();
    }

    static InetAddress address(Record record) {
        return switch (record) {
            case ARecord a -> a.getAddress();
            case AAAARecord aaaa -> aaaa.getAddress();
            default ->
                    throw new IllegalArgumentException(
                            record.getName() + ": no address, class " + DClass.string(DClass.IN));
        };
    }
}
