/// DNSSEC for zones of our own: what has to be in a zone that is signed, and when its keys change.
///
/// For those who keep zones signed. Nothing here has a thread, a file or a clock; start at
/// [ZoneSigning] for records and at [KeyRollover] for keys.
@Export
@Version("1.0.0")
package org.pabal.dnssec;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
