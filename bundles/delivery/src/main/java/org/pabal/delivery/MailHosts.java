package org.pabal.delivery;

import org.pabal.mail.Status;

import java.util.List;
import java.util.Optional;

/// Who takes mail for a next hop, as far as DNS can say.
sealed interface MailHosts {

    /// @param hosts in the order in which to try them, at least one
    /// @param secure whether DNSSEC proved the MX records
    /// @param owner whose they are, where the domain is an alias
    record Found(List<MailHost> hosts, boolean secure, Optional<String> owner)
            implements MailHosts {
        public Found {
            hosts = List.copyOf(hosts);
        }

        Found(List<MailHost> hosts, boolean secure) {
            this(hosts, secure, Optional.empty());
        }
    }

    /// Nobody, and that is final: no such domain, null MX, only hosts that cannot be.
    record Nobody(Status why) implements MailHosts {}

    /// It cannot be said just now.
    record Unknown(Status why) implements MailHosts {}
}
