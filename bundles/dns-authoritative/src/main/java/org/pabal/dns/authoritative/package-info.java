/// Answers DNS queries from the zones that we are the authority for.
///
/// For administrators who serve names and for whoever plugs a [org.pabal.dns.Responder] into the
/// node. Start at [org.pabal.dns.authoritative.AuthoritativeServer], read
/// [org.pabal.dns.authoritative.ZoneLookup] for what is answered, and
/// [org.pabal.dns.authoritative.WireLookup] for how the ordinary query is answered without an
/// object.
package org.pabal.dns.authoritative;
