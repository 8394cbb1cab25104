package org.pabal.directory;

import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

import javax.net.ssl.SSLSession;

/// The SASL mechanisms that every protocol of the house offers: SCRAM-SHA-256 and SCRAM-SHA-1, each
/// with its -PLUS form over TLS, PLAIN and LOGIN.
///
/// A client learns nothing here about logins that do not exist: they go through the same steps,
/// with the same work, to the same failure (security row S19). Which mechanisms are fit for a
/// connection without TLS is for the protocol to say.
public final class Sasl {

    private static final List<String> BOUND = List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS");
    private static final List<String> UNBOUND =
            List.of("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN");

    /// No message of these mechanisms is longer than this, in octets; what is longer is malformed
    /// (security row S20).
    static final int MAX_RESPONSE = 4_096;

    private final Directory directory;
    private final SignInLimits limits;
    private final Supplier<String> nonces;

    /// @param limits shared by all protocols of the node
    public Sasl(Directory directory, SignInLimits limits) {
        this(directory, limits, randomNonces());
    }

    /// @param nonces each new and beyond guessing, of the characters that RFC 5802 §7 calls
    ///     printable
    Sasl(Directory directory, SignInLimits limits, Supplier<String> nonces) {
        this.directory = directory;
        this.limits = limits;
        this.nonces = nonces;
    }

    /// The mechanisms for a connection, strongest first. The -PLUS forms are among them when there
    /// is TLS to bind to.
    public List<String> mechanisms(Optional<SSLSession> tls) {
        return mechanisms(ChannelBindings.of(tls));
    }

    /// Begins a sign-in.
    ///
    /// @param mechanism in any case
    /// @param from the client's address
    /// @return empty when there is no such mechanism on this connection
    public Optional<SaslExchange> begin(
            String mechanism, InetAddress from, Optional<SSLSession> tls) {
        Map<String, byte[]> bindings = ChannelBindings.of(tls);
        String name = mechanism.toUpperCase(Locale.ROOT);
        if (!mechanisms(bindings).contains(name)) {
            return Optional.empty();
        }
        SignIn signIn = new SignIn(directory, limits, from);
        return Optional.of(
                new OneTry(
                        switch (name) {
                            case "PLAIN" -> new PlainExchange(signIn);
                            case "LOGIN" -> new LoginExchange(signIn);
                            default -> {
                                String hash =
                                        name.startsWith("SCRAM-SHA-256") ? "SHA-256" : "SHA-1";
                                yield new ScramExchange(
                                        signIn, hash, BOUND.contains(name), bindings, nonces.get());
                            }
                        }));
    }

    /// Signs somebody in who said login and password in the protocol's own commands, as `USER` and
    /// `PASS` of POP3 do.
    ///
    /// @param password as the client sent it; wiped when this returns
    /// @return a success or a failure
    public SaslExchange.Step signIn(String login, char[] password, InetAddress from)
            throws IOException {
        return new SignIn(directory, limits, from).withPassword("", login, password);
    }

    private static List<String> mechanisms(Map<String, byte[]> bindings) {
        return bindings.isEmpty()
                ? UNBOUND
                : Stream.concat(BOUND.stream(), UNBOUND.stream()).toList();
    }

    private static Supplier<String> randomNonces() {
        SecureRandom random = new SecureRandom();
        return () -> {
            byte[] octets = new byte[18];
            random.nextBytes(octets);
            return Base64.getEncoder().encodeToString(octets);
        };
    }

    /// Keeps to the one try and the size that an exchange is good for.
    private static final class OneTry implements SaslExchange {

        private final SaslExchange exchange;
        private boolean over;

        OneTry(SaslExchange exchange) {
            this.exchange = exchange;
        }

        @Override
        public Step step(Optional<byte[]> response) throws IOException {
            if (over) {
                throw new IllegalStateException("this sign-in is over");
            }
            over = true;
            if (response.isPresent() && response.get().length > MAX_RESPONSE) {
                return SignIn.malformed();
            }
            Step step = exchange.step(response);
            over = !(step instanceof Step.Challenge);
            return step;
        }
    }
}
