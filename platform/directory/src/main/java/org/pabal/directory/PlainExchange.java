package org.pabal.directory;

import java.io.IOException;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// PLAIN, RFC 4616: `[authzid] NUL authcid NUL passwd`, and nothing else.
final class PlainExchange implements SaslExchange {

    private final SignIn signIn;
    private boolean asked;

    PlainExchange(SignIn signIn) {
        this.signIn = signIn;
    }

    @Override
    public Step step(Optional<byte[]> response) throws IOException {
        if (response.isEmpty() && !asked) {
            asked = true;
            return new Step.Challenge(new byte[0]);
        }
        List<CharBuffer> parts = response.map(PlainExchange::parts).orElse(List.of());
        if (parts.size() != 3) {
            return SignIn.malformed();
        }
        char[] password = new char[parts.get(2).remaining()];
        parts.get(2).get(password);
        Arrays.fill(parts.get(2).array(), '\0');
        return signIn.withPassword(parts.get(0).toString(), parts.get(1).toString(), password);
    }

    /// The parts between NULs; fewer than there are when one is not UTF-8.
    private static List<CharBuffer> parts(byte[] message) {
        List<CharBuffer> parts = new ArrayList<>();
        int from = 0;
        for (int i = 0; i <= message.length && parts.size() <= 3; i++) {
            if (i == message.length || message[i] == 0) {
                Optional<CharBuffer> part = Precis.decode(message, from, i);
                if (part.isEmpty()) {
                    return List.of();
                }
                parts.add(part.get());
                from = i + 1;
            }
        }
        return parts;
    }
}
