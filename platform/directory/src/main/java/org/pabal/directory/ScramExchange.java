package org.pabal.directory;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/// SCRAM-SHA-1 and SCRAM-SHA-256 with their -PLUS forms, RFC 5802 and RFC 7677: the client shows
/// that it knows the password, the server that it knows the keys, and neither says anything that a
/// listener could use.
///
/// ```
/// C: n,,n=bob,r=…                    client-first: with whom, the client's nonce
/// S: r=…,s=…,i=…                     server-first: both nonces, salt, iterations
/// C: c=…,r=…,p=…                     client-final: the channel, the proof
/// S: v=…                             server-final: the server's own proof
/// ```
final class ScramExchange implements SaslExchange {

    private final SignIn signIn;
    private final String hash;
    private final boolean plus;
    private final Map<String, byte[]> bindings;
    private final String nonce;

    private Stage stage = Stage.BEGIN;
    private ScramClientFirst first;
    private String login;
    private String serverFirst;
    private ScramKeys keys;
    private Account account;

    private enum Stage {
        BEGIN,
        FIRST,
        FINAL,
        ACKNOWLEDGE
    }

    /// @param plus whether the mechanism is the -PLUS form
    /// @param bindings what the connection offers to bind to
    ScramExchange(
            SignIn signIn, String hash, boolean plus, Map<String, byte[]> bindings, String nonce) {
        this.signIn = signIn;
        this.hash = hash;
        this.plus = plus;
        this.bindings = bindings;
        this.nonce = nonce;
    }

    @Override
    public Step step(Optional<byte[]> response) throws IOException {
        if (stage == Stage.BEGIN && response.isEmpty()) {
            stage = Stage.FIRST;
            return new Step.Challenge(new byte[0]);
        }
        if (stage == Stage.ACKNOWLEDGE) {
            boolean nothing = response.isEmpty() || response.get().length == 0;
            return nothing ? signIn.succeeded(account, login) : SignIn.malformed();
        }
        Optional<String> message =
                response.flatMap(o -> Precis.decode(o, 0, o.length)).map(CharBuffer::toString);
        if (message.isEmpty()) {
            return SignIn.malformed();
        }
        return stage == Stage.FINAL ? finish(message.get()) : start(message.get());
    }

    private Step start(String message) throws IOException {
        Optional<ScramClientFirst> parsed = ScramClientFirst.parse(message);
        Optional<String> name = parsed.flatMap(p -> Precis.login(p.login()));
        if (name.isEmpty() || !bindable(parsed.get().binding())) {
            return SignIn.malformed();
        }
        first = parsed.get();
        login = name.get();
        if (!signIn.allowed(login)) {
            return SignIn.later();
        }
        keys = signIn.keys(login, hash);
        serverFirst =
                "r="
                        + first.nonce()
                        + nonce
                        + ",s="
                        + Base64.getEncoder().encodeToString(keys.salt())
                        + ",i="
                        + keys.iterations();
        stage = Stage.FINAL;
        return new Step.Challenge(serverFirst.getBytes(StandardCharsets.UTF_8));
    }

    /// RFC 5802 §6: `p=` belongs to the -PLUS form and to a binding we have. `y` says that the
    /// client could bind and saw no -PLUS among the mechanisms; if we did offer it, somebody
    /// between us has struck it out.
    private boolean bindable(String flag) {
        return plus
                ? flag.startsWith("p=") && bindings.containsKey(flag.substring(2))
                : flag.equals("n") || flag.equals("y") && bindings.isEmpty();
    }

    private Step finish(String message) throws IOException {
        Optional<ScramClientFinal> parsed = ScramClientFinal.parse(message);
        if (parsed.isEmpty()) {
            return SignIn.malformed();
        }
        if (!signIn.allowed(login)) {
            return SignIn.later();
        }
        byte[] about =
                (first.bare() + "," + serverFirst + "," + parsed.get().withoutProof())
                        .getBytes(StandardCharsets.UTF_8);
        byte[] clientSignature = ScramKeys.hmac(hash, keys.storedKey(), about);
        byte[] serverSignature = ScramKeys.hmac(hash, keys.serverKey(), about);
        // All of it is compared, whatever differs first: the time tells nothing.
        boolean proved =
                MessageDigest.isEqual(
                        ScramKeys.digest(hash, xor(parsed.get().proof(), clientSignature)),
                        keys.storedKey());
        boolean fresh =
                MessageDigest.isEqual(
                        parsed.get().nonce().getBytes(StandardCharsets.UTF_8),
                        (first.nonce() + nonce).getBytes(StandardCharsets.UTF_8));
        boolean bound = MessageDigest.isEqual(parsed.get().channel(), channel());
        boolean whole = parsed.get().proof().length == keys.storedKey().length;
        Optional<Account> found = signIn.account(login);
        if (!(proved & fresh & bound & whole)
                || found.isEmpty()
                || !signIn.mayOpen(found.get(), first.authorize())) {
            return signIn.rejected(login);
        }
        account = found.get();
        stage = Stage.ACKNOWLEDGE;
        String verifier = "v=" + Base64.getEncoder().encodeToString(serverSignature);
        return new Step.Challenge(verifier.getBytes(StandardCharsets.US_ASCII));
    }

    /// cbind-input, RFC 5802 §7: the GS2 header as the client sent it, then what the channel is
    /// bound to.
    private byte[] channel() {
        ByteArrayOutputStream input = new ByteArrayOutputStream();
        input.writeBytes(first.header().getBytes(StandardCharsets.UTF_8));
        if (plus) {
            input.writeBytes(bindings.get(first.binding().substring(2)));
        }
        return input.toByteArray();
    }

    /// As long as the signature; a proof of another length gives nothing that fits.
    private static byte[] xor(byte[] proof, byte[] signature) {
        byte[] result = signature.clone();
        for (int i = 0; i < Math.min(proof.length, result.length); i++) {
            result[i] ^= proof[i];
        }
        return result;
    }
}
