package org.pabal.itests.hotswap.echo;

import java.nio.charset.StandardCharsets;

/// What is said to those whose conversation is cut short. Loaded when the bundle is already being
/// stopped, which fails unless the transport holds that up until the conversation is over.
final class Farewell {

    private Farewell() {}

    static byte[] words() {
        return "421 echo is being replaced, come again\r\n".getBytes(StandardCharsets.US_ASCII);
    }
}
