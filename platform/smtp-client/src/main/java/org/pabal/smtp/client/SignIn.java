package org.pabal.smtp.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// The client's side of one SASL mechanism (RFC 4422) for one sign-in: what it says first, and what
/// to each challenge.
sealed interface SignIn permits SignIn.Plain, SignIn.TwoWords, ScramClient {

    /// Strongest first: with SCRAM the server proves that it knows us too, and learns no password.
    List<String> BEST_FIRST = List.of("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN");

    /// The best that they offer; empty when we know none of it.
    static Optional<SignIn> best(Set<String> offered, Login login, Supplier<String> nonces) {
        return BEST_FIRST.stream()
                .filter(offered::contains)
                .findFirst()
                .map(
                        mechanism ->
                                switch (mechanism) {
                                    case "PLAIN" -> new Plain(login);
                                    case "LOGIN" -> new TwoWords(login);
                                    default ->
                                            new ScramClient(
                                                    mechanism.substring("SCRAM-".length()),
                                                    login,
                                                    nonces.get());
                                });
    }

    /// Random, of the characters that RFC 5802 §7 calls printable.
    static String nonce() {
        byte[] octets = new byte[18];
        new SecureRandom().nextBytes(octets);
        return Base64.getEncoder().encodeToString(octets);
    }

    /// RFC 8265 §4.2: as a person types it, so as the other side has stored it. Spaces beyond ASCII
    /// become the ASCII space, then NFC.
    static String prepared(String password) {
        StringBuilder spaced = new StringBuilder(password.length());
        for (char c : password.toCharArray()) {
            spaced.append(Character.getType(c) == Character.SPACE_SEPARATOR ? ' ' : c);
        }
        return Normalizer.normalize(spaced, Normalizer.Form.NFC);
    }

    String mechanism();

    /// The initial response, RFC 4954 §4; empty where the server speaks first.
    Optional<byte[]> first();

    /// @throws IOException when the challenge is wrong: it is not the server that it should be, or
    ///     it is broken
    byte[] answer(byte[] challenge) throws IOException;

    /// Whether the server has shown what it has to before its success counts.
    boolean satisfied();

    /// RFC 4616.
    record Plain(Login login) implements SignIn {

        @Override
        public String mechanism() {
            return "PLAIN";
        }

        @Override
        public Optional<byte[]> first() {
            return Optional.of(message());
        }

        @Override
        public byte[] answer(byte[] challenge) {
            return message();
        }

        @Override
        public boolean satisfied() {
            return true;
        }

        private byte[] message() {
            return ("\0" + login.name() + "\0" + prepared(login.password())).getBytes(UTF_8);
        }
    }

    /// LOGIN, which no RFC describes: the name, then the password, whatever the challenges say.
    final class TwoWords implements SignIn {

        private final Login login;
        private int asked;

        TwoWords(Login login) {
            this.login = login;
        }

        @Override
        public String mechanism() {
            return "LOGIN";
        }

        @Override
        public Optional<byte[]> first() {
            return Optional.empty();
        }

        @Override
        public byte[] answer(byte[] challenge) throws IOException {
            return switch (asked++) {
                case 0 -> login.name().getBytes(UTF_8);
                case 1 -> prepared(login.password()).getBytes(UTF_8);
                default -> throw new IOException("LOGIN asks for more than name and password");
            };
        }

        @Override
        public boolean satisfied() {
            return true;
        }
    }
}
