package org.pabal.directory;

/// What a server keeps to check a SCRAM proof, RFC 5802 §3: it gives away neither the password nor a way to sign in.
///
/// @param salt at least 16 octets
/// @param iterations at least 4,096
/// @param storedKey as long as the hash
/// @param serverKey as long as the hash
public record ScramKeys(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey) {

    @Override
    public String toString() {
        return "ScramKeys[iterations=" + iterations + "]";
    }
}
