package org.pabal.dns.recursive;

import java.util.function.Consumer;
import java.util.function.IntPredicate;

/// By whom a client is served: views give different clients different ones (security row D28: what
/// one view knows is not told in another).
///
/// @param recursor answers its questions as the policies want it
/// @param cache that of the recursor: what is told without asking anybody
/// @param routes where answers are found that are not there
/// @param made types whose answers may differ from what the cache has
/// @param refresh told what is asked for and nearly over; does not wait
record Serving(
        PolicedRecursor recursor,
        RecordCache cache,
        Routes routes,
        IntPredicate made,
        Consumer<Question> refresh) {}
