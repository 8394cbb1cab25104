package org.pabal.mailbox;

import java.util.List;

/// What has changed in a mailbox.
///
/// @param modSeq up to which mod-sequence this tells: ask with it next time
/// @param changed messages added or with other flags, in uid order
/// @param vanished uids of expunged messages (RFC 7162 §3.2.10)
/// @param refused uids that a conditional change left alone (RFC 7162 §3.1.3 MODIFIED)
public record Changes(long modSeq, List<Message> changed, UidSet vanished, UidSet refused) {

    public Changes {
        changed = List.copyOf(changed);
    }

    public boolean isEmpty() {
        return changed.isEmpty() && vanished.isEmpty() && refused.isEmpty();
    }
}
