package org.pabal.directory;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLSession;

/// The SASL mechanisms that every protocol of the house offers: SCRAM-SHA-256 and SCRAM-SHA-1, each with its -PLUS form
/// over TLS, PLAIN and LOGIN.
public final class Sasl {

    /// @param limits shared by all protocols of the node
    public Sasl(Directory directory, SignInLimits limits) {}

    /// The mechanisms for a connection, strongest first. The -PLUS forms are among them when there is TLS to bind to.
    public List<String> mechanisms(Optional<SSLSession> tls) {
        throw new UnsupportedOperationException("to be written");
    }

    /// Begins a sign-in.
    ///
    /// @param mechanism in any case
    /// @param from the client's address
    /// @return empty when there is no such mechanism on this connection
    public Optional<SaslExchange> begin(String mechanism, InetAddress from, Optional<SSLSession> tls) {
        throw new UnsupportedOperationException("to be written");
    }
}
