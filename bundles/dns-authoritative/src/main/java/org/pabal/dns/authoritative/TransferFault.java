package org.pabal.dns.authoritative;

import java.io.IOException;

/// A server that could be reached answered something that cannot be used; the message is one line
/// for an administrator.
final class TransferFault extends IOException {

    private static final long serialVersionUID = 1L;

    TransferFault(String why) {
        super(why);
    }
}
