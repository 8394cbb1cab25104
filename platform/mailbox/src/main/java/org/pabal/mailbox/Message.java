package org.pabal.mailbox;

import java.time.Instant;
import java.util.Set;

/// One message in a mailbox, without its octets.
///
/// @param uid 1 to 2^32-1
/// @param id never changes and is never given again in this mailbox, also when uids are given anew:
///     printable ASCII without space, at most 70 characters, fit for POP3 UIDL (RFC 1939 §7)
/// @param flags system flags as `\Seen` and keywords
/// @param received internal date
/// @param octets size of the content, exactly
/// @param modSeq of its last change
public record Message(
        long uid, String id, Set<String> flags, Instant received, long octets, long modSeq) {

    public Message {
        flags = Set.copyOf(flags);
    }
}
