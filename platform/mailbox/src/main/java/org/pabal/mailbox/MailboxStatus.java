package org.pabal.mailbox;

/// A mailbox in numbers.
///
/// @param uidValidity changes when uids are given anew (RFC 9051 §2.3.1.1); 1 to 2^32-1
/// @param uidNext greater than every uid that was ever given
/// @param messages how many
/// @param unseen how many without `\Seen`
/// @param octets their sizes in sum
/// @param highestModSeq the mod-sequence of the last change; at least 1
public record MailboxStatus(
        long uidValidity,
        long uidNext,
        int messages,
        int unseen,
        long octets,
        long highestModSeq) {}
