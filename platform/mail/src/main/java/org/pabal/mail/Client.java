package org.pabal.mail;

import java.net.InetSocketAddress;
import java.util.Optional;

/// Who offers mail.
///
/// @param address where the connection comes from
/// @param listener the name of the listener, e.g. `submission`
/// @param helo what it called itself, empty before HELO, EHLO or LHLO
/// @param login the account it signed in to, as `local@domain`; empty when it did not
/// @param encrypted whether TLS is on
public record Client(
        InetSocketAddress address,
        String listener,
        String helo,
        Optional<MailAddress> login,
        boolean encrypted) {}
