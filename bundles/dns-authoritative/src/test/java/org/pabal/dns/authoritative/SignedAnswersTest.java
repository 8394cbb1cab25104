package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The example responses of RFC 4035 appendix B and RFC 5155 appendix B to questions about the
/// zones of their appendix A, and what follows from the same rules.
///
/// The zones are the RFCs' without their keys and signatures, for which stands one of the same
/// form. The NS records of the apex are left out of answers, as RFC 4035 allows.
class SignedAnswersTest {

    private static final Node NSEC = Node.serving("example.", signed("rfc4035-appendix-a"));
    private static final Node NSEC3 = Node.serving("example.", signed("rfc5155-appendix-a"));

    static Stream<Arguments> rfc4035() {
        return table("rfc4035-appendix-b");
    }

    static Stream<Arguments> rfc5155() {
        return table("rfc5155-appendix-b");
    }

    @ParameterizedTest
    @MethodSource("rfc4035")
    void answersLikeTheExamplesOfRfc4035(String question, String expected) {
        assertEquals(expected, ask(NSEC, question));
    }

    @ParameterizedTest
    @MethodSource("rfc5155")
    void answersLikeTheExamplesOfRfc5155(String question, String expected) {
        assertEquals(expected, ask(NSEC3, question));
    }

    /// RFC 3225 §3: nothing of it for those who did not ask.
    @ParameterizedTest
    @MethodSource({"rfc4035", "rfc5155"})
    void sendsNeitherProofsNorSignaturesWithoutDo(String question, String expected) {
        for (Node node : List.of(NSEC, NSEC3)) {
            Message query = query(question);
            int asked = query.getQuestion().getType();
            Message answer = node.answer(Node.edns(query, 4096, 0));
            for (int section = Section.ANSWER; section <= Section.ADDITIONAL; section++) {
                assertTrue(
                        answer.getSection(section).stream()
                                .noneMatch(r -> isProof(r.getType()) && r.getType() != asked),
                        answer::toString);
            }
        }
        assertFalse(expected.isEmpty());
    }

    private static boolean isProof(int type) {
        return type == Type.RRSIG || type == Type.NSEC || type == Type.NSEC3 || type == Type.DS;
    }

    /// RFC 5155 §7.2.8
    @Test
    void knowsNoNameThatIsOnlyAHash() {
        String hash = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.";
        for (int type : new int[] {Type.NSEC3, Type.A, Type.RRSIG, Type.ANY}) {
            assertEquals(
                    "NXDOMAIN aa\n? example. 3600 SOA", NSEC3.ask(hash, type), Type.string(type));
        }
        // a name that looks like a hash and has records is a name
        assertEquals(
                "NOERROR aa\n2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 3600 A 192.0.2.127",
                NSEC3.ask("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", Type.A));
    }

    /// RFC 4035 §3.1.3.2: one NSEC may prove both, and is in the message once
    @Test
    void sendsNoProofTwice() {
        Message answer = NSEC.answer(Node.edns(query("zz.example. A"), 4096, ExtendedFlags.DO));
        assertEquals(Rcode.NXDOMAIN, answer.getRcode());
        List<Record> proofs =
                answer.getSection(Section.AUTHORITY).stream()
                        .filter(r -> r.getType() == Type.NSEC)
                        .toList();
        assertEquals(
                List.of("xx.example.", "example."),
                proofs.stream().map(r -> r.getName().toString()).toList());
        Message above = NSEC.answer(Node.edns(query("0.example. A"), 4096, ExtendedFlags.DO));
        assertEquals(
                List.of("example."),
                above.getSection(Section.AUTHORITY).stream()
                        .filter(r -> r.getType() == Type.NSEC)
                        .map(r -> r.getName().toString())
                        .toList());
    }

    /// RFC 2181 §9, RFC 4035 §3.1.1: what is not in the additional section fits or TC is set
    @Test
    void saysTcWhenTheProofsDoNotFit() {
        int cut = 0;
        for (int size = 512; size < 1232; size += 8) {
            Message answer =
                    NSEC3.answer(Node.edns(query("a.c.x.w.example. A"), size, ExtendedFlags.DO));
            boolean whole =
                    answer.getSection(Section.AUTHORITY).stream()
                                    .filter(r -> r.getType() == Type.NSEC3)
                                    .count()
                            == 3;
            assertEquals(!whole, answer.getHeader().getFlag(Flags.TC), "size " + size);
            cut += whole ? 0 : 1;
        }
        assertTrue(cut > 0 && cut < 90, "cut at " + cut + " of 90 sizes");
    }

    @Test
    void tellsHowItWasProved() {
        Answer answer = ZoneLookup.explain(NSEC.zones(), Node.name("b.example."), Type.DS, true);
        assertTrue(
                answer.steps().contains("b.example. proves what is not there: NSEC"),
                () -> String.join("\n", answer.steps()));
    }

    private static Message query(String question) {
        String[] words = question.split(" ");
        return Node.query(words[0], Type.value(words[1]));
    }

    /// The answer without its signatures, of which none may be missing.
    private static String ask(Node node, String question) {
        Message answer = node.answer(Node.edns(query(question), 4096, ExtendedFlags.DO));
        assertFalse(answer.getHeader().getFlag(Flags.TC), answer::toString);
        for (int section = Section.ANSWER; section <= Section.ADDITIONAL; section++) {
            Set<String> sets = new LinkedHashSet<>();
            Set<String> signatures = new LinkedHashSet<>();
            for (Record record : answer.getSection(section)) {
                if (record instanceof RRSIGRecord signature) {
                    signatures.add(record.getName() + " " + signature.getTypeCovered());
                    assertTrue(signature.getLabels() <= record.getName().labels() - 1);
                } else if (record.getType() != Type.OPT && !isUnsigned(record)) {
                    sets.add(record.getName() + " " + record.getType());
                }
            }
            assertEquals(sets, signatures, Section.longString(section));
        }
        String text = Node.text(answer);
        return Arrays.stream(text.split("\n"))
                .filter(line -> !line.contains(" RRSIG ") || line.contains(" NSEC"))
                .filter(line -> !line.matches("(. )?\\S+ \\d+ RRSIG .*"))
                .collect(Collectors.joining("\n"));
    }

    /// RFC 4035 §2.2: the NS of a cut and the glue below it are not signed.
    private static boolean isUnsigned(Record record) {
        String name = record.getName().toString();
        return record.getType() == Type.NS && !name.equals("example.")
                || name.matches("ns.\\.[a-c]\\.example\\.");
    }

    /// A zone file with a signature for each set that has one.
    private static String signed(String file) {
        StringBuilder zone = new StringBuilder(text(file));
        Set<String> sets = new LinkedHashSet<>();
        for (String line : text(file).split("\n")) {
            String[] words = line.split(" +");
            String owner = words[0];
            String type = words[2];
            if (!(type.equals("NS") && !owner.equals("example."))
                    && !owner.matches("ns.\\.[a-c]\\.example\\.")) {
                sets.add(owner + " " + type);
            }
        }
        for (String set : sets) {
            String[] words = set.split(" ");
            Name owner = Node.name(words[0]);
            int labels = owner.labels() - 1 - (owner.isWild() ? 1 : 0);
            zone.append(
                    "%s 3600 RRSIG %s 5 %d 3600 20040509183619 20040409183619 38519 example. %s\n"
                            .formatted(words[0], words[1], labels, "A".repeat(172)));
        }
        return zone.toString();
    }

    /// A line with a question, then the answer as [Node#text] writes it; empty lines between.
    private static Stream<Arguments> table(String file) {
        List<Arguments> rows = new ArrayList<>();
        for (String row : text(file).split("\n\n+")) {
            String[] lines = row.strip().split("\n");
            int first = 0;
            while (lines[first].startsWith(";")) {
                first++;
            }
            rows.add(
                    Arguments.of(
                            lines[first],
                            String.join("\n", Arrays.copyOfRange(lines, first + 1, lines.length))));
        }
        return rows.stream();
    }

    private static String text(String file) {
        try (var in = SignedAnswersTest.class.getResourceAsStream("/conformance/" + file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
