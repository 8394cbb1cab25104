package org.pabal.dns.recursive;

import org.pabal.dns.server.Statistics;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// What was answered and what was not, counted since the bundle started.
///
/// @param answers by transport, rcode and path: the fast one is that from the cache's octets
/// @param strangers refused because nobody allows them
/// @param limited refused because their network asks too much that has to be looked up
/// @param crowded told SERVFAIL because too many wait already
/// @param looked given to the recursor
/// @param bogus SERVFAIL because DNSSEC says so
/// @param stale answered with what is over
record ServiceStatistics(
        Statistics answers,
        LongAdder strangers,
        LongAdder limited,
        LongAdder crowded,
        LongAdder looked,
        LongAdder bogus,
        LongAdder stale) {

    ServiceStatistics(Statistics answers) {
        this(
                answers,
                new LongAdder(),
                new LongAdder(),
                new LongAdder(),
                new LongAdder(),
                new LongAdder(),
                new LongAdder());
    }

    /// For the shell.
    List<String> lines() {
        List<String> lines = new ArrayList<>(answers.lines());
        lines.add("given to the recursor " + looked.sum());
        lines.add("bogus " + bogus.sum());
        lines.add("stale " + stale.sum());
        lines.add("refused: not allowed " + strangers.sum());
        lines.add("refused: too many misses " + limited.sum());
        lines.add("refused: too many wait " + crowded.sum());
        return lines;
    }
}
