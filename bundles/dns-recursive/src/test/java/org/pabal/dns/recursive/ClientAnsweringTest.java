package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.ServedClients.alias;
import static org.pabal.dns.recursive.ServedClients.edns;
import static org.pabal.dns.recursive.ServedClients.finding;
import static org.pabal.dns.recursive.ServedClients.found;
import static org.pabal.dns.recursive.ServedClients.name;
import static org.pabal.dns.recursive.ServedClients.parsed;
import static org.pabal.dns.recursive.ServedClients.query;
import static org.pabal.dns.recursive.ServedClients.reasons;
import static org.pabal.dns.recursive.ServedClients.set;
import static org.pabal.dns.recursive.ServedClients.signature;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.dns.server.Query;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Who gets an answer, and what is in it. Security rows D13, D15, D25, D30.
class ClientAnsweringTest {

    private static final String STRANGER = "192.0.2.53";

    private static Finding www(Security security) {
        return found(
                security, "www.example.org 300 A 192.0.2.1", signature("www.example.org", "A"));
    }

    private static EDNSOption cookie(String hex) {
        return new GenericEDNSOption(EDNSOption.Code.COOKIE, HexFormat.of().parseHex(hex));
    }

    private static String cookie(Message answer) {
        return HexFormat.of()
                .formatHex(answer.getOPT().getOptions(EDNSOption.Code.COOKIE).getFirst().toWire())
                .substring(8);
    }

    @Test
    void answersWithRaAndWithoutAa() {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(www(Security.INSECURE));
            Message answer = clients.ask(query("www.example.org", Type.A));
            assertEquals(Rcode.NOERROR, answer.getRcode());
            assertTrue(answer.getHeader().getFlag(Flags.RA));
            assertTrue(answer.getHeader().getFlag(Flags.RD));
            assertFalse(answer.getHeader().getFlag(Flags.AA));
            assertEquals(1, answer.getSection(Section.ANSWER).size(), "no signatures without DO");
            assertEquals(300, answer.getSection(Section.ANSWER).getFirst().getTTL());
            assertEquals(0, answer.getSection(Section.AUTHORITY).size());
            assertNull(answer.getOPT());
        }
    }

    /// RFC 6840 §5.7 and §5.8, RFC 4035 §3.2.2.
    @ParameterizedTest
    @CsvSource({
        // security, DO, AD, CD | AD, RRSIG, rcode
        "SECURE, false, false, false, false, false, NOERROR",
        "SECURE, true, false, false, true, true, NOERROR",
        "SECURE, false, true, false, true, false, NOERROR",
        "SECURE, true, true, true, true, true, NOERROR",
        "INSECURE, true, true, false, false, true, NOERROR",
        "UNCHECKED, true, true, true, false, true, NOERROR",
        "BOGUS, true, false, false, false, false, SERVFAIL",
        "BOGUS, false, false, false, false, false, SERVFAIL",
        "BOGUS, true, true, true, false, true, NOERROR",
    })
    void tellsWhatDnssecSaysToWhoAsks(
            Security security,
            boolean dnssec,
            boolean ad,
            boolean cd,
            boolean authentic,
            boolean signatures,
            String rcode) {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(
                    www(security)
                            .judged(
                                    security,
                                    security == Security.BOGUS
                                            ? Optional.of(
                                                    new Reason(
                                                            ExtendedErrorCodeOption.DNSSEC_BOGUS,
                                                            "no"))
                                            : Optional.empty()));
            List<Boolean> checked = new ArrayList<>();
            clients.recursor.gates.put(
                    name("www.example.org"),
                    request -> checked.add(request.wish().checkingDisabled()));
            Message query = query("www.example.org", Type.A);
            edns(query, dnssec ? ExtendedFlags.DO : 0);
            if (ad) {
                query.getHeader().setFlag(Flags.AD);
            }
            if (cd) {
                query.getHeader().setFlag(Flags.CD);
            }
            Message answer = clients.ask(query);
            assertEquals(rcode, Rcode.string(answer.getRcode()));
            assertEquals(List.of(cd), checked, "who checks himself says so to the recursor");
            assertEquals(authentic, answer.getHeader().getFlag(Flags.AD));
            assertEquals(cd, answer.getHeader().getFlag(Flags.CD));
            assertEquals(
                    signatures,
                    answer.getSection(Section.ANSWER).stream()
                            .anyMatch(record -> record.getType() == Type.RRSIG));
            assertEquals(rcode.equals("NOERROR"), !answer.getSection(Section.ANSWER).isEmpty());
            assertEquals(
                    security == Security.BOGUS
                            ? List.of(ExtendedErrorCodeOption.DNSSEC_BOGUS)
                            : List.of(),
                    reasons(answer));
            assertEquals(
                    dnssec, (answer.getOPT().getFlags() & ExtendedFlags.DO) != 0, "RFC 3225 §3");
        }
    }

    @Test
    void signaturesThatAreAskedForAreAnAnswerWithoutDo() {
        try (ServedClients clients = new ServedClients()) {
            Finding finding =
                    new Finding(
                            new Question(name("www.example.org"), Type.RRSIG),
                            Finding.Kind.RECORDS,
                            List.of(set(signature("www.example.org", "A"))),
                            List.of(),
                            name("example.org"),
                            Security.INSECURE,
                            Optional.empty(),
                            300,
                            false);
            clients.recursor.knows(finding);
            Message answer = clients.ask(query("www.example.org", Type.RRSIG));
            assertEquals(1, answer.getSection(Section.ANSWER).size());
        }
    }

    @Test
    void proofsAreForWhoSaysDo() {
        try (ServedClients clients = new ServedClients()) {
            Question question = new Question(name("no.example.org"), Type.A);
            String nsec = "example.org. 300 NSEC www.example.org. A RRSIG NSEC";
            clients.recursor.knows(
                    finding(
                            question,
                            Finding.Kind.NO_NAME,
                            Security.SECURE,
                            ServedClients.SOA,
                            nsec));
            Message plain = clients.ask(query("no.example.org", Type.A));
            assertEquals(Rcode.NXDOMAIN, plain.getRcode());
            assertEquals(1, plain.getSection(Section.AUTHORITY).size());
            Message signed = clients.ask(edns(query("no.example.org", Type.A), ExtendedFlags.DO));
            assertEquals(2, signed.getSection(Section.AUTHORITY).size());
            assertTrue(signed.getHeader().getFlag(Flags.AD));
        }
    }

    @Test
    void followsAliasesInOneAnswer() {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(
                    alias(Type.A, Security.SECURE, "a.example.org 60 CNAME www.example.org."),
                    www(Security.INSECURE));
            Message answer = clients.ask(edns(query("a.example.org", Type.A), ExtendedFlags.DO));
            assertEquals(
                    List.of(Type.CNAME, Type.A, Type.RRSIG),
                    answer.getSection(Section.ANSWER).stream().map(Record::getType).toList());
            assertFalse(answer.getHeader().getFlag(Flags.AD), "the weakest link counts");
        }
    }

    /// RFC 1794
    @Test
    void turnsAddresses() {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(
                    found(
                            Security.INSECURE,
                            "many.example.org 300 A 192.0.2.1",
                            "many.example.org 300 A 192.0.2.2",
                            "many.example.org 300 A 192.0.2.3"));
            Set<String> first =
                    IntStream.range(0, 3)
                            .mapToObj(i -> clients.ask(query("many.example.org", Type.A)))
                            .map(answer -> answer.getSection(Section.ANSWER).getFirst())
                            .map(Record::rdataToString)
                            .collect(Collectors.toSet());
            assertEquals(3, first.size());
        }
    }

    /// RFC 8767, RFC 8914 §4.4
    @Test
    void saysThatAnAnswerIsStale() {
        try (ServedClients clients = new ServedClients()) {
            Finding fresh = www(Security.INSECURE);
            clients.recursor.knows(
                    new Finding(
                            fresh.question(),
                            fresh.kind(),
                            fresh.records(),
                            fresh.proof(),
                            fresh.zone(),
                            fresh.security(),
                            Optional.empty(),
                            30,
                            true));
            Message answer = clients.ask(edns(query("www.example.org", Type.A), 0));
            assertEquals(List.of(ExtendedErrorCodeOption.STALE_ANSWER), reasons(answer));
        }
    }

    @Test
    void aFailureIsServfailWithItsReason() {
        try (ServedClients clients = new ServedClients()) {
            Question question = new Question(name("lost.example.org"), Type.A);
            clients.recursor.knows(
                    Finding.failure(
                            question,
                            name("example.org"),
                            5,
                            new Reason(ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY, "nobody")));
            Message answer = clients.ask(edns(query("lost.example.org", Type.A), 0));
            assertEquals(Rcode.SERVFAIL, answer.getRcode());
            assertEquals(List.of(ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY), reasons(answer));
        }
    }

    /// Security row D13: refused to strangers, with no data and nothing from the cache.
    @ParameterizedTest
    @CsvSource({"192.0.2.53, true", "192.0.2.53, false", "2001:db8::1, true"})
    void strangersAreRefused(String stranger, boolean recursion) {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(www(Security.INSECURE));
            clients.cache.keep(www(Security.INSECURE));
            Message query = edns(query("www.example.org", Type.A), 0);
            if (!recursion) {
                query.getHeader().unsetFlag(Flags.RD);
            }
            Message answer = clients.ask(stranger, query);
            assertEquals(Rcode.REFUSED, answer.getRcode());
            assertEquals(List.of(ExtendedErrorCodeOption.PROHIBITED), reasons(answer));
            for (int section : List.of(Section.ANSWER, Section.AUTHORITY)) {
                assertEquals(0, answer.getSection(section).size());
            }
            assertEquals(0, clients.recursor.asked.get());
            assertEquals(1, clients.server.statistics().strangers().sum());
        }
    }

    @Test
    void whoIsAllowedIsServed() {
        try (ServedClients clients = new ServedClients("allow", "192.0.2.0/24, 2001:db8::/32")) {
            clients.recursor.knows(www(Security.INSECURE));
            Message query = query("www.example.org", Type.A);
            assertEquals(Rcode.NOERROR, clients.ask(STRANGER, query).getRcode());
            assertEquals(Rcode.NOERROR, clients.ask("2001:db8::1", query).getRcode());
            assertEquals(Rcode.REFUSED, clients.ask("127.0.0.1", query).getRcode());
        }
    }

    /// Security row D13: what is in the cache tells what others asked.
    @Test
    void theCacheIsShownToWhoMaySnoop() {
        Message query = query("www.example.org", Type.A);
        query.getHeader().unsetFlag(Flags.RD);
        try (ServedClients clients = new ServedClients()) {
            clients.cache.keep(www(Security.INSECURE));
            assertEquals(Rcode.REFUSED, clients.ask(query).getRcode());
        }
        try (ServedClients clients = new ServedClients("allow-snoop", "127.0.0.1")) {
            assertEquals(Rcode.REFUSED, clients.ask(query).getRcode(), "nothing is there");
            clients.cache.keep(
                    new Delegation(
                            name("org"),
                            set("org 300 NS ns1.org."),
                            List.of(set("ns1.org 300 A 192.0.2.9")),
                            300));
            Message referral = clients.ask(query);
            assertEquals(0, referral.getSection(Section.ANSWER).size());
            assertEquals(1, referral.getSection(Section.AUTHORITY).size());
            clients.cache.keep(www(Security.INSECURE));
            assertEquals(1, clients.ask(query).getSection(Section.ANSWER).size());
            assertEquals(0, clients.recursor.asked.get(), "nobody is asked");
        }
        try (ServedClients clients = new ServedClients("allow-snoop", "127.0.0.1")) {
            clients.cache.keep(www(Security.UNCHECKED));
            assertEquals(Rcode.REFUSED, clients.ask(query).getRcode(), "nobody has checked it");
            query.getHeader().setFlag(Flags.CD);
            assertEquals(1, clients.ask(query).getSection(Section.ANSWER).size());
        }
    }

    @Test
    @Timeout(20)
    void aSetOfThousandsIsWrittenInNoTime() {
        String[] lines = new String[3_000];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = "many.example.org 300 A 10.0." + i / 250 + "." + i % 250;
        }
        Finding many = found(Security.INSECURE, lines);
        AnswerMessage messages = new AnswerMessage(1232);
        Query query = Query.read(query("many.example.org", Type.A).toWire()).orElseThrow();
        Answer answer = new Answer(many.question(), List.of(many));
        for (int i = 0; i < 100; i++) {
            assertEquals(
                    3_000, parsed(messages.write(query, answer, true)).getHeader().getCount(1));
        }
    }

    /// Security row D13: no answer over UDP is longer than 1232 octets, and none longer than the
    /// client takes.
    @Test
    void cutsWhatIsTooLong() {
        String[] lines =
                IntStream.range(0, 100)
                        .mapToObj(i -> "big.example.org 300 TXT " + "t".repeat(40) + i)
                        .toArray(String[]::new);
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(found(Security.INSECURE, lines));
            byte[] query = query("big.example.org", Type.TXT).toWire();
            byte[] plain = clients.send("127.0.0.1", query).sent(ServedClients.PATIENCE).get();
            assertTrue(plain.length <= 512);
            assertTrue(parsed(plain).getHeader().getFlag(Flags.TC));
            byte[] large = edns(query("big.example.org", Type.TXT), 0).toWire();
            byte[] cut = clients.send("127.0.0.1", large).sent(ServedClients.PATIENCE).get();
            assertTrue(cut.length <= 1232);
            assertTrue(parsed(cut).getHeader().getFlag(Flags.TC));
            Message whole = parsed(clients.stream(false, query));
            assertFalse(whole.getHeader().getFlag(Flags.TC));
            assertEquals(100, whole.getSection(Section.ANSWER).size());
        }
    }

    @Test
    void cookiesAreAnswered() {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(www(Security.INSECURE));
            Message first =
                    clients.ask(
                            edns(query("www.example.org", Type.A), 0, cookie("0102030405060708")));
            String whole = cookie(first);
            assertEquals(48, whole.length());
            assertTrue(whole.startsWith("0102030405060708"));
            Message second = clients.ask(edns(query("www.example.org", Type.A), 0, cookie(whole)));
            assertEquals(whole, cookie(second));
            Message broken = clients.ask(edns(query("www.example.org", Type.A), 0, cookie("0102")));
            assertEquals(Rcode.FORMERR, broken.getRcode(), "RFC 7873 §5.2.2");
        }
    }

    /// Security row D15
    @ParameterizedTest
    @CsvSource({"32, NOERROR", "33, FORMERR"})
    void moreThan32OptionsAreTooMany(int count, String rcode) {
        try (ServedClients clients = new ServedClients("identity", "r1", "nsid", "r1")) {
            clients.recursor.knows(www(Security.INSECURE));
            EDNSOption[] options =
                    IntStream.range(0, count)
                            .mapToObj(i -> new GenericEDNSOption(EDNSOption.Code.NSID, new byte[0]))
                            .toArray(EDNSOption[]::new);
            Message answer = clients.ask(edns(query("www.example.org", Type.A), 0, options));
            assertEquals(rcode, Rcode.string(answer.getRcode()));
            assertTrue(answer.getOPT().getOptions().size() <= 1, "one answer each");
        }
    }

    /// Security row D25
    @Test
    void answersNoAnswers() {
        try (ServedClients clients = new ServedClients()) {
            Message answer = query("www.example.org", Type.A);
            answer.getHeader().setFlag(Flags.QR);
            assertTrue(clients.send("127.0.0.1", answer.toWire()).sent().isEmpty());
            assertTrue(clients.send("127.0.0.1", new byte[11]).sent().isEmpty());
        }
    }

    /// Security row D25, RFC 9619
    @Test
    void oneQuestionIsAQuestion() {
        try (ServedClients clients = new ServedClients()) {
            Message two = query("www.example.org", Type.A);
            two.addRecord(two.getQuestion(), Section.QUESTION);
            assertEquals(Rcode.FORMERR, clients.ask(two).getRcode());
            for (int opcode : List.of(Opcode.NOTIFY, Opcode.STATUS, 3)) {
                Message other = query("www.example.org", Type.SOA);
                other.getHeader().setOpcode(opcode);
                assertEquals(Rcode.NOTIMP, clients.ask(other).getRcode());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "AXFR, REFUSED",
        "IXFR, REFUSED",
        "MAILB, NOTIMP",
        "MAILA, NOTIMP",
        "TKEY, FORMERR",
        "OPT, FORMERR"
    })
    void metaTypesAreNoQuestions(String type, String rcode) {
        try (ServedClients clients = new ServedClients()) {
            Message answer = clients.ask(query("www.example.org", Type.value(type)));
            assertEquals(rcode, Rcode.string(answer.getRcode()));
            assertEquals(0, clients.recursor.asked.get());
        }
    }

    /// Security row D13, RFC 8482
    @Test
    void anyIsAnsweredByOneSet() {
        try (ServedClients clients = new ServedClients()) {
            Question a = new Question(name("v6.example.org"), Type.A);
            clients.recursor.knows(
                    finding(a, Finding.Kind.NO_RECORD, Security.INSECURE, ServedClients.SOA));
            clients.recursor.knows(found(Security.INSECURE, "v6.example.org 300 AAAA 2001:db8::1"));
            Message answer = clients.ask(query("v6.example.org", Type.ANY));
            assertEquals(1, answer.getSection(Section.ANSWER).size());
            assertEquals(Type.ANY, answer.getQuestion().getType());
            assertEquals(Rcode.NXDOMAIN, clients.ask(query("no.example.org", Type.ANY)).getRcode());
        }
    }

    @Test
    void tellsAboutItselfWhatItIsTold() {
        Message version =
                Message.newQuery(Record.newRecord(name("Version.Bind"), Type.TXT, DClass.CHAOS));
        Message identity =
                Message.newQuery(Record.newRecord(name("id.server"), Type.TXT, DClass.CHAOS));
        try (ServedClients clients = new ServedClients()) {
            assertEquals(Rcode.REFUSED, clients.ask(version).getRcode());
            assertEquals(Rcode.REFUSED, clients.ask(identity).getRcode());
        }
        try (ServedClients clients = new ServedClients("version", "a good one")) {
            Message answer = clients.ask(version);
            assertEquals(
                    List.of("a good one"),
                    ((TXTRecord) answer.getSection(Section.ANSWER).getFirst()).getStrings());
            assertEquals(Rcode.REFUSED, clients.ask(identity).getRcode());
        }
    }

    /// Not more than `max-waiting-client` of one network, so that others find room; not more than
    /// `max-waiting` at all.
    @Test
    void aCrowdIsToldAtOnce() {
        CountDownLatch open = new CountDownLatch(1);
        try (ServedClients clients =
                new ServedClients(
                        "allow", "0.0.0.0/0", "max-waiting", "3", "max-waiting-client", "2")) {
            clients.recursor.gates.put(name("slow.example.org"), request -> open.await());
            byte[] slow = edns(query("slow.example.org", Type.A), 0).toWire();
            List<TestDatagram> waiting = new ArrayList<>();
            waiting.add(clients.send("192.0.2.1", slow));
            waiting.add(clients.send("192.0.2.200", slow));
            Message third = parsed(clients.send("192.0.2.3", slow).sent().orElseThrow());
            assertEquals(Rcode.SERVFAIL, third.getRcode(), "two of the network wait");
            assertEquals(List.of(ExtendedErrorCodeOption.OTHER), reasons(third));
            waiting.add(clients.send("198.51.100.1", slow));
            assertEquals(
                    Rcode.SERVFAIL,
                    parsed(clients.send("203.0.113.1", slow).sent().orElseThrow()).getRcode(),
                    "three wait");
            open.countDown();
            for (TestDatagram each : waiting) {
                byte[] answer = each.sent(ServedClients.PATIENCE).orElseThrow();
                assertEquals(Rcode.NXDOMAIN, parsed(answer).getRcode());
            }
            assertEquals(2, clients.server.statistics().crowded().sum());
        }
    }

    /// Security row D30: a network of strangers does not make us work for it without end, and one
    /// that floods does not take the answers of another.
    @Test
    void missesOfANetworkAreLimited() {
        try (ServedClients clients =
                new ServedClients("allow", "0.0.0.0/0", "client-rate-limit", "5")) {
            int answered = 0;
            for (int i = 0; i < 50; i++) {
                byte[] query = query("n" + i + ".example.org", Type.A).toWire();
                TestDatagram datagram = clients.send("192.0.2." + i, query);
                int asked = clients.recursor.asked.get();
                answered = Math.max(answered, asked);
                assertTrue(datagram.sent().isEmpty() || asked <= 6);
            }
            Message query = query("n.example.org", Type.A);
            assertEquals(Rcode.NXDOMAIN, clients.ask("198.51.100.1", query).getRcode());
            assertTrue(clients.server.statistics().looked().sum() <= 7);
            assertTrue(clients.server.statistics().limited().sum() >= 44);
        }
    }

    /// Security row D13
    @Test
    void answersToUnprovedAddressesAreLimited() {
        try (ServedClients clients = new ServedClients("rate-limit", "10")) {
            byte[] query = query("www.example.org", Type.A).toWire();
            int sent = 0;
            for (int i = 0; i < 1000; i++) {
                sent += clients.send(STRANGER, query).sent().isPresent() ? 1 : 0;
            }
            assertTrue(sent <= 11 + 1000 / 2, "every second is truncated: " + sent);
            assertTrue(clients.server.statistics().answers().withheld() >= 900);
        }
    }

    private static ResponsePolicy policy(Ruling ruling) {
        return new ResponsePolicy() {
            @Override
            public Ruling question(Name name, int type, InetAddress client) {
                return ruling;
            }
        };
    }

    @Test
    void policiesAreObeyed() {
        Message query = edns(query("bad.example.org", Type.A), 0);
        try (ServedClients clients =
                new ServedClients(List.of(policy(new Ruling.NoName("list"))))) {
            Message answer = clients.ask(query);
            assertEquals(Rcode.NXDOMAIN, answer.getRcode());
            assertEquals(List.of(ExtendedErrorCodeOption.BLOCKED), reasons(answer));
        }
        try (ServedClients clients =
                new ServedClients(List.of(policy(new Ruling.OverTcp("list"))))) {
            assertTrue(clients.ask(query).getHeader().getFlag(Flags.TC));
            Message stream = parsed(clients.stream(false, query.toWire()));
            assertFalse(stream.getHeader().getFlag(Flags.TC));
        }
        try (ServedClients clients =
                new ServedClients(List.of(policy(Ruling.NONE), policy(new Ruling.Drop("list"))))) {
            TestDatagram datagram = clients.send("127.0.0.1", query.toWire());
            clients.server.stop();
            assertTrue(datagram.sent().isEmpty());
        }
    }

    @Test
    void aFaultIsOneClientsServfail() {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.gates.put(
                    name("broken.example.org"),
                    request -> {
                        throw new IllegalStateException("broken on purpose");
                    });
            assertEquals(
                    Rcode.SERVFAIL, clients.ask(query("broken.example.org", Type.A)).getRcode());
            assertEquals(Rcode.NXDOMAIN, clients.ask(query("x.example.org", Type.A)).getRcode());
        }
    }
}
