/// What clients of the local name server are told in place of what there is: response policy zones
/// and block lists.
///
/// For administrators who keep their people from harm. Start at `PolicyZones`.
package org.pabal.dns.policy;
