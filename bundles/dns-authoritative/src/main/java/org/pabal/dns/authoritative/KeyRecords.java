package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.KEYRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SIG0;
import org.xbill.DNS.SIGRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/// Proves who signed an update with a private key whose public half is a KEY record of the zone:
/// SIG(0), RFC 2931 and RFC 3007.
final class KeyRecords {

    /// A signature that is good for longer could be sent again for longer.
    private static final Duration LONGEST = Duration.ofMinutes(10);

    /// More keys of one name and key tag than this are not tried (security row D8).
    private static final int MAX_TRIES = 4;

    private final InstantSource clock;

    /// Public keys cost a stranger little and us much: one processor and no more.
    private final ReentrantLock turn = new ReentrantLock();

    KeyRecords(InstantSource clock) {
        this.clock = clock;
    }

    /// Whose key signed it; empty when it is not signed, or not well.
    ///
    /// @param known whose signatures are looked at
    Optional<Name> signer(Zone zone, byte[] octets, Predicate<Name> known) {
        Message message;
        try {
            message = new Message(octets);
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
        List<Record> additional = message.getSection(Section.ADDITIONAL);
        // RFC 2931 §3.1: the last record, and the only one of its kind; what stands behind it is
        // not signed.
        if (additional.isEmpty()
                || additional.stream().filter(each -> each instanceof SIGRecord).count() != 1
                || !(additional.getLast() instanceof SIGRecord signature)
                || signature.getTypeCovered() != 0
                || !known.test(signature.getSigner())
                || !recent(signature)) {
            return Optional.empty();
        }
        List<KEYRecord> keys =
                zone.records(signature.getSigner(), Type.KEY).stream()
                        .map(RRset::rrs)
                        .flatMap(List::stream)
                        .filter(key -> key instanceof KEYRecord)
                        .map(key -> (KEYRecord) key)
                        .filter(key -> key.getFootprint() == signature.getFootprint())
                        .filter(KeyRecords::forSignatures)
                        .limit(MAX_TRIES)
                        .toList();
        return keys.stream().anyMatch(key -> verified(message, octets, key))
                ? Optional.of(signature.getSigner())
                : Optional.empty();
    }

    private boolean recent(SIGRecord signature) {
        Instant now = clock.instant();
        return signature.getExpire().isBefore(now.plus(LONGEST))
                && signature.getTimeSigned().isAfter(now.minus(LONGEST));
    }

    /// Both high bits of the flags say that there is no key; protocol 3 is DNSSEC.
    private static boolean forSignatures(KEYRecord key) {
        return (key.getFlags() & 0xC000) != 0xC000 && key.getProtocol() == 3;
    }

    private boolean verified(Message message, byte[] octets, KEYRecord key) {
        turn.lock();
        try {
            SIG0.verifyMessage(message, octets, key, null, clock.instant());
            return true;
        } catch (DNSSEC.DNSSECException | RuntimeException e) {
            return false;
        } finally {
            turn.unlock();
        }
    }
}
