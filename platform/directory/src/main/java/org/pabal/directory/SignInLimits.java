package org.pabal.directory;

import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;

/// Makes guessing passwords slow, for all protocols of the node together (security row S18): failures are counted by address,
/// by network (/24, /56) and by login, in tables of fixed size.
///
/// Nobody can lock an account out from elsewhere: an address from which a login succeeded lately is not held up by failures
/// of others for that login.
///
/// A store registers one as an OSGi service beside its [Directory].
public final class SignInLimits {

    public SignInLimits(InstantSource clock) {}

    /// Whether a try is allowed at all just now. False: tell the client to come later, and check nothing.
    public boolean allowed(InetAddress from, String login) {
        throw new UnsupportedOperationException("to be written");
    }

    /// Notes a failure.
    ///
    /// @return how long to wait before the client hears of it
    public Duration failed(InetAddress from, String login) {
        throw new UnsupportedOperationException("to be written");
    }

    /// Notes a success.
    public void succeeded(InetAddress from, String login) {
        throw new UnsupportedOperationException("to be written");
    }
}
