package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Findings as tests of routes, rebinding and DNS64 write them, and a recursor that is a map.
final class FindingsByRoutes implements Recursor {

    final Map<Question, Answer> answers = new HashMap<>();

    /// How often it was asked.
    int asked;

    @Override
    public Answer answer(Question question, Request request) {
        asked++;
        Answer known = answers.get(question);
        if (known == null) {
            throw new AssertionError("nobody said what " + question + " is");
        }
        return known;
    }

    /// `name TYPE` has a chain of findings.
    FindingsByRoutes has(String name, int type, Finding... chain) {
        Question question = new Question(name(name), type);
        answers.put(question, new Answer(question, List.of(chain)));
        return this;
    }

    static Finding records(String name, int type, long ttl, Security security, String... data) {
        RRset set = set(name, type, ttl, data);
        return finding(name, type, Finding.Kind.RECORDS, List.of(set), List.of(), security, ttl);
    }

    static Finding alias(String name, int type, long ttl, String target) {
        return finding(
                name,
                type,
                Finding.Kind.ALIAS,
                List.of(set(name, Type.CNAME, ttl, target)),
                List.of(),
                Security.SECURE,
                ttl);
    }

    static Finding negative(String name, int type, Finding.Kind kind, long ttl, Security security) {
        RRset soa = set("example.org.", Type.SOA, ttl, "ns. host. 1 2 3 4 5");
        return finding(name, type, kind, List.of(), List.of(soa), security, ttl);
    }

    static Finding failure(String name, int type) {
        return Finding.failure(
                new Question(name(name), type), Name.root, 5, new Reason(22, "nobody answers"));
    }

    private static Finding finding(
            String name,
            int type,
            Finding.Kind kind,
            List<RRset> records,
            List<RRset> proof,
            Security security,
            long ttl) {
        Optional<Reason> reason =
                security == Security.BOGUS ? Optional.of(new Reason(6, "bogus")) : Optional.empty();
        return new Finding(
                new Question(name(name), type),
                kind,
                records,
                proof,
                name("example.org."),
                security,
                reason,
                ttl,
                false);
    }

    static RRset set(String name, int type, long ttl, String... data) {
        RRset set = new RRset();
        try {
            for (String each : data) {
                set.addRR(Record.fromString(name(name), type, DClass.IN, ttl, each, Name.root));
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return set;
    }

    static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new AssertionError(e);
        }
    }
}
