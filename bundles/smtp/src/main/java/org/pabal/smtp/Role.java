package org.pabal.smtp;

/// The three ways in which the same conversation is held.
enum Role {
    /// Port 25, RFC 5321: strangers bring mail for our own people.
    SMTP("smtp", "ESMTP"),

    /// RFC 6409: our own people send, and say who they are first.
    SUBMISSION("submission", "ESMTP"),

    /// RFC 2033: a neighbour delivers, and hears of each recipient by itself.
    LMTP("lmtp", "LMTP");

    /// How listeners name it.
    final String protocol;

    /// How the greeting and the Received field name it.
    final String word;

    Role(String protocol, String word) {
        this.protocol = protocol;
        this.word = word;
    }
}
