package org.pabal.storage.file;

import org.pabal.directory.ScramKeys;

/// How much work it is to try a password.
///
/// @param kibibytes memory of Argon2id
/// @param passes over that memory
/// @param lanes that could be worked on at the same time
/// @param iterations of SCRAM's hash
record PasswordCost(int kibibytes, int passes, int lanes, int iterations) {

    /// RFC 9106 §4 wants 64 MiB or more where it can be had; 19 MiB and two passes is what OWASP
    /// asks of servers that check many, and about 0.03 s on one core once the code is warm.
    static final PasswordCost DEFAULT = new PasswordCost(19_456, 2, 1, ScramKeys.ITERATIONS);
}
