package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Makes findings and delegations of the octets of an [Entry].
final class EntryReader {

    private final byte[] octets;
    private final Name name;
    private final long seconds;

    private EntryReader(Entry entry, long seconds) {
        octets = entry.octets();
        name = name(entry);
        this.seconds = seconds;
    }

    static Name name(Entry entry) {
        return name(entry.octets(), 0);
    }

    /// The question of which an entry came, as far as that is known.
    static Question question(Entry entry) {
        int type = entry.keyType();
        return new Question(name(entry), type == Entry.EVERY_TYPE ? Type.ANY : type & 0xFFFF);
    }

    /// Under its own question.
    static Finding finding(Entry entry, long seconds) {
        return finding(entry, question(entry), entry.kind(), seconds, false);
    }

    static Finding finding(Entry entry, Question question, long seconds, boolean stale) {
        return finding(entry, question, kind(entry, question), seconds, stale);
    }

    private static Finding finding(
            Entry entry, Question question, Finding.Kind kind, long seconds, boolean stale) {
        EntryReader reader = new EntryReader(entry, seconds);
        List<RRset> records = new ArrayList<>();
        if (question.type() == Type.RRSIG) {
            reader.signatures(entry, records);
        } else {
            reader.sets(records, entry.answersStart(), entry.answersEnd());
            reader.sign(records, entry.answersEnd(), entry.signaturesEnd());
        }
        List<RRset> proof = new ArrayList<>();
        reader.sets(proof, entry.signaturesEnd(), entry.proofEnd());
        reader.sign(proof, entry.authorityEnd(), entry.proofEnd());
        return new Finding(
                question,
                kind,
                records,
                proof,
                zone(entry),
                entry.security(),
                reason(entry),
                seconds,
                stale);
    }

    /// A CNAME is the answer to who asks for it, and an alias to all others.
    private static Finding.Kind kind(Entry entry, Question question) {
        boolean answer = entry.kind() == Finding.Kind.ALIAS || entry.kind() == Finding.Kind.RECORDS;
        if (!answer || entry.keyType() != Type.CNAME) {
            return entry.kind();
        }
        return question.type() == Type.CNAME ? Finding.Kind.RECORDS : Finding.Kind.ALIAS;
    }

    static Delegation delegation(Entry entry, long seconds) {
        EntryReader reader = new EntryReader(entry, seconds);
        List<RRset> ns = new ArrayList<>();
        reader.sets(ns, entry.answersStart(), entry.answersEnd());
        List<RRset> glue = new ArrayList<>();
        reader.sets(glue, entry.signaturesEnd(), entry.authorityEnd());
        return new Delegation(reader.name, ns.getFirst(), glue, seconds);
    }

    static Name zone(Entry entry) {
        int at = entry.zone();
        return name(entry.octets(), at == EntryDraft.ZONE_IN_FULL ? entry.proofEnd() : at);
    }

    static Optional<Reason> reason(Entry entry) {
        byte[] octets = entry.octets();
        int at = entry.proofEnd();
        if (entry.zone() == EntryDraft.ZONE_IN_FULL) {
            at = Entry.afterOwner(octets, at);
        }
        if (at + 2 > octets.length) {
            return Optional.empty();
        }
        String text = new String(octets, at + 2, octets.length - at - 2, StandardCharsets.UTF_8);
        return Optional.of(new Reason(Entry.octets16(octets, at), text));
    }

    /// Signatures that were asked for themselves: a set for each type that they cover.
    private void signatures(Entry entry, List<RRset> sets) {
        for (int at = entry.answersStart();
                at < entry.answersEnd();
                at = Entry.afterRecord(octets, at)) {
            Record record = record(at);
            if (!(record instanceof RRSIGRecord signature)) {
                sets.add(new RRset(record));
            } else if (!sets.isEmpty() && sets.getLast().first().sameRRset(signature)) {
                sets.getLast().addRR(signature);
            } else {
                sets.add(new RRset(signature));
            }
        }
    }

    private void sets(List<RRset> sets, int from, int to) {
        for (int at = from; at < to; at = Entry.afterRecord(octets, at)) {
            Record record = record(at);
            if (record instanceof RRSIGRecord) {
                continue;
            }
            if (!sets.isEmpty() && sets.getLast().first().sameRRset(record)) {
                sets.getLast().addRR(record);
            } else {
                sets.add(new RRset(record));
            }
        }
    }

    private void sign(List<RRset> sets, int from, int to) {
        for (int at = from; at < to; at = Entry.afterRecord(octets, at)) {
            if (record(at) instanceof RRSIGRecord signature) {
                sets.stream()
                        .filter(
                                set ->
                                        set.getType() == signature.getTypeCovered()
                                                && set.getName().equals(signature.getName()))
                        .findFirst()
                        .ifPresent(set -> set.addRR(signature));
            }
        }
    }

    private Record record(int at) {
        int fixed = Entry.afterOwner(octets, at);
        int length = Entry.octets16(octets, fixed + 8);
        Record record =
                Record.newRecord(
                        owner(at),
                        Entry.octets16(octets, fixed),
                        DClass.IN,
                        seconds,
                        length,
                        Arrays.copyOfRange(octets, fixed + 10, fixed + 10 + length));
        return Optional.ofNullable(record)
                .orElseThrow(() -> new IllegalStateException(name + ": data that is none"));
    }

    private Name owner(int at) {
        if (octets[at] >= 0) {
            return name(octets, at);
        }
        int place = Entry.octets16(octets, at) - Entry.POINTER_TO_NAME;
        return place == 0 ? name : name(octets, place);
    }

    private static Name name(byte[] octets, int at) {
        try {
            return new Name(Arrays.copyOfRange(octets, at, Entry.afterOwner(octets, at)));
        } catch (IOException e) {
            throw new IllegalStateException("an entry with a name that is none", e);
        }
    }
}
