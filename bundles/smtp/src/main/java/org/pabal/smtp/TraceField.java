package org.pabal.smtp;

import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;

/// The Received field of RFC 5321 §4.4. What is the same for all messages of a session is written
/// once.
final class TraceField {

    private final String beginning;

    /// @param helo what the client called itself
    /// @param with the protocol as RFC 3848 and RFC 6531 §3.7.3 name it: `ESMTPSA`
    TraceField(String helo, InetAddress client, String host, String with) {
        this.beginning =
                "Received: from "
                        + helo
                        + " ("
                        + literal(client)
                        + ")\r\n\tby "
                        + host
                        + " with "
                        + with
                        + " id ";
    }

    /// @param date as RFC 5322 §3.3 writes it
    String of(QueueId id, List<Recipient> recipients, String date) {
        // one recipient only: with more, each would learn of the others (RFC 5321 §7.2)
        String addressed =
                recipients.size() == 1
                        ? "\r\n\tfor <" + recipients.getFirst().address() + ">;\r\n\t"
                        : ";\r\n\t";
        return beginning + id.text() + addressed + date;
    }

    /// RFC 3848, and RFC 6531 §3.7.3 for the UTF8 forms; SMTP stands for who said HELO.
    static String with(Role role, boolean extended, boolean utf8, boolean tls, boolean signedIn) {
        String base;
        if (utf8) {
            base = role == Role.LMTP ? "UTF8LMTP" : "UTF8SMTP";
        } else if (role == Role.LMTP) {
            base = "LMTP";
        } else {
            base = extended ? "ESMTP" : "SMTP";
        }
        return base + (extended && tls ? "S" : "") + (extended && signedIn ? "A" : "");
    }

    /// RFC 5321 §4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
    static String literal(InetAddress address) {
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return (address instanceof Inet6Address ? "[IPv6:" : "[")
                + (zone < 0 ? text : text.substring(0, zone))
                + "]";
    }
}
