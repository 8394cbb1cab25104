/// Who has mail here: domains, accounts, aliases, and how somebody proves who they are.
///
/// For those who ask (smtp, pop3, imap, delivery) and for those who keep the answers (a store).
/// Start at [Directory]; a protocol that signs somebody in goes by [Sasl], so that every mechanism,
/// limit and delay is the same in all of them.
@Export
@Version("1.0.0")
package org.pabal.directory;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
