/// The commands that belong to no other bundle (node, domain, account, alias, mailbox), and the
/// door through which `pabal shell` reaches the commands of all bundles.
///
/// For an administrator on the same machine; there is no way in from the network. Start at
/// [ShellDoor].
package org.pabal.shell;
