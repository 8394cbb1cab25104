package org.pabal.dns.server;

import org.xbill.DNS.Rcode;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// What was answered, counted since it was made.
public final class Statistics {

    // How a query came.
    public static final int UDP = 0;
    public static final int TCP = 1;
    public static final int TLS = 2;

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

    public Statistics() {}

    private static LongAdder[] adders(int count) {
        return IntStream.range(0, count).mapToObj(i -> new LongAdder()).toArray(LongAdder[]::new);
    }

    /// @param fast from prepared octets
    /// @param rcode with the upper half that EDNS has
    public void answered(int transport, boolean fast, int rcode, boolean cut) {
        answers[(fast ? FAST : 0) + transport * RCODES + (rcode & RCODES - 1)].increment();
        if (cut) {
            truncated.increment();
        }
    }

    /// @param verdict of [ServerCookies#check]
    public void cookie(int verdict) {
        if (verdict != ServerCookies.NONE) {
            cookies[verdict].increment();
        }
    }

    /// No query, or one that its responder drops.
    public void ignored() {
        ignored.increment();
    }

    public void dropped() {
        dropped.increment();
    }

    public void slipped() {
        slipped.increment();
    }

    public long answered(int rcode) {
        return sum(IntStream.range(0, answers.length).filter(i -> i % RCODES == rcode));
    }

    public long answeredOver(int transport) {
        return sum(IntStream.range(0, answers.length).filter(i -> i % FAST / RCODES == transport));
    }

    public long answeredFast() {
        return sum(IntStream.range(FAST, 2 * FAST));
    }

    public long answered() {
        return sum(IntStream.range(0, answers.length));
    }

    public long withheld() {
        return dropped.sum() + slipped.sum();
    }

    private long sum(IntStream which) {
        LongStream sums = which.mapToLong(i -> answers[i].sum());
        return sums.sum();
    }

    /// For the shell.
    public List<String> lines() {
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
