package org.pabal.dns.recursive;

/// Why an answer is not what was hoped for, RFC 8914: for the person at the other end, and for the
/// trace.
///
/// @param code an INFO-CODE, as in [org.xbill.DNS.ExtendedErrorCodeOption]
/// @param text one short line, e.g. `example.org. DNSKEY: no key matches the DS`
record Reason(int code, String text) {}
