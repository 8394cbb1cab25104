package org.pabal.directory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.directory.SaslExchange.Reason;
import org.pabal.directory.SaslExchange.Step;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

class SaslTest {

    private final SmallDirectory directory = new SmallDirectory();
    private final SignInLimits limits =
            new SignInLimits(
                    InstantSource.fixed(Instant.parse("2026-11-22T12:00:00Z")), new byte[16]);
    private String nonce = "3rfcNHYJY1ZVvWVs7j";
    private final Sasl sasl = new Sasl(directory, limits, () -> nonce);
    private InetAddress from;

    @BeforeEach
    void someAccounts() throws IOException {
        from = InetAddress.getByName("192.0.2.1");
        directory.passwords.put("user", "pencil");
        directory.passwords.put("alice", "wonderland");
    }

    @Test
    void playsTheExampleOfRfc5802() throws IOException {
        directory.salt = Base64.getDecoder().decode("QSXCR+Q6sek8bf92");
        SaslExchange exchange = begin("scram-sha-1");
        assertEquals("", challenge(exchange.step(Optional.empty())));
        assertEquals(
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                challenge(say(exchange, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")));
        assertEquals(
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
                challenge(
                        say(
                                exchange,
                                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")));
        assertEquals("user@example.org", success(say(exchange, "")));
    }

    @Test
    void playsTheExampleOfRfc7677() throws IOException {
        directory.salt = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
        nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        SaslExchange exchange = begin("SCRAM-SHA-256");
        assertEquals(
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                challenge(say(exchange, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")));
        assertEquals(
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
                challenge(
                        say(
                                exchange,
                                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                        + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")));
        assertEquals("user@example.org", success(exchange.step(Optional.empty())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\0user\0pencil",
                "user\0user\0pencil",
                "user@example.org\0USER\0pencil",
                "\0User@Example.org\0pencil"
            })
    void signsInByPlain(String message) throws IOException {
        assertEquals("user@example.org", success(say(begin("PLAIN"), message)));
    }

    @Test
    void asksForPlainWithNothing() throws IOException {
        SaslExchange exchange = begin("PLAIN");
        assertEquals("", challenge(exchange.step(Optional.empty())));
        assertEquals("user@example.org", success(say(exchange, "\0user\0pencil")));
    }

    // S20: NUL, blobs, metacharacters, names that no profile of PRECIS knows
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\0",
                "\0\0",
                "user",
                "user\0pencil",
                "\0user\0",
                "\0\0pencil",
                "\0user\0pencil\0",
                "\0user\0pen\0cil",
                "\0us\ter\0pencil",
                "\0user\0pen\rcil",
                "\0us\u202Eer\0pencil",
                "\0us er\uFFFF\0pencil",
                "a\nb\0user\0pencil",
                "\0user\0\uE000",
                "\0\0\0\0\0\0"
            })
    void refusesPlainThatBreaksTheGrammar(String message) throws IOException {
        assertEquals(Reason.MALFORMED, failure(say(begin("PLAIN"), message)));
        assertEquals(0, directory.checks.get());
    }

    @Test
    void refusesWhatIsNoUtf8() throws IOException {
        byte[] message = {0, 'u', 's', 'e', 'r', 0, (byte) 0xC0, (byte) 0x80};
        assertEquals(Reason.MALFORMED, failure(begin("PLAIN").step(Optional.of(message))));
        for (String mechanism : List.of("LOGIN", "SCRAM-SHA-1")) {
            assertEquals(
                    Reason.MALFORMED,
                    failure(begin(mechanism).step(Optional.of(new byte[] {(byte) 0xFF}))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"})
    void refusesAMegabyte(String mechanism) throws IOException {
        // S20
        assertEquals(
                Reason.MALFORMED, failure(begin(mechanism).step(Optional.of(new byte[1 << 20]))));
        byte[] letters = "a".repeat(Sasl.MAX_RESPONSE + 1).getBytes(UTF_8);
        assertEquals(Reason.MALFORMED, failure(begin(mechanism).step(Optional.of(letters))));
    }

    @Test
    void takesLoginsAndPasswordsUpToTheirLimits() throws IOException {
        directory.passwords.put("user", "p".repeat(1_024));
        assertEquals(
                "user@example.org", success(say(begin("PLAIN"), "\0user\0" + "p".repeat(1_024))));
        assertEquals(
                Reason.MALFORMED, failure(say(begin("PLAIN"), "\0user\0" + "p".repeat(1_025))));
        assertEquals(
                Reason.REJECTED, failure(say(begin("PLAIN"), "\0" + "u".repeat(320) + "\0pencil")));
        assertEquals(
                Reason.MALFORMED,
                failure(say(begin("PLAIN"), "\0" + "u".repeat(321) + "\0pencil")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"' or 1=1 --", "*)(uid=*", "us\\er", "../user", "user@elsewhere.example"})
    void takesEveryOtherCharacterForALetter(String login) throws IOException {
        // S20: a store sees the login as it is, and has no such account
        assertEquals(Reason.REJECTED, failure(say(begin("PLAIN"), "\0" + login + "\0pencil")));
        assertEquals(1, directory.checks.get());
    }

    @Test
    void opensNobodyElsesAccount() throws IOException {
        // S20: authzid is not authcid
        assertEquals(Reason.REJECTED, failure(say(begin("PLAIN"), "alice\0user\0pencil")));
        assertEquals(Reason.REJECTED, failure(say(begin("PLAIN"), "nobody\0user\0pencil")));
        assertEquals(
                Reason.REJECTED,
                failure(
                        new ScramClient("SHA-256", "n,a=alice,", "user", "pencil")
                                .play(begin("SCRAM-SHA-256"))));
        assertEquals(
                "user@example.org",
                success(
                        new ScramClient("SHA-1", "n,a=user@example.org,", "user", "pencil")
                                .play(begin("SCRAM-SHA-1"))));
    }

    @Test
    void composesCharactersBeforeItCompares() throws IOException {
        directory.passwords.put("user", "caf\u00e9 au lait");
        assertEquals(
                "user@example.org",
                success(say(begin("PLAIN"), "\0user\0cafe\u0301\u00a0au lait")));
    }

    @Test
    void signsInByLogin() throws IOException {
        SaslExchange exchange = begin("LOGIN");
        assertEquals("Username:", challenge(exchange.step(Optional.empty())));
        assertEquals("Password:", challenge(say(exchange, "user")));
        assertEquals("user@example.org", success(say(exchange, "pencil")));
    }

    @Test
    void takesTheNameForLoginAtOnce() throws IOException {
        SaslExchange exchange = begin("LOGIN");
        assertEquals("Password:", challenge(say(exchange, "user")));
        assertEquals(Reason.REJECTED, failure(say(exchange, "pen")));
    }

    @Test
    void refusesLoginWithoutANameOrPassword() throws IOException {
        assertEquals(Reason.MALFORMED, failure(say(begin("LOGIN"), "")));
        SaslExchange exchange = begin("LOGIN");
        challenge(say(exchange, "user"));
        assertEquals(Reason.MALFORMED, failure(say(exchange, "")));
    }

    @Test
    void signsInByTheProtocolsOwnCommands() throws IOException {
        char[] password = "pencil".toCharArray();
        assertEquals("user@example.org", success(sasl.signIn("user", password, from)));
        assertArrayEquals(new char[6], password);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "n",
                "n,",
                "n,,",
                "n,,n=user",
                "n,,r=abc",
                "n,,n=,r=abc",
                "n,,n=user,r=",
                "n,,n=us=er,r=abc",
                "n,,n=us=2c,r=abc",
                "n,,m=x,n=user,r=abc",
                "x,,n=user,r=abc",
                "y=,,n=user,r=abc",
                "p=,,n=user,r=abc",
                "p=tls-unique,,n=user,r=abc",
                "n,b=user,n=user,r=abc",
                "n,a=,n=user,r=abc",
                "n,,n=user,r=a b",
                "n,,n=user,r=ab\u00e9",
                "n,,n=user,r=abc,",
                "n,,n=user,r=abc,x",
                "n,,n=user,r=abc,xy=1",
                "F,n,,n=user,r=abc",
                "n,,n=us\0er,r=abc",
                "n,,N=user,r=abc"
            })
    void refusesScramThatBreaksTheGrammar(String message) throws IOException {
        assertEquals(Reason.MALFORMED, failure(say(begin("SCRAM-SHA-256"), message)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "c=biws",
                "c=biws,r=abc3rfcNHYJY1ZVvWVs7j",
                "c=biws,r=abc,p=",
                "c=!!,r=abc,p=AAAA",
                "c=b,r=abc,p=AAAA",
                "c=biws,r=abc,p=A",
                "c=biws,r=abc,p=AAAA,x=y",
                "r=abc,c=biws,p=AAAA",
                "m=1,c=biws,r=abc,p=AAAA"
            })
    void refusesAScramProofThatBreaksTheGrammar(String message) throws IOException {
        SaslExchange exchange = begin("SCRAM-SHA-1");
        challenge(say(exchange, "n,,n=user,r=abc"));
        assertEquals(Reason.MALFORMED, failure(say(exchange, message)));
    }

    @Test
    void ignoresExtensionsOfScramThatItMayIgnore() throws IOException {
        SaslExchange exchange = begin("SCRAM-SHA-256");
        challenge(say(exchange, "n,,n=user,r=abc,x=1,y=2"));
    }

    @Test
    void readsCommasAndEqualsSignsInScramLogins() throws IOException {
        directory.passwords.put("a,b=c", "pencil");
        ScramClient client = new ScramClient("SHA-256", "n,,", "a=2Cb=3Dc", "pencil");
        assertEquals(
                "a,b=c",
                ((Step.Success) client.play(begin("SCRAM-SHA-256")))
                        .account()
                        .address()
                        .localPart());
    }

    @Test
    void refusesAStaleNonce() throws IOException {
        // S20: replay. The proof of another exchange does not fit, with its own nonce or with ours.
        ScramClient client = new ScramClient("SHA-256", "n,,", "user", "pencil");
        client.play(begin("SCRAM-SHA-256"));
        nonce = "another";
        SaslExchange exchange = begin("SCRAM-SHA-256");
        challenge(say(exchange, client.first()));
        assertEquals(Reason.REJECTED, failure(say(exchange, client.last)));
    }

    @Test
    void refusesAnotherGs2HeaderInTheProof() throws IOException {
        ScramClient client = new ScramClient("SHA-256", "n,,", "user", "pencil");
        client.channel = "y,,".getBytes(UTF_8);
        assertEquals(Reason.REJECTED, failure(client.play(begin("SCRAM-SHA-256"))));
    }

    @Test
    void refusesAProofThatIsTooLongOrTooShort() throws IOException {
        for (int length : new int[] {0, 31, 33}) {
            ScramClient client = new ScramClient("SHA-256", "n,,", "user", "pencil");
            client.proofLength = length;
            Reason why = failure(client.play(begin("SCRAM-SHA-256")));
            assertEquals(length == 0 ? Reason.MALFORMED : Reason.REJECTED, why);
        }
    }

    @Test
    void refusesWordsAfterTheLast() throws IOException {
        SaslExchange exchange = begin("SCRAM-SHA-256");
        ScramClient client = new ScramClient("SHA-256", "n,,", "user", "pencil");
        challenge(client.playToTheProof(exchange));
        assertEquals(Reason.MALFORMED, failure(say(exchange, "x")));
        assertThrows(IllegalStateException.class, () -> exchange.step(Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource({"SCRAM-SHA-1, SHA-1", "SCRAM-SHA-256, SHA-256"})
    void takesStrangersThroughTheSameSteps(String mechanism, String hash) throws IOException {
        // S19: same messages, same sizes, and the same salt whenever the stranger comes back
        ScramClient known = new ScramClient(hash, "n,,", "user", "wrong");
        ScramClient unknown = new ScramClient(hash, "n,,", "mallory", "wrong");
        assertEquals(Reason.REJECTED, failure(known.play(begin(mechanism))));
        assertEquals(Reason.REJECTED, failure(unknown.play(begin(mechanism))));
        assertEquals(known.serverFirst.length(), unknown.serverFirst.length());
        assertEquals(known.iterations, unknown.iterations);
        String salt = unknown.salt;
        unknown.play(begin(mechanism));
        assertEquals(salt, unknown.salt);
        Sasl pop3 = new Sasl(directory, limits);
        ScramClient shouting = new ScramClient(hash, "n,,", "MALLORY", "wrong");
        shouting.play(pop3.begin(mechanism, from, Optional.empty()).orElseThrow());
        assertEquals(salt, shouting.salt);
        ScramClient another = new ScramClient(hash, "n,,", "trudy", "wrong");
        another.play(begin(mechanism));
        assertNotEquals(salt, another.salt);
    }

    @Test
    void checksStrangersPasswordsToo() throws IOException {
        // S19: the store does the same work for them
        assertEquals(Reason.REJECTED, failure(say(begin("PLAIN"), "\0mallory\0pencil")));
        assertEquals(1, directory.checks.get());
    }

    @Test
    void checksNothingWhenThereWereTooManyFailures() throws IOException {
        // S18
        Reason why = Reason.REJECTED;
        int tries = 0;
        for (; why == Reason.REJECTED && tries < 1_000; tries++) {
            why = failure(say(begin("PLAIN"), "\0user\0wrong" + tries));
        }
        assertEquals(Reason.LATER, why);
        assertEquals(SignInLimits.ADDRESS_LIMIT, directory.checks.get());
        assertEquals(Reason.LATER, failure(say(begin("PLAIN"), "\0user\0pencil")));
        assertEquals(Reason.LATER, failure(say(begin("SCRAM-SHA-1"), "n,,n=user,r=abc")));
        assertEquals(SignInLimits.ADDRESS_LIMIT, directory.checks.get());
    }

    @Test
    void countsAllSpellingsOfALoginTogether() throws IOException {
        String[] spellings = {"user", "USER", "user@example.org", "User@EXAMPLE.org"};
        from = InetAddress.getLoopbackAddress();
        for (int i = 0; i < SignInLimits.LOGIN_LIMIT; i++) {
            assertEquals(
                    Reason.REJECTED,
                    failure(say(begin("PLAIN"), "\0" + spellings[i % 4] + "\0wrong")));
        }
        assertEquals(Reason.LATER, failure(say(begin("PLAIN"), "\0user\0pencil")));
        assertEquals("alice@example.org", success(say(begin("PLAIN"), "\0alice\0wonderland")));
    }

    @Test
    void offersNoBoundMechanismWithoutTls() {
        assertEquals(
                List.of("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"),
                sasl.mechanisms(Optional.empty()));
        for (String mechanism :
                List.of("SCRAM-SHA-256-PLUS", "CRAM-MD5", "", "PLAIN ", "EXTERNAL")) {
            assertTrue(sasl.begin(mechanism, from, Optional.empty()).isEmpty());
        }
    }

    @Test
    void isGoodForOneTry() throws IOException {
        SaslExchange exchange = begin("PLAIN");
        failure(say(exchange, "\0user\0wrong"));
        assertThrows(IllegalStateException.class, () -> say(exchange, "\0user\0pencil"));
    }

    @Test
    void makesNoncesThatDiffer() throws IOException {
        Sasl random = new Sasl(directory, limits);
        Step one =
                say(
                        random.begin("SCRAM-SHA-1", from, Optional.empty()).orElseThrow(),
                        "n,,n=user,r=abc");
        Step two =
                say(
                        random.begin("SCRAM-SHA-1", from, Optional.empty()).orElseThrow(),
                        "n,,n=user,r=abc");
        assertFalse(challenge(one).equals(challenge(two)));
    }

    private SaslExchange begin(String mechanism) {
        return sasl.begin(mechanism, from, Optional.empty()).orElseThrow();
    }

    private static Step say(SaslExchange exchange, String message) throws IOException {
        return exchange.step(Optional.of(message.getBytes(UTF_8)));
    }

    private static String challenge(Step step) {
        return new String(assertInstanceOf(Step.Challenge.class, step).octets(), UTF_8);
    }

    private static String success(Step step) {
        return assertInstanceOf(Step.Success.class, step).account().toString();
    }

    private static Reason failure(Step step) {
        return assertInstanceOf(Step.Failure.class, step).why();
    }
}
