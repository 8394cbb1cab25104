package org.pabal.directory;

import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// LOGIN, which no RFC defines and old clients of Microsoft speak: draft-murchison-sasl-login. The
/// prompts are the ones that all servers send, and not the draft's, because clients compare them.
final class LoginExchange implements SaslExchange {

    private final SignIn signIn;
    private boolean asked;
    private Optional<String> login = Optional.empty();

    LoginExchange(SignIn signIn) {
        this.signIn = signIn;
    }

    @Override
    public Step step(Optional<byte[]> response) throws IOException {
        if (response.isEmpty() && !asked) {
            asked = true;
            return prompt("Username:");
        }
        Optional<CharBuffer> text =
                response.flatMap(octets -> Precis.decode(octets, 0, octets.length));
        if (text.isEmpty()) {
            return SignIn.malformed();
        }
        if (login.isEmpty()) {
            login = text.map(CharBuffer::toString);
            asked = true;
            return Precis.login(login.get()).isEmpty() ? SignIn.malformed() : prompt("Password:");
        }
        char[] password = new char[text.get().remaining()];
        text.get().get(password);
        Arrays.fill(text.get().array(), '\0');
        return signIn.withPassword("", login.get(), password);
    }

    private static Step prompt(String text) {
        return new Step.Challenge(text.getBytes(StandardCharsets.US_ASCII));
    }
}
