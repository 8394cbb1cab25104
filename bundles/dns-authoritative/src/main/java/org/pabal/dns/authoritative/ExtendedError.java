package org.pabal.dns.authoritative;

import org.pabal.dns.server.Query;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;

import java.util.Optional;

/// Why there is no answer, in the words of RFC 8914 §4: for the person who reads it at the other
/// end. Texts are short, because they also go to addresses that somebody forged.
enum ExtendedError {
    NOT_READY(ExtendedErrorCodeOption.NOT_READY, "cannot be served now"),
    PROHIBITED(ExtendedErrorCodeOption.PROHIBITED, "not allowed"),
    NOT_AUTHORITATIVE(ExtendedErrorCodeOption.NOT_AUTHORITATIVE, "not our zone"),
    NOT_SUPPORTED(ExtendedErrorCodeOption.NOT_SUPPORTED, "");

    private final ExtendedErrorCodeOption option;

    ExtendedError(int code, String text) {
        option = new ExtendedErrorCodeOption(code, text);
    }

    ExtendedErrorCodeOption option() {
        return option;
    }

    /// The reason that belongs to an answer, if it has one.
    static Optional<ExtendedError> of(Query query, int rcode) {
        return switch (rcode) {
            case Rcode.SERVFAIL -> Optional.of(NOT_READY);
            case Rcode.NOTIMP -> Optional.of(NOT_SUPPORTED);
            case Rcode.REFUSED -> {
                boolean lookup =
                        query.opcode() == Opcode.QUERY
                                && query.question().isPresent()
                                && !query.transfer();
                if (lookup && query.question().get().getDClass() != DClass.IN) {
                    yield Optional.of(NOT_SUPPORTED);
                }
                yield Optional.of(lookup ? NOT_AUTHORITATIVE : PROHIBITED);
            }
            default -> Optional.empty();
        };
    }
}
