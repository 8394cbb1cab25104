/// DNSSEC: what has to be in a zone of ours that is signed, when its keys change, and whether what
/// others have signed is so.
///
/// For those who keep zones signed, and those who validate. Nothing here has a thread, a file or a
/// clock; start at [ZoneSigning] for records, at [KeyRollover] for keys, and for validation at
/// [ZoneKeys], with [KeyTrust] for the step from zone to zone and [DenialProof] for what is not.
@Export
@Version("1.0.0")
package org.pabal.dnssec;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
