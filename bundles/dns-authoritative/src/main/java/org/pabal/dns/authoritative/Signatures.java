package org.pabal.dns.authoritative;

import org.pabal.dns.server.Query;
import org.pabal.dns.server.SparingLog;
import org.pabal.protocol.Peer;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// Proves who sent a request that carries a TSIG, and has its answers signed (RFC 8945).
final class Signatures {

    private final Supplier<Administration> administration;
    private final InstantSource clock;
    private final SparingLog log;

    /// @param administration the keys of the moment
    Signatures(Supplier<Administration> administration, InstantSource clock, SparingLog log) {
        this.administration = administration;
        this.clock = clock;
        this.log = log;
    }

    /// Checks in the order of RFC 8945 §5.2: the key, the MAC, the time, the length of the MAC.
    Signature of(Query query, byte[] octets, Peer from) {
        if (!query.tsig()) {
            return Signature.NONE;
        }
        Message message;
        try {
            message = new Message(octets);
        } catch (IOException | RuntimeException e) {
            return Signature.malformed();
        }
        TSIGRecord tsig = message.getTSIG();
        // §4.2 fixes class and TTL. A count that dnsjava read otherwise than we did, say no to.
        if (tsig == null || tsig.getDClass() != DClass.ANY || tsig.getTTL() != 0) {
            return Signature.malformed();
        }
        Optional<TsigKey> known =
                administration
                        .get()
                        .key(tsig.getName())
                        .filter(key -> key.algorithm().name().equals(tsig.getAlgorithm()));
        if (known.isEmpty()) {
            return refused(Signature.unsigned(tsig, Rcode.BADKEY), tsig, from);
        }
        int whole = known.get().algorithm().macOctets();
        int length = tsig.getSignature().length;
        if (length > whole || length < Math.max(10, whole / 2)) {
            return Signature.malformed(); // §5.2.2.1
        }
        TSIG key = known.get().tsig(clock);
        int fault = key.verify(message, octets, null); // compares in constant time
        Duration age = Duration.between(tsig.getTimeSigned(), clock.instant()).abs();
        if (fault == Rcode.NOERROR && age.compareTo(TSIG.FUDGE) > 0) {
            fault = Rcode.BADTIME; // §10: a client that asks for more than 300 s gets no more
        }
        if (fault == Rcode.NOERROR && length < whole) {
            fault = Rcode.BADTRUNC; // §5.2.4: we ask for all of it (security row D21)
        }
        return switch (fault) {
            case Rcode.NOERROR -> Signature.good(key, known.get().name(), tsig);
            case Rcode.BADTIME, Rcode.BADTRUNC ->
                    refused(Signature.refused(key, tsig, fault), tsig, from);
            default -> refused(Signature.unsigned(tsig, fault), tsig, from);
        };
    }

    /// §5.2: the server should say so in its log.
    private Signature refused(Signature signature, TSIGRecord tsig, Peer from) {
        log.say(
                "dns: a request from "
                        + from.address().getAddress().getHostAddress()
                        + " signed with key "
                        + tsig.getName()
                        + " ("
                        + tsig.getAlgorithm().toString(true).toLowerCase(Locale.ROOT)
                        + ") is refused: "
                        + Rcode.TSIGstring(signature.error())
                        + reason(signature.error()));
        return signature;
    }

    private static String reason(int error) {
        return switch (error) {
            case Rcode.BADKEY -> ", no such key with this algorithm in etc/org.pabal.tsig~*.cfg";
            case Rcode.BADTIME -> ", the clocks differ, or it was sent again later";
            case Rcode.BADTRUNC -> ", its signature is cut short";
            default -> ", another secret made the signature";
        };
    }
}
