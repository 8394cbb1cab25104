package org.pabal.directory;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.pabal.directory.SaslExchange.Step;

import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/// The client's side of SCRAM, with handles to get it wrong.
final class ScramClient {

    private final String hash;
    private final String header;
    private final String login;
    private final String password;

    byte[] channel;
    int proofLength = -1;
    String serverFirst = "";
    String salt = "";
    String iterations = "";
    String last = "";

    ScramClient(String hash, String header, String login, String password) {
        this.hash = hash;
        this.header = header;
        this.login = login;
        this.password = password;
        this.channel = header.getBytes(UTF_8);
    }

    String first() {
        return header + bare();
    }

    /// @return success or failure
    Step play(SaslExchange exchange) throws IOException {
        Step step = playToTheProof(exchange);
        return step instanceof Step.Challenge ? exchange.step(Optional.empty()) : step;
    }

    Step playToTheProof(SaslExchange exchange) throws IOException {
        Step step = exchange.step(Optional.of(first().getBytes(UTF_8)));
        if (!(step instanceof Step.Challenge(byte[] octets))) {
            return step;
        }
        serverFirst = new String(octets, UTF_8);
        String[] parts = serverFirst.split(",");
        salt = parts[1].substring(2);
        iterations = parts[2].substring(2);
        String withoutProof = "c=" + Base64.getEncoder().encodeToString(channel) + "," + parts[0];
        byte[] salted =
                ScramKeys.salted(
                        password.getBytes(UTF_8),
                        hash,
                        Base64.getDecoder().decode(salt),
                        Integer.parseInt(iterations));
        byte[] proof = ScramKeys.hmac(hash, salted, "Client Key".getBytes(UTF_8));
        byte[] about = (bare() + "," + serverFirst + "," + withoutProof).getBytes(UTF_8);
        byte[] signature = ScramKeys.hmac(hash, ScramKeys.digest(hash, proof), about);
        for (int i = 0; i < proof.length; i++) {
            proof[i] ^= signature[i];
        }
        proof = proofLength < 0 ? proof : Arrays.copyOf(proof, proofLength);
        last = withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof);
        return exchange.step(Optional.of(last.getBytes(UTF_8)));
    }

    private String bare() {
        return "n=" + login + ",r=rOprNGfwEbeRWgbNEkqO";
    }
}
