/// What tests of a bundle stand on: contract tests, the dialogue player, stores in memory, a canned
/// resolver.
///
/// For those who write a store or a protocol, in this house or outside it. A store extends the
/// contract test of its interface and has to pass it; a protocol is played against its dialogues
/// (plain text, `C:` and `S:` lines).
@Export
@Version("1.0.0")
package org.pabal.testkit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
