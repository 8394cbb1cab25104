/// Names: the zones that we are the authority for, and what others say.
///
/// For those who keep zones, answer queries or need an answer; the words for names, records and
/// messages are dnsjava's. Start at [ZoneStore] for our own names and at [Resolver] for everybody
/// else's.
@Export
@Version("1.0.0")
package org.pabal.dns;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
