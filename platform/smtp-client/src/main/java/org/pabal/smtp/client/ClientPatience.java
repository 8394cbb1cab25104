package org.pabal.smtp.client;

import java.time.Duration;

/// How long the client waits, RFC 5321 §4.5.3.2.
///
/// @param greeting for the greeting and the answers to EHLO, STARTTLS and AUTH
/// @param command for the answers to MAIL, RCPT, RSET and DATA
/// @param block for the other side to take 64 KB of a message
/// @param end for the answer to the end of a message
public record ClientPatience(Duration greeting, Duration command, Duration block, Duration end) {

    /// Those of RFC 5321 §4.5.3.2.
    public static final ClientPatience DEFAULT =
            new ClientPatience(
                    Duration.ofMinutes(5),
                    Duration.ofMinutes(5),
                    Duration.ofMinutes(3),
                    Duration.ofMinutes(10));
}
