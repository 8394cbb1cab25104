package org.pabal.dns.recursive;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// The state of one client's request (RFC 1034 §5.3.2), shared by everything that is looked up for
/// it: addresses of name servers, keys, targets of aliases.
///
/// @param wish what the client, or we, want beside the answer
/// @param quota what all of it may cost
/// @param trace hears of every step
record Request(Wish wish, Quota quota, Trace trace) {

    /// @param checkingDisabled the client checks himself and wants what is bogus too (CD, RFC 4035
    ///     §3.2.2)
    /// @param refresh what the cache has is not good enough: it is fetched again, and kept
    record Wish(boolean checkingDisabled, boolean refresh) {

        static final Wish NOTHING = new Wish(false, false);
        static final Wish CHECKING_DISABLED = new Wish(true, false);
        static final Wish REFRESH = new Wish(false, true);
    }

    /// Hears of every step. Called by one thread at a time.
    interface Trace extends Consumer<Step> {

        Trace NONE = step -> {};

        /// For a person: keeps all steps, in order.
        final class Kept implements Trace {

            private final List<Step> steps = new CopyOnWriteArrayList<>();

            @Override
            public void accept(Step step) {
                steps.add(step);
            }

            List<Step> steps() {
                return List.copyOf(steps);
            }
        }
    }

    static Request of(Wish wish, Trace trace) {
        return new Request(wish, new Quota(), trace);
    }

    /// For something that is looked up for the same request, and not for the client itself: it is
    /// always checked and the cache is good enough. The quota is the same (security row D7).
    Request inner() {
        return new Request(Wish.NOTHING, quota, trace);
    }
}
