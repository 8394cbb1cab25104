package org.pabal.dns.recursive;

import org.xbill.DNS.Message;

import java.time.Duration;

/// What a server answered: it matches the question that was asked, and could be read.
///
/// @param message its question section is the question, its records are not looked at yet
/// @param transport by which it came
/// @param took from the first octet sent to the last one received
record Reply(Server server, Message message, Transport transport, Duration took) {

    /// By which an answer came.
    enum Transport {
        UDP,
        TCP,
        TLS
    }
}
