package org.pabal.dns.authoritative;

import org.pabal.dns.server.ServerCookies;
import org.xbill.DNS.Rcode;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// What was answered, counted since the bundle started.
final class Statistics {

    // How a query came.
    static final int UDP = 0;
    static final int TCP = 1;
    static final int TLS = 2;

    private static final String[] TRANSPORTS = {"udp", "tcp", "tls"};
    private static final String[] COOKIES = {
        "none", "malformed", "client only", "bad", "ageing", "good"
    };
    private static final int RCODES = 32;
    private static final int FAST = TRANSPORTS.length * RCODES;

    /// By path, transport and rcode.
    private final LongAdder[] answers = adders(2 * FAST);

    private final LongAdder[] cookies = adders(COOKIES.length);
    private final LongAdder truncated = new LongAdder();
    private final LongAdder ignored = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final LongAdder slipped = new LongAdder();

    private static LongAdder[] adders(int count) {
        return IntStream.range(0, count).mapToObj(i -> new LongAdder()).toArray(LongAdder[]::new);
    }

    /// @param fast from prepared octets
    /// @param rcode with the upper half that EDNS has
    void answered(int transport, boolean fast, int rcode, boolean cut) {
        answers[(fast ? FAST : 0) + transport * RCODES + (rcode & RCODES - 1)].increment();
        if (cut) {
            truncated.increment();
        }
    }

    /// @param verdict of [ServerCookies#check]
    void cookie(int verdict) {
        if (verdict != ServerCookies.NONE) {
            cookies[verdict].increment();
        }
    }

    /// No query, or one that its responder drops.
    void ignored() {
        ignored.increment();
    }

    void dropped() {
        dropped.increment();
    }

    void slipped() {
        slipped.increment();
    }

    long answered(int rcode) {
        return sum(IntStream.range(0, answers.length).filter(i -> i % RCODES == rcode));
    }

    long answeredOver(int transport) {
        return sum(IntStream.range(0, answers.length).filter(i -> i % FAST / RCODES == transport));
    }

    long answeredFast() {
        return sum(IntStream.range(FAST, 2 * FAST));
    }

    long answered() {
        return sum(IntStream.range(0, answers.length));
    }

    long withheld() {
        return dropped.sum() + slipped.sum();
    }

    private long sum(IntStream which) {
        LongStream sums = which.mapToLong(i -> answers[i].sum());
        return sums.sum();
    }

    /// For the shell.
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("answered " + answered());
        for (int i = 0; i < TRANSPORTS.length; i++) {
            lines.add("answered over " + TRANSPORTS[i] + " " + answeredOver(i));
        }
        lines.add("answered from prepared octets " + answeredFast());
        for (int rcode = 0; rcode < RCODES; rcode++) {
            long count = answered(rcode);
            if (count > 0) {
                lines.add("answered " + Rcode.string(rcode) + " " + count);
            }
        }
        lines.add("truncated " + truncated.sum());
        lines.add("ignored " + ignored.sum());
        lines.add("rate limit: dropped " + dropped.sum());
        lines.add("rate limit: slipped " + slipped.sum());
        for (int i = 1; i < COOKIES.length; i++) {
            lines.add("cookies " + COOKIES[i] + " " + cookies[i].sum());
        }
        return lines;
    }
}
