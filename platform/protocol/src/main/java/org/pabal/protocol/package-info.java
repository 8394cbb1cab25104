/// How a protocol is plugged into a socket that it does not own.
///
/// For those who write a protocol bundle: register a [StreamProtocol] or a [DatagramProtocol] as an
/// OSGi service under the name that a listener asks for, and the transport brings the connections.
/// Start at [StreamProtocol].
///
/// This module is the smallest of the house and changes last: a new version of it refreshes every
/// protocol bundle and the transport with them, which is the one thing that the sockets do not
/// outlive.
@Export
@Version("1.0.0")
package org.pabal.protocol;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
