package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.smtp.client.Post.begun;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.testkit.ScriptedMailServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;

@Timeout(120)
class SignInTest {

    private static final Login LOGIN = new Login("user", "pencil");
    private static final String OK = "235 2.7.0 welcome";

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
    }

    private static String plain(String base64) {
        return new String(Base64.getDecoder().decode(base64), UTF_8);
    }

    // --- SCRAM ---

    @Test
    void scramSha256IsThatOfTheRfc() throws IOException {
        // RFC 7677 §3
        ScramClient scram = new ScramClient("SHA-256", LOGIN, "rOprNGfwEbeRWgbNEkqO");
        assertEquals("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", new String(scram.first().get(), UTF_8));
        assertEquals(
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                        + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                answer(
                        scram,
                        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        assertFalse(scram.satisfied());
        assertEquals("", answer(scram, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assertTrue(scram.satisfied());
    }

    @Test
    void scramSha1IsThatOfTheRfc() throws IOException {
        // RFC 5802 §5
        ScramClient scram = new ScramClient("SHA-1", LOGIN, "fyko+d2lbbFgONRv9qkxdawL");
        assertEquals(
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                        + "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                answer(
                        scram,
                        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"));
        assertEquals("", answer(scram, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
        assertTrue(scram.satisfied());
    }

    private static String answer(SignIn signIn, String challenge) throws IOException {
        return new String(signIn.answer(challenge.getBytes(UTF_8)), UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "r=nonce,s=QSXCR+Q6sek8bf92,i=4096",
                "r=other,s=QSXCR+Q6sek8bf92,i=4096",
                "r=nonceX,s=QSXCR+Q6sek8bf92,i=1",
                "r=nonceX,s=QSXCR+Q6sek8bf92,i=999999999",
                "r=nonceX,s=QSXCR+Q6sek8bf92,i=99999999999999999999",
                "r=nonceX,s=%%%,i=4096",
                "r=nonceX,s=QSXCR+Q6sek8bf92",
                "m=ext,r=nonceX,s=QSXCR+Q6sek8bf92,i=4096",
                "e=other-error",
                ","
            })
    void aServerThatPlaysScramWrongIsNotToldAProof(String challenge) {
        ScramClient scram = new ScramClient("SHA-256", LOGIN, "nonce");
        assertThrows(IOException.class, () -> answer(scram, challenge));
        assertFalse(scram.satisfied());
    }

    @ParameterizedTest
    @ValueSource(strings = {"v=AAAA", "v=", "v=%", "e=invalid-proof", "r=x", "x"})
    void aServerThatDoesNotKnowTheKeysIsFoundOut(String last) throws IOException {
        ScramClient scram = new ScramClient("SHA-256", LOGIN, "nonce");
        answer(scram, "r=nonceX,s=QSXCR+Q6sek8bf92,i=4096");
        assertThrows(IOException.class, () -> answer(scram, last));
        assertFalse(scram.satisfied());
    }

    @Test
    void aNameIsEscaped() {
        ScramClient scram = new ScramClient("SHA-1", new Login("a=b,c", "x"), "nonce");
        assertEquals("n,,n=a=3Db=2Cc,r=nonce", new String(scram.first().get(), UTF_8));
    }

    // --- choice ---

    @ParameterizedTest
    @CsvSource({
        "PLAIN LOGIN, PLAIN",
        "LOGIN, LOGIN",
        "LOGIN SCRAM-SHA-1 PLAIN, SCRAM-SHA-1",
        "PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS, SCRAM-SHA-256"
    })
    void takesTheBest(String offered, String mechanism) {
        SignIn best = SignIn.best(Set.of(offered.split(" ")), LOGIN, () -> "nonce").orElseThrow();
        assertEquals(mechanism, best.mechanism());
    }

    @Test
    void aPasswordIsPreparedAsItWasStored() {
        assertEquals("caf\u00e9 au lait", SignIn.prepared("cafe\u0301\u00a0au lait"));
    }

    // --- in conversation ---

    private static ScriptedMailServer offering(String mechanisms) throws IOException {
        return new ScriptedMailServer().keywords("AUTH " + mechanisms);
    }

    @Test
    void plainIsOneLine() throws Exception {
        try (var server = offering("PLAIN").reply("AUTH", OK);
                var conversation = begun(server)) {
            assertTrue(conversation.signIn(LOGIN).ok());
            assertTrue(conversation.reusable());
            assertEquals("AUTH PLAIN " + base64("\0user\0pencil"), server.commands().getLast());
        }
    }

    @Test
    void loginIsTwo() throws Exception {
        List<String> words = new ArrayList<>();
        try (var server =
                        offering("LOGIN")
                                .script(
                                        (session, command) -> {
                                            if (!command.equals("AUTH LOGIN")) {
                                                return Optional.empty();
                                            }
                                            words.add(session.ask("334 VXNlcm5hbWU6"));
                                            words.add(session.ask("334 UGFzc3dvcmQ6"));
                                            return Optional.of(OK);
                                        });
                var conversation = begun(server)) {
            assertTrue(conversation.signIn(LOGIN).ok());
            assertEquals(List.of(base64("user"), base64("pencil")), words);
        }
    }

    @Test
    void scramEndsOnlyWithTheServersSignature() throws Exception {
        for (boolean signed : new boolean[] {true, false}) {
            try (var server =
                            offering("SCRAM-SHA-256 PLAIN")
                                    .script(
                                            (session, command) ->
                                                    command.startsWith("AUTH SCRAM-SHA-256 ")
                                                            ? scram(session, signed)
                                                            : Optional.empty());
                    var conversation =
                            new SmtpConversation(
                                    new Socket(server.address().getAddress(), server.port()),
                                    "client.example.org",
                                    false,
                                    Post.PATIENCE,
                                    () -> "rOprNGfwEbeRWgbNEkqO")) {
                conversation.begin();
                if (signed) {
                    assertTrue(conversation.signIn(LOGIN).ok());
                    assertTrue(conversation.reusable());
                } else {
                    assertThrows(IOException.class, () -> conversation.signIn(LOGIN));
                    assertFalse(conversation.reusable());
                }
            }
        }
    }

    private static Optional<String> scram(ScriptedMailServer.Session session, boolean signed)
            throws IOException {
        String last =
                session.ask(
                        "334 "
                                + base64(
                                        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                                + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        assertTrue(plain(last).endsWith("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        if (signed) {
            session.ask("334 " + base64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        }
        return Optional.of(OK);
    }

    @Test
    void whoIsRefusedIsToldAndMayGoOn() throws Exception {
        try (var server = offering("PLAIN").reply("AUTH", "535 5.7.8 wrong");
                var conversation = begun(server)) {
            assertEquals("535 5.7.8 wrong", conversation.signIn(LOGIN).status().toString());
            assertTrue(conversation.reusable());
        }
    }

    @Test
    void aSecretThatIsRepeatedIsNotPassedOn() throws Exception {
        String secret = base64("\0user\0pencil");
        try (var server = offering("PLAIN").reply("AUTH", "500 what is AUTH PLAIN " + secret);
                var conversation = begun(server)) {
            assertEquals("what is AUTH PLAIN …", conversation.signIn(LOGIN).text());
        }
    }

    @Test
    void whoAsksWithoutEndIsLeft() throws Exception {
        try (var server =
                        offering("PLAIN")
                                .script(
                                        (session, command) -> {
                                            while (command.startsWith("AUTH")) {
                                                session.ask("334 ");
                                            }
                                            return Optional.empty();
                                        });
                var conversation = begun(server)) {
            assertThrows(IOException.class, () -> conversation.signIn(LOGIN));
        }
    }

    @Test
    void whatCannotBeTriedIsNoRefusalForEver() throws Exception {
        try (var server = offering("GSSAPI NTLM");
                var conversation = begun(server)) {
            assertEquals(454, conversation.signIn(LOGIN).code());
            assertTrue(conversation.reusable());
            assertEquals(1, server.commands().size());
        }
    }

    @Test
    void noPasswordGoesInTheClearToAnotherMachine() throws Exception {
        try (var server = offering("PLAIN SCRAM-SHA-256").reply("AUTH", OK)) {
            Socket far =
                    new Socket(server.address().getAddress(), server.port()) {
                        @Override
                        public InetAddress getInetAddress() {
                            return InetAddress.ofLiteral("192.0.2.25");
                        }
                    };
            try (var conversation =
                    new SmtpConversation(far, "client.example.org", false, Post.PATIENCE)) {
                conversation.begin();
                Reply reply = conversation.signIn(LOGIN);
                assertEquals(454, reply.code());
                assertTrue(reply.text().contains("TLS"), reply.text());
                assertEquals(1, server.commands().size());
            }
        }
    }

    @Test
    void aLoginDoesNotShowItsPassword() {
        assertFalse(LOGIN.toString().contains("pencil"));
    }
}
