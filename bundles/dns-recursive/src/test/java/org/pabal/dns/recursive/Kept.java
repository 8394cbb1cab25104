package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Tokenizer;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Findings and delegations for tests of what keeps them.
final class Kept {

    static final Name ORG = name("example.org.");

    static final String SIGNATURE = " 13 3 3600 20360101000000 20260101000000 1 example.org. AAAA";

    private Kept() {}

    static Name name(String name) {
        try {
            return Name.fromString(name);
        } catch (TextParseException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Question question(String name, int type) {
        return new Question(name(name), type);
    }

    /// Lines `NAME TTL TYPE DATA`, in sets.
    static List<RRset> sets(String... lines) {
        List<RRset> sets = new ArrayList<>();
        for (String line : lines) {
            Record record = record(line);
            if (record instanceof RRSIGRecord signature) {
                sets.stream()
                        .filter(s -> s.getType() == signature.getTypeCovered())
                        .filter(s -> s.getName().equals(signature.getName()))
                        .findFirst()
                        .orElseThrow()
                        .addRR(signature);
            } else if (!sets.isEmpty() && sets.getLast().first().sameRRset(record)) {
                sets.getLast().addRR(record);
            } else {
                sets.add(new RRset(record));
            }
        }
        return sets;
    }

    static Record record(String line) {
        String[] parts = line.split(" ", 4);
        try {
            return Record.fromString(
                    name(parts[0]),
                    Type.value(parts[2]),
                    DClass.IN,
                    Long.parseLong(parts[1]),
                    new Tokenizer(parts[3]),
                    Name.root);
        } catch (IOException e) {
            throw new UncheckedIOException(line, e);
        }
    }

    private static Finding finding(
            Question question,
            Finding.Kind kind,
            List<RRset> records,
            List<RRset> proof,
            Security security,
            long ttl) {
        Optional<Reason> reason =
                security == Security.BOGUS
                        ? Optional.of(new Reason(6, "bogus for a test"))
                        : Optional.empty();
        return new Finding(question, kind, records, proof, ORG, security, reason, ttl, false);
    }

    /// The set that answers, its TTL and signatures from the lines.
    static Finding records(Security security, String... lines) {
        List<RRset> sets = sets(lines);
        RRset set = sets.getFirst();
        return finding(
                new Question(set.getName(), set.getType()),
                Finding.Kind.RECORDS,
                sets,
                List.of(),
                security,
                set.getTTL());
    }

    static Finding address(String name, long ttl, String address) {
        return records(Security.INSECURE, name + " " + ttl + " A " + address);
    }

    /// A CNAME, or a DNAME and its CNAME.
    static Finding alias(Question question, String... lines) {
        List<RRset> sets = sets(lines);
        return finding(
                question,
                Finding.Kind.ALIAS,
                sets,
                List.of(),
                Security.INSECURE,
                sets.getLast().getTTL());
    }

    static Finding nothing(Finding.Kind kind, Security security, Question question, long ttl) {
        String soa =
                "example.org. " + ttl + " SOA ns.example.org. admin.example.org. 1 2 3 4 " + ttl;
        List<RRset> proof =
                security == Security.SECURE
                        ? sets(
                                soa,
                                "example.org. " + ttl + " RRSIG SOA" + SIGNATURE,
                                "a.example.org. " + ttl + " NSEC z.example.org. A RRSIG NSEC",
                                "a.example.org. " + ttl + " RRSIG NSEC" + SIGNATURE)
                        : sets(soa);
        return finding(question, kind, List.of(), proof, security, ttl);
    }

    static Finding failure(Question question, long ttl) {
        return Finding.failure(question, ORG, ttl, new Reason(22, "nobody answers"));
    }

    static Delegation delegation(String zone, long ttl, String... hosts) {
        List<String> ns = new ArrayList<>();
        List<String> glue = new ArrayList<>();
        for (String host : hosts) {
            ns.add(zone + " " + ttl + " NS " + host);
            glue.add(host + " " + ttl + " A 192.0.2.1");
        }
        return new Delegation(
                name(zone),
                sets(ns.toArray(String[]::new)).getFirst(),
                sets(glue.toArray(String[]::new)),
                ttl);
    }
}
