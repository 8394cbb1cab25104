package org.pabal.delivery;

import org.pabal.smtp.client.Login;

import java.util.Optional;

/// Where mail for a domain is handed to next.
sealed interface NextHop {

    /// The hosts that answer for a domain by its MX records, RFC 5321 §5.1.
    ///
    /// @param domain in lower case, or an address literal with its brackets
    /// @param port 25, but in a laboratory
    record Exchangers(String domain, int port) implements NextHop {

        @Override
        public String name() {
            return domain;
        }
    }

    /// One host that the administrator named: a smart host, or the server of one domain.
    ///
    /// @param host a name or an address; its MX records are not asked
    /// @param lmtp whether it speaks LMTP (RFC 2033)
    /// @param login who we are there
    record Server(String host, int port, boolean lmtp, Optional<Login> login) implements NextHop {

        @Override
        public String name() {
            // who signed in there has another connection than who did not
            return (lmtp ? "lmtp:" : "") + login.map(l -> l + "@").orElse("") + host + ":" + port;
        }
    }

    /// What messages that go the same way have in common, as an administrator reads it.
    String name();
}
