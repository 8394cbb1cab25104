package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.protocol.Peer;
import org.pabal.testkit.TestConnection;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

/// Whom we send on for: nobody who did not sign in, however the recipient is spelt and wherever the
/// client seems to be (security row S14).
final class OpenRelayTest {

    private final TestNode node = new TestNode();

    /// Where clients come from; the last one is what a careless check takes for the loopback.
    private static List<InetAddress> clients() throws UnknownHostException {
        byte[] mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 127, 0, 0, 1};
        return List.of(
                InetAddress.ofLiteral("127.0.0.1"),
                InetAddress.ofLiteral("::1"),
                InetAddress.ofLiteral("192.0.2.66"),
                InetAddress.ofLiteral("2001:db8::66"),
                Inet6Address.getByAddress("", mapped, -1));
    }

    private static TestConnection from(InetAddress client) {
        return new TestConnection()
                .from(new Peer(new InetSocketAddress(client, 40_000), "smtp"))
                .withTls();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "<someone@example.org> | 5.7.1",
                "<SOMEONE@EXAMPLE.ORG> | 5.7.1",
                "<postmaster@example.org> | 5.7.1",
                "<bob+someone@example.org> | 5.7.1",
                "<*@example.org> | 5.7.1",
                // hosts that are ours, or sound like it
                "<someone@mx.example.test> | 5.7.1",
                "<someone@sub.example.test> | 5.7.1",
                "<someone@example.test.example.org> | 5.7.1",
                "<someone@notexample.test> | 5.7.1",
                "<someone@localhost> | 5.7.1",
                // what once was a route
                "<someone%example.org@example.test> | 5.7.1",
                "<someone%example.org@EXAMPLE.TEST> | 5.7.1",
                "<someone%example.org%example.net@example.test> | 5.7.1",
                "<someone%@example.test> | 5.7.1",
                "<example.org!someone@example.test> | 5.7.1",
                "<example.test!example.org!someone@example.test> | 5.7.1",
                "<someone%example.org!x@example.test> | 5.7.1",
                "<@example.test:someone@example.org> | 5.7.1",
                "<@example.test,@mx.example.test:someone@example.org> | 5.7.1",
                "<@example.test:someone%example.org@example.test> | 5.7.1",
                "<@example.org:someone@example.test> | 5.1.1",
                "<@[127.0.0.1]:someone@example.org> | 5.7.1",
                // the same in quotes
                "<\"someone@example.org\"@example.test> | 5.7.1",
                "<\"someone%example.org\"@example.test> | 5.7.1",
                "<\"example.org!someone\"@example.test> | 5.7.1",
                "<\"some\\one@example.org\"@example.test> | 5.7.1",
                "<\"<someone@example.org>\"@example.test> | 5.7.1",
                "<\"@example.org:someone\"@example.test> | 5.7.1",
                "<\"bob@example.test>,<someone@example.org\"@example.test> | 5.7.1",
                "<\"someone\"@example.org> | 5.7.1",
                "<\"someone\"@\"example.org\"> | 5.1.3",
                "<\"\"@example.org> | 5.1.3",
                "<\"someone@example.org> | 5.5.2",
                // addresses of machines, this one included
                "<someone@[192.0.2.1]> | 5.7.1",
                "<someone@[127.0.0.1]> | 5.7.1",
                "<bob@[127.0.0.1]> | 5.7.1",
                "<postmaster@[127.0.0.1]> | 5.7.1",
                "<someone@[IPv6:::1]> | 5.7.1",
                "<someone@[IPv6:::ffff:127.0.0.1]> | 5.7.1",
                "<someone@[IPv6:::FFFF:7f00:1]> | 5.7.1",
                "<someone@[127.1]> | 5.1.3",
                "<someone@[example.org]> | 5.1.3",
                "<someone@127.0.0.1> | 5.7.1",
                "<someone%[192.0.2.1]@example.test> | 5.1.3",
                // no addresses
                "<someone@example.org@example.test> | 5.1.3",
                "<someone@example.test@example.org> | 5.1.3",
                "<someone@example.org.> | 5.1.3",
                "<bob@example.test.> | 5.1.3",
                "<bob@example..test> | 5.1.3",
                "<bob@.example.test> | 5.1.3",
                "<@example.test:> | 5.1.3",
                "<@example.org> | 5.1.3",
                "<@> | 5.1.3",
                "<someone> | 5.1.3",
                "<> | 5.1.3",
                "<someone:example.org@example.test> | 5.1.3",
                "<some,one@example.org> | 5.1.3",
                "<someone@example.org,bob@example.test> | 5.1.3",
                // no paths
                "<bob@example.test>,<someone@example.org> | 5.5.2",
                "<bob@example.test> <someone@example.org> | 5.5.4",
                "<bob@example.test>x | 5.5.2",
                "<<bob@example.test>> | 5.5.2",
                "bob@example.test | 5.5.2",
                "someone@example.org | 5.5.2",
                // blanks
                "< someone@example.org> | 5.1.3",
                "<someone@example.org > | 5.1.3",
                "<some one@example.org> | 5.1.3",
                "<someone @example.org> | 5.1.3",
                "<someone@ example.org> | 5.1.3",
                "<\\x20bob@example.test@example.org> | 5.1.3",
                // what looks like our domain, and is not
                "<someone@ex\u0430mple.test> | 5.7.1",
                "<bob@ex\u0430mple.test> | 5.7.1",
                "<bob@\uFF45xample.test> | 5.7.1",
                "<bob@exam\u00ADple.test> | 5.7.1",
                "<bob@example\u3002test> | 5.1.3",
                "<bob@example\uFF0Etest> | 5.1.3",
                "<bob@example.test\u00A0> | 5.7.1",
                "<bob\uFF20example.test@example.org> | 5.7.1",
                "<bob@example.test\uFF20example.org> | 5.7.1",
                "<someone\uFF20example.org@example.test> | 5.1.1",
                // what only looks like a route
                "<someone=example.org@example.test> | 5.1.1",
                "<SRS0=aaaa=bb=example.org=someone@example.test> | 5.1.1",
            })
    void relaysForNobodyWhoDidNotSignIn(String path, String enhanced) throws Exception {
        for (InetAddress client : clients()) {
            for (String greeting :
                    List.of("EHLO mx.example.test", "HELO localhost", "LHLO [127.0.0.1]")) {
                Role role = greeting.startsWith("LHLO") ? Role.LMTP : Role.SMTP;
                node.play(
                        role,
                        """
                        S~ 220 .*
                        C: %s
                        S* 250 .*
                        C: MAIL FROM:<> SMTPUTF8
                        C: RCPT TO:%s
                        S~ 250 .*
                        S~ 5.. %s .*
                        C: DATA
                        S~ 5.. 5\\.5\\.1 .*
                        C! BDAT 5 LAST\\r\\nhello
                        S~ 5.. 5\\.5\\.1 .*
                        """
                                .formatted(greeting, path, enhanced.replace(".", "\\.")),
                        from(client));
            }
            node.play(
                    Role.SUBMISSION,
                    """
                    S~ 220 .*
                    C: EHLO mx.example.test
                    S* 250 .*
                    C: MAIL FROM:<alice@example.test> SMTPUTF8
                    S: 530 5.7.0 sign in first
                    C: RCPT TO:%s
                    S~ 50. 5\\..*
                    C: DATA
                    S~ 503 5\\.5\\.1 .*
                    """
                            .formatted(path)
                            .replace("S~ 50. 5\\..*", "S~ 5.. 5\\..*"),
                    from(client));
        }
        assertEquals(List.of(), node.queued());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "someone%example.org@example.test",
                "example.org!someone@example.test",
                "\"someone@example.org\"@example.test",
                "\"someone%example.org\"@example.test"
            })
    void catchesNoRoutes(String address) throws Exception {
        node.people.addAlias(
                TestNode.address("*@example.test"), List.of(TestNode.address("far@example.test")));
        for (InetAddress client : clients()) {
            node.play(
                    Role.SMTP,
                    """
                    S~ 220 .*
                    C: EHLO x
                    S* 250 .*
                    C: MAIL FROM:<>
                    C: RCPT TO:<%s>
                    C: RCPT TO:<someone@example.test>
                    S~ 250 .*
                    S~ 550 5\\.7\\.1 .*
                    S~ 250 .*
                    """
                            .formatted(address),
                    from(client));
        }
    }

    // who one is, is not a matter of what one says
    @ParameterizedTest
    @ValueSource(
            strings = {
                "XCLIENT ADDR=127.0.0.1 LOGIN=alice",
                "XCLIENT NAME=mx.example.test HELO=mx.example.test PROTO=ESMTP",
                "XFORWARD ADDR=127.0.0.1",
                "PROXY TCP4 127.0.0.1 127.0.0.1 1 25",
                "XCLIENT ADDR=IPV6:::1"
            })
    void believesNobodyWhoTheyAre(String claim) throws Exception {
        for (InetAddress client : clients()) {
            for (Role role : List.of(Role.SMTP, Role.SUBMISSION)) {
                node.play(
                        role,
                        """
                        S~ 220 .*
                        C: EHLO mx.example.test
                        S* 250 .*
                        C: %s
                        S: 500 5.5.2 no such command
                        C: MAIL FROM:<>
                        S~ %s .*
                        C: RCPT TO:<someone@example.org>
                        S~ 5.. 5\\.[57]\\.1 .*
                        """
                                .formatted(claim, role == Role.SMTP ? "250" : "530"),
                        from(client));
            }
        }
        assertEquals(List.of(), node.queued());
    }

    // RFC 4954 §5: a client's word for who submitted the message is nobody's
    @Test
    void takesNoAuthParameterForASignIn() throws Exception {
        node.play(
                Role.SMTP,
                """
                S~ 220 .*
                C: EHLO x
                S* 250 .*
                C: MAIL FROM:<alice@example.test> AUTH=alice@example.test
                S~ 250 .*
                C: RCPT TO:<someone@example.org>
                S: 550 5.7.1 <someone@example.org>: relaying denied
                """);
    }

    @Test
    void forgetsWhoSignedInWithTheConnection() throws Exception {
        String signIn =
                """
                S~ 220 .*
                C: EHLO x
                S* 250 .*
                C: AUTH PLAIN AGFsaWNlAHBhYmFs
                S~ 235 .*
                """;
        String relay =
                """
                C: MAIL FROM:<alice@example.test>
                S~ 250 .*
                C: RCPT TO:<someone@example.org>
                S~ %s .*
                """;
        node.play(Role.SMTP, signIn + relay.formatted("250"));
        node.play(
                Role.SMTP, "S~ 220 .*\nC: EHLO x\nS* 250 .*\n" + relay.formatted("550 5\\.7\\.1"));
    }

    @Test
    void acceptsASourceRouteToOurOwn() throws Exception {
        node.play(
                Role.SMTP,
                """
                S~ 220 .*
                C: EHLO x
                S* 250 .*
                C: MAIL FROM:<>
                C: RCPT TO:<@example.org:bob@example.test>
                S~ 250 .*
                S~ 250 .*
                """);
    }
}
