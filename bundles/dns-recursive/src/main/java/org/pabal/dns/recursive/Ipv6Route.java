package org.pabal.dns.recursive;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.concurrent.TimeUnit;

/// Whether there is a way to a server's address.
///
/// A machine without IPv6 would ask half of all servers in vain; whether it has any is seen from
/// the addresses of its interfaces, looked at once a minute.
final class Ipv6Route {

    private static final long LOOKED_EVERY = TimeUnit.MINUTES.toNanos(1);

    private final UpstreamSettings.Ipv6 setting;

    private record Seen(boolean global, long at) {}

    private volatile Seen seen;

    Ipv6Route(UpstreamSettings.Ipv6 setting) {
        this.setting = setting;
        this.seen = look();
    }

    boolean leadsTo(InetAddress server) {
        if (!(server instanceof Inet6Address)) {
            return true;
        }
        return switch (setting) {
            case YES -> true;
            case NO -> false;
            case AUTO -> !global(server) || haveGlobal();
        };
    }

    private boolean haveGlobal() {
        Seen now = seen;
        if (System.nanoTime() - now.at > LOOKED_EVERY) {
            now = look();
            seen = now;
        }
        return now.global;
    }

    private static Seen look() {
        boolean global = false;
        try {
            global =
                    NetworkInterface.networkInterfaces()
                            .flatMap(NetworkInterface::inetAddresses)
                            .anyMatch(Ipv6Route::global);
        } catch (SocketException e) {
            // no interfaces, no route
        }
        return new Seen(global, System.nanoTime());
    }

    /// 2000::/3, RFC 4291 §2.5.4. Others are local and need no route to the world.
    private static boolean global(InetAddress address) {
        return address instanceof Inet6Address && (address.getAddress()[0] & 0xE0) == 0x20;
    }
}
