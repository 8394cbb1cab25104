package org.pabal.smtp.client;

/// Who we are for a server that wants to know, RFC 4954.
///
/// @param name of the account there
/// @param password in the clear; kept out of [#toString]
public record Login(String name, String password) {

    @Override
    public String toString() {
        return name;
    }
}
