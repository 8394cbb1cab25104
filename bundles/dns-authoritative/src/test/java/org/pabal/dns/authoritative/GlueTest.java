package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// RFC 9471, with its examples, and which other hosts' addresses come beside an answer.
class GlueTest {

    private static final String TEST =
            """
            $TTL 86400
            @ SOA ns1.nic hostmaster.nic 1 7200 3600 1209600 300
            @ NS ns1.nic
            ns1.nic A 192.0.2.53
            foo NS ns1.foo
            foo NS ns2.foo
            ns1.foo A 192.0.2.1
            ns2.foo AAAA 2001:db8::2:2
            bar NS ns1.bar
            bar NS ns2.bar
            ns1.bar A 192.0.2.3
            ns2.bar AAAA 2001:db8::2:4
            sibling NS ns1.bar
            sibling NS ns2.bar
            cyclic NS ns1.cyclic2
            cyclic2 NS ns1.cyclic
            ns1.cyclic A 192.0.2.5
            ns1.cyclic2 A 192.0.2.6
            far NS ns1.example.
            *.wild A 192.0.2.7
            guessed NS ns1.wild
            inner NS ns1.inner
            *.inner A 192.0.2.8
            mail MX 10 ns1.foo
            mail2 MX 10 mx.wild
            """;

    private final Node node = Node.serving("test.", TEST);

    /// §2.1, figure 1
    @Test
    void sendsInDomainGlue() {
        assertEquals(
                """
                NOERROR
                ? foo.test. 86400 NS ns1.foo.test.
                ? foo.test. 86400 NS ns2.foo.test.
                + ns1.foo.test. 86400 A 192.0.2.1
                + ns2.foo.test. 86400 AAAA 2001:db8:0:0:0:0:2:2\
                """,
                node.ask("www.foo.test.", Type.A));
    }

    /// §2.2, figures 3 and 5: glue of a sibling, needed where two depend on each other
    @Test
    void sendsSiblingGlue() {
        assertEquals(
                """
                NOERROR
                ? sibling.test. 86400 NS ns1.bar.test.
                ? sibling.test. 86400 NS ns2.bar.test.
                + ns1.bar.test. 86400 A 192.0.2.3
                + ns2.bar.test. 86400 AAAA 2001:db8:0:0:0:0:2:4\
                """,
                node.ask("www.sibling.test.", Type.A));
        assertEquals(
                """
                NOERROR
                ? cyclic.test. 86400 NS ns1.cyclic2.test.
                + ns1.cyclic2.test. 86400 A 192.0.2.6\
                """,
                node.ask("www.cyclic.test.", Type.A));
    }

    @Test
    void sendsNothingOfWhatIsElsewhere() {
        assertEquals("NOERROR\n? far.test. 86400 NS ns1.example.", node.ask("a.far.test.", Type.A));
    }

    /// RFC 4592 §3.3: a wildcard speaks for a host that is only named by others, too.
    @Test
    void sendsWhatAWildcardSaysOfAHost() {
        assertEquals(
                """
                NOERROR
                ? guessed.test. 86400 NS ns1.wild.test.
                + ns1.wild.test. 86400 A 192.0.2.7\
                """,
                node.ask("a.guessed.test.", Type.A));
        assertEquals(
                """
                NOERROR
                ? inner.test. 86400 NS ns1.inner.test.
                + ns1.inner.test. 86400 A 192.0.2.8\
                """,
                node.ask("a.inner.test.", Type.A));
        assertEquals(
                """
                NOERROR aa
                mail2.test. 86400 MX 10 mx.wild.test.
                + mx.wild.test. 86400 A 192.0.2.7\
                """,
                node.ask("mail2.test.", Type.MX));
    }

    /// RFC 1034 §4.2.1: glue is for finding name servers; the address of a mail host is the child's
    @Test
    void sendsNoGlueBesideAnAnswer() {
        assertEquals(
                "NOERROR aa\nmail.test. 86400 MX 10 ns1.foo.test.",
                node.ask("mail.test.", Type.MX));
    }

    /// §3.1 and figure 2: what does not fit of in-domain glue is told of; of sibling glue it is not
    @Test
    void setsTcForInDomainGlueOnly() {
        for (boolean inDomain : new boolean[] {true, false}) {
            StringBuilder zone = new StringBuilder("@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\n");
            for (int i = 0; i < 14; i++) {
                String host = "a-name-server-" + i + (inDomain ? ".foo" : ".bar");
                zone.append("foo 60 NS ").append(host).append('\n');
                zone.append(host).append(" 60 AAAA 2001:db8::").append(i).append('\n');
            }
            zone.append("bar 60 NS ns1.elsewhere.invalid.\n");
            Node large = Node.serving("test.", zone.toString());
            Message answer = large.answer(Node.query("www.foo.test.", Type.A));
            assertTrue(answer.getSection(Section.ADDITIONAL).size() < 14);
            assertEquals(inDomain, answer.getHeader().getFlag(Flags.TC));
            Message more = large.answer(Node.edns(Node.query("www.foo.test.", Type.A), 1232, 0));
            assertEquals(15, more.getSection(Section.ADDITIONAL).size());
        }
    }
}
