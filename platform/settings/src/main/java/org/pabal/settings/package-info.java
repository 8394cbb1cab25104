/// Reads a bundle's settings, and says what is wrong with them in one line.
///
/// For the doorway of every bundle: the values come from Configuration Admin, and an administrator
/// who mistyped one reads the same kind of sentence whichever bundle it was for. Start at
/// [Settings].
@Export
@Version("1.0.0")
package org.pabal.settings;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
