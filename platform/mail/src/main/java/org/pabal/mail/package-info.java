/// Mail on its way: envelope, content, queue, courier, policy.
///
/// For those who receive mail, keep it, carry it on or decide whether it may come in. Start at
/// [MailQueue], where mail is between the moment we answered for it and the moment a [Courier] has
/// brought it home.
@Export
@Version("1.1.0")
package org.pabal.mail;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
