/// What a server of names does with strangers, authoritative or not: reads their queries, tells by
/// cookies whose address is not forged, limits what is sent to those whose address may be.
///
/// For bundles that answer queries. Nothing here has a thread or a socket, and the clock is the
/// bundle's; start at [Edges] for what both ways of a query share, at [Query], [EdnsAnswering] and
/// [Writing] for the readable one, and at [PlainQuery] for the fast one.
@Export
@Version("1.0.0")
package org.pabal.dns.server;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
