/// The local name server: finds answers elsewhere and remembers them.
///
/// For clients that want a name looked up, and for the rest of the house, which asks the `Resolver`
/// service. Start at `RecursiveServer` for the way of a query and at `Recursion` for that of a
/// question; a `Finding` is what travels between the rooms.
package org.pabal.dns.recursive;
