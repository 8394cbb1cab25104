package org.pabal.delivery;

/// Counts how TLS went, for those who want to be told of their own hosts (RFC 8460).
interface TlsLedger {

    /// For a node that reports nothing.
    TlsLedger NONE =
            new TlsLedger() {
                @Override
                public void succeeded(TlsPolicy policy) {}

                @Override
                public void failed(
                        TlsPolicy policy,
                        TlsResult result,
                        String host,
                        String address,
                        String detail) {}
            };

    /// A session as the policy wants it.
    void succeeded(TlsPolicy policy);

    /// A session that the policy did not allow, or would not have allowed.
    ///
    /// @param host the MX host's name, empty when it did not come to that
    /// @param address of it, empty when it did not come to that
    /// @param detail a sentence for the other side's administrator
    void failed(TlsPolicy policy, TlsResult result, String host, String address, String detail);
}
