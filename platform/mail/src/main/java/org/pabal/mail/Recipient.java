package org.pabal.mail;

import java.util.Map;

/// Someone a message is for.
///
/// @param address where it goes
/// @param parameters ESMTP parameters of RCPT as the client gave them: keyword in upper case, value
///     decoded from nothing, empty where there was none; `NOTIFY` and `ORCPT` of RFC 3461 §4 are
///     the ones that matter
public record Recipient(MailAddress address, Map<String, String> parameters) {

    public Recipient {
        parameters = Map.copyOf(parameters);
    }

    public Recipient(MailAddress address) {
        this(address, Map.of());
    }

    /// Whether the sender asked to hear of an event, RFC 3461 §4.1: `SUCCESS`, `FAILURE`, `DELAY`.
    /// Without NOTIFY the sender hears of failure and may hear of delay.
    public boolean notify(String event) {
        String asked = parameters.getOrDefault("NOTIFY", "FAILURE,DELAY");
        for (String one : asked.split(",")) {
            if (one.strip().equalsIgnoreCase(event)) {
                return true;
            }
        }
        return false;
    }
}
