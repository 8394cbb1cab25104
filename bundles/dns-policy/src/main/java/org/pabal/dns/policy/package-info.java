/// What clients of the local name server are told in place of what there is: response policy zones
/// and block lists.
///
/// For administrators who keep their people from harm. Start at `RunningPolicy`; `PolicyZone` and
/// `BlockList` are the two kinds of rules that it applies, and `ConfiguredPolicy` is the doorway.
package org.pabal.dns.policy;
