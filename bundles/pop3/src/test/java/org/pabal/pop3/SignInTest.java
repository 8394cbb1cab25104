package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.protocol.Peer;
import org.pabal.testkit.TestConnection;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;

import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

class SignInTest {

    private final House house = new House(Map.of("max-failed-commands", "100"));

    /// Row S18: each failure is held back, and after too many nothing is checked any more.
    @Test
    void holdsBackFailuresAndThenRefusesUnheard() throws Exception {
        TestConnection connection =
                new TestConnection()
                        .from(
                                new Peer(
                                        new InetSocketAddress(
                                                InetAddress.ofLiteral("192.0.2.7"), 40_000),
                                        "pop3"))
                        .withTls();
        try (Client guesser = new Client(house, connection)) {
            String reply = "";
            int tries = 0;
            for (; tries < 60 && !reply.startsWith("-ERR [SYS/TEMP]"); tries++) {
                guesser.say("USER bob");
                reply = guesser.say("PASS guess" + tries);
            }
            assertEquals("-ERR [SYS/TEMP] no sign-in just now, try again later", reply);
            assertTrue(tries > 10, "after " + tries);
            guesser.say("USER bob");
            assertEquals(
                    "-ERR [SYS/TEMP] no sign-in just now, try again later",
                    guesser.say("PASS pabal"));
        }
        assertFalse(house.heldBack.isEmpty());
        assertTrue(house.heldBack.getFirst().isPositive());
    }

    /// Row S19: who does not exist is told the same, after the same delay.
    @Test
    void tellsNothingAboutWhoHasMailHere() throws Exception {
        try (Client client = new Client(house)) {
            for (String login : List.of("bob", "nobody")) {
                assertEquals("+OK password, please", client.say("USER " + login));
                assertEquals("-ERR [AUTH] wrong name or password", client.say("PASS wrong"));
            }
        }
        assertEquals(2, house.heldBack.size());
        assertEquals(house.heldBack.getFirst(), house.heldBack.getLast());
    }

    /// RFC 2449 §6.5 and §8.1.1.
    @Test
    void refusesASignInThatComesTooSoon() throws Exception {
        House slow = new House(Map.of("login-delay", "5 m"));
        new Client(slow).signIn("bob").close();
        slow.clock.advance(Duration.ofSeconds(299));
        try (Client bob = new Client(slow)) {
            bob.say("USER bob");
            assertEquals(
                    "-ERR [AUTH] wrong name or password",
                    bob.say("PASS wrong"),
                    "the password comes first");
            bob.say("USER bob");
            assertEquals(
                    "-ERR [LOGIN-DELAY] at least 300 s between sign-ins", bob.say("PASS pabal"));
            assertEquals(
                    "-ERR [LOGIN-DELAY] at least 300 s between sign-ins",
                    bob.say("AUTH PLAIN AGJvYgBwYWJhbA=="));
            new Client(slow).signIn("alice").close();
            slow.clock.advance(Duration.ofSeconds(1));
            bob.signIn("bob");
        }
    }

    /// RFC 5802 §5 over RFC 5034: the server's last word is a challenge that the client answers
    /// with an empty line.
    @Test
    void signsInByScram() throws Exception {
        try (Client bob = new Client(house)) {
            assertEquals("+", bob.say("AUTH SCRAM-SHA-256"));
            String bare = "n=bob,r=fyko+d2lbbFgONRv9qkxdawL";
            String serverFirst = challenge(bob.say(base64("n,," + bare)));
            Map<Character, String> parts = parts(serverFirst);
            String withoutProof = "c=biws,r=" + parts.get('r');
            byte[] salted =
                    SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                            .generateSecret(
                                    new PBEKeySpec(
                                            "pabal".toCharArray(),
                                            Base64.getDecoder().decode(parts.get('s')),
                                            Integer.parseInt(parts.get('i')),
                                            256))
                            .getEncoded();
            byte[] clientKey = mac(salted, "Client Key");
            byte[] storedKey = MessageDigest.getInstance("SHA-256").digest(clientKey);
            byte[] proof = mac(storedKey, bare + "," + serverFirst + "," + withoutProof);
            for (int i = 0; i < proof.length; i++) {
                proof[i] ^= clientKey[i];
            }
            String last = withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof);
            assertTrue(challenge(bob.say(base64(last))).startsWith("v="));
            assertEquals("+OK maildrop has 2 messages (320 octets)", bob.say(""));
        }
    }

    private static Map<Character, String> parts(String message) {
        Map<Character, String> parts = new java.util.HashMap<>();
        for (String part : message.split(",")) {
            parts.put(part.charAt(0), part.substring(2));
        }
        return parts;
    }

    private static String challenge(String reply) {
        assertTrue(reply.startsWith("+ "), reply);
        return new String(
                Base64.getDecoder().decode(reply.substring(2)), StandardCharsets.US_ASCII);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] mac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
    }
}
