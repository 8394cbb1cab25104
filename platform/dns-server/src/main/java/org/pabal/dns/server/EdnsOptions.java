package org.pabal.dns.server;

import org.xbill.DNS.EDNSOption;

import java.util.List;
import java.util.Optional;

/// The options of a query that we know: the first of each kind, however many there are (security
/// row D15). Others are ignored, as RFC 6891 §6.1.2 asks.
///
/// @param cookie the data of COOKIE, of whatever length
/// @param nsid NSID was asked for
/// @param keepalive the length of the data of edns-tcp-keepalive, which should be 0
/// @param padding the query was padded
public record EdnsOptions(
        Optional<byte[]> cookie, boolean nsid, Optional<Integer> keepalive, boolean padding) {

    public static final EdnsOptions NONE =
            new EdnsOptions(Optional.empty(), false, Optional.empty(), false);

    public static final int NSID = EDNSOption.Code.NSID;
    public static final int COOKIE = EDNSOption.Code.COOKIE;
    public static final int KEEPALIVE = EDNSOption.Code.TCP_KEEPALIVE;
    public static final int PADDING = EDNSOption.Code.PADDING;

    /// Takes one more option.
    public EdnsOptions with(int code, byte[] data) {
        return switch (code) {
            case COOKIE ->
                    cookie.isPresent()
                            ? this // RFC 7873 §5.2: the first counts
                            : new EdnsOptions(Optional.of(data), nsid, keepalive, padding);
            case NSID -> new EdnsOptions(cookie, true, keepalive, padding);
            case KEEPALIVE ->
                    keepalive.isPresent()
                            ? this
                            : new EdnsOptions(cookie, nsid, Optional.of(data.length), padding);
            case PADDING -> new EdnsOptions(cookie, nsid, keepalive, true);
            default -> this;
        };
    }

    /// What our OPT record says in turn.
    ///
    /// @param options one each
    /// @param padded the answer is filled up to whole blocks
    /// @param known the client showed a cookie of ours, so its address is its own
    public record Answered(List<EDNSOption> options, boolean padded, boolean known) {

        public static final Answered NOTHING = new Answered(List.of(), false, false);

        public Answered {
            options = List.copyOf(options);
        }
    }
}
