package org.pabal.directory;

import java.security.cert.X509Certificate;

/// With what somebody proves who they are.
public sealed interface Proof {

    /// A password in the clear, already prepared by SASLprep or the OpaqueString profile (RFC
    /// 8265). Whoever made the array wipes it.
    record Password(char[] characters) implements Proof {
        @Override
        public String toString() {
            return "Password[…]";
        }
    }

    /// A client certificate that TLS has verified.
    record Certificate(X509Certificate certificate) implements Proof {}

    /// A bearer token (RFC 7628).
    record Bearer(String token) implements Proof {
        @Override
        public String toString() {
            return "Bearer[…]";
        }
    }
}
