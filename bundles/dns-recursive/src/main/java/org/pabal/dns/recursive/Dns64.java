package org.pabal.dns.recursive;

import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.ReverseMap;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Gives names that have IPv4 addresses only IPv6 addresses too, at which a translator reaches them
/// (DNS64, RFC 6147).
///
/// Who asks with CD checks himself, and gets what there is (§5.5): he would find out that we made
/// it up.
final class Dns64 implements Recursor {

    /// §5.1.7: what is made up lives no longer, when nothing says how long the name has no AAAA.
    private static final long MAX_TTL = 600;

    private static final Name REVERSE = Name.fromConstantString("ip6.arpa.");

    /// Labels of a whole address: 32 digits, `ip6`, `arpa` and the root.
    private static final int REVERSE_LABELS = 35;

    /// §5.1.4: addresses of this kind never go over a wire.
    private static final int MAPPED_ZEROS = 10;

    private final Recursor inner;
    private final Dns64Settings settings;

    Dns64(Recursor inner, Dns64Settings settings) {
        this.inner = inner;
        this.settings = settings;
    }

    /// Whether the answer for a type may differ from what the cache has: such a question is not
    /// answered by the fast way.
    static boolean concerns(Dns64Settings settings, int type) {
        return settings.prefix().isPresent() && (type == Type.AAAA || type == Type.PTR);
    }

    @Override
    public Answer answer(Question question, Request request) {
        if (!concerns(settings, question.type()) || request.wish().checkingDisabled()) {
            return inner.answer(question, request);
        }
        Nat64Prefix prefix = settings.prefix().orElseThrow();
        return question.type() == Type.AAAA
                ? address(question, request, prefix)
                : pointer(question, request, prefix);
    }

    private Answer address(Question question, Request request, Nat64Prefix prefix) {
        Answer six = inner.answer(question, request);
        if (six.security() == Security.BOGUS) {
            // §5.5: or an attacker could use us to get around DNSSEC
            return six;
        }
        Finding last = six.last();
        Optional<RRset> usable = Optional.empty();
        switch (last.kind()) {
            case RECORDS -> {
                usable = usable(last.set());
                if (usable.isPresent()) {
                    return usable.get() == last.set()
                            ? six
                            : ending(six, question, records(last, usable.get()));
                }
            }
            // §5.1.2: a failure may come from a server that does not know AAAA
            case NO_RECORD, FAILURE -> {}
            case NO_NAME, ALIAS, TOO_LONG -> {
                return six;
            }
        }
        Answer four = inner.answer(new Question(question.name(), Type.A), request);
        boolean bogus = four.security() == Security.BOGUS;
        if (bogus || four.last().kind() != Finding.Kind.RECORDS) {
            // §5.1.6: without an A, what came of asking for it is the answer; where that is as
            // empty, the one with the proof for AAAA
            boolean asEmpty = !bogus && four.last().kind() == last.kind();
            return asEmpty ? six : ending(four, question, without(four.last()));
        }
        return ending(four, question, synthesised(last, four.last(), six.security(), prefix));
    }

    private static Finding synthesised(
            Finding six, Finding four, Security denied, Nat64Prefix prefix) {
        Question question = new Question(four.question().name(), Type.AAAA);
        long ttl = Math.min(four.ttl(), denial(six));
        RRset made = new RRset();
        for (Record record : four.set().rrs(false)) {
            byte[] address = record.rdataToWireCanonical();
            if (prefix.mayEmbed(address)) {
                made.addRR(new AAAARecord(record.getName(), DClass.IN, ttl, prefix.embed(address)));
            }
        }
        boolean none = made.isEmpty();
        return new Finding(
                question,
                none ? Finding.Kind.NO_RECORD : Finding.Kind.RECORDS,
                none ? List.of() : List.of(made),
                List.of(),
                four.zone(),
                four.security().and(denied),
                Optional.empty(),
                ttl,
                four.stale());
    }

    /// §5.1.7: for how long the name has no AAAA.
    private static long denial(Finding six) {
        return six.proof().stream()
                .filter(set -> set.getType() == Type.SOA)
                .mapToLong(RRset::getTTL)
                .findFirst()
                .orElse(MAX_TTL);
    }

    /// §5.1.4: the records without those that must not be used; the same set when all may be.
    private static Optional<RRset> usable(RRset set) {
        List<Record> kept = set.rrs(false).stream().filter(record -> !mapped(record)).toList();
        if (kept.size() == set.size()) {
            return Optional.of(set);
        }
        return kept.isEmpty() ? Optional.empty() : Optional.of(new RRset(kept));
    }

    private static boolean mapped(Record record) {
        byte[] six = record.rdataToWireCanonical();
        for (int i = 0; i < MAPPED_ZEROS; i++) {
            if (six[i] != 0) {
                return false;
            }
        }
        return six[MAPPED_ZEROS] == -1 && six[MAPPED_ZEROS + 1] == -1;
    }

    /// §5.3.1, its second way: the pointer of an address that we made up is an alias of that of the
    /// address in it.
    private Answer pointer(Question question, Request request, Nat64Prefix prefix) {
        Optional<byte[]> four = address(question.name()).flatMap(prefix::extract);
        if (four.isEmpty() || !prefix.mayEmbed(four.get())) {
            return inner.answer(question, request);
        }
        Name target = ReverseMap.fromAddress(four.get());
        Answer found = inner.answer(new Question(target, Type.PTR), request);
        long ttl = Math.min(found.chain().getFirst().ttl(), MAX_TTL);
        Finding alias =
                new Finding(
                        question,
                        Finding.Kind.ALIAS,
                        List.of(
                                new RRset(
                                        new CNAMERecord(question.name(), DClass.IN, ttl, target))),
                        List.of(),
                        question.name(),
                        Security.INSECURE,
                        Optional.empty(),
                        ttl,
                        false);
        List<Finding> chain = new ArrayList<>(List.of(alias));
        chain.addAll(found.chain());
        return new Answer(question, chain);
    }

    /// The address that a name in `ip6.arpa` stands for (RFC 3596 §2.5); empty when it is a part of
    /// one.
    private static Optional<byte[]> address(Name name) {
        if (name.labels() != REVERSE_LABELS || !name.subdomain(REVERSE)) {
            return Optional.empty();
        }
        byte[] six = new byte[16];
        for (int i = 0; i < 32; i++) {
            byte[] label = name.getLabel(i);
            int digit = label.length == 2 && label[0] == 1 ? Character.digit(label[1], 16) : -1;
            if (digit < 0) {
                return Optional.empty();
            }
            six[15 - i / 2] |= (byte) (digit << 4 * (i % 2));
        }
        return Optional.of(six);
    }

    private static Answer ending(Answer answer, Question question, Finding last) {
        List<Finding> chain = new ArrayList<>(answer.chain());
        chain.set(chain.size() - 1, last);
        return new Answer(question, chain);
    }

    private static Finding records(Finding finding, RRset set) {
        return new Finding(
                finding.question(),
                finding.kind(),
                List.of(set),
                finding.proof(),
                finding.zone(),
                finding.security(),
                finding.reason(),
                finding.ttl(),
                finding.stale());
    }

    /// What came of A, as what came of AAAA.
    private static Finding without(Finding four) {
        boolean bogusRecords = four.kind() == Finding.Kind.RECORDS;
        return new Finding(
                new Question(four.question().name(), Type.AAAA),
                bogusRecords ? Finding.Kind.FAILURE : four.kind(),
                bogusRecords ? List.of() : four.records(),
                four.proof(),
                four.zone(),
                four.security(),
                four.reason(),
                four.ttl(),
                four.stale());
    }
}
