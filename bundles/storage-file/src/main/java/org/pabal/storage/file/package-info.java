/// Queue, mailboxes, zones and accounts in plain files that other programs can read: the embedded
/// default of the house.
///
/// For nodes that keep their data on their own disk; nobody imports this package, the services are
/// found by their contracts. Start at [FileStorage] for mail (then [Journal]), at [FileAccounts]
/// for accounts, at [FileZones] for zones.
package org.pabal.storage.file;
