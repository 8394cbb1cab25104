package org.pabal.dns.recursive;

import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// One question on the way to answering a client's, and the question for which it is asked: so that
/// nobody waits for himself, and so that all of them together have one limit (security rows D7,
/// D9). Of one thread.
final class Errand {

    /// Addresses of name servers that are looked up for one request, all referrals together:
    /// zones that are served from each other would else cost as many as there are ways among them
    /// (row D9).
    static final int LOOKUPS = 32;

    private final Question question;
    private final Optional<Errand> purpose;
    private final Request request;
    private final Tally tally;
    private final boolean first;
    private final boolean pending;
    private boolean entangled;

    /// What all errands of a request share.
    private static final class Tally {
        private int lookups = LOOKUPS;
        private final Set<InetSocketAddress> heard = new HashSet<>();
        private final Set<InetSocketAddress> doubted = new HashSet<>();
    }

    private Errand(
            Question question,
            Optional<Errand> purpose,
            Request request,
            Tally tally,
            boolean first,
            boolean pending) {
        this.question = question;
        this.purpose = purpose;
        this.request = request;
        this.tally = tally;
        this.first = first;
        this.pending = pending;
    }

    /// The client's own question.
    Errand(Question question, Request request) {
        this(question, Optional.empty(), request, new Tally(), true, true);
    }

    /// Another question for the same client, which this one needs.
    Errand needing(Question other) {
        return new Errand(other, Optional.of(this), request.inner(), tally, false, true);
    }

    /// The next question of the same client, when the first name is an alias.
    Errand towards(Question next) {
        return new Errand(next, purpose, request, tally, false, true);
    }

    /// The same when its question has been answered, and it is looked at whether that is true:
    /// what is needed for that does not wait for it.
    Errand settled() {
        return new Errand(question, purpose, request, tally, first, false);
    }

    Question question() {
        return question;
    }

    Request request() {
        return request;
    }

    /// Whether a question is being asked already, here or in what this is for: who finds that
    /// cannot wait for it.
    boolean circles(Question other) {
        for (Optional<Errand> at = Optional.of(this); at.isPresent(); at = at.get().purpose) {
            if (at.get().pending && at.get().question.equals(other)) {
                entangle(at);
                return true;
            }
        }
        return false;
    }

    /// That it fails says nothing of the question alone: it fails because of what it is for.
    void entangle() {
        entangle(Optional.empty());
    }

    /// From here up, but not the one that runs in a circle by itself.
    private void entangle(Optional<Errand> circle) {
        Optional<Errand> at = Optional.of(this);
        while (at.isPresent() && !at.equals(circle)) {
            at.get().entangled = true;
            at = at.get().purpose;
        }
    }

    /// Whether a failure of this may be remembered for others. Who asks for a name that costs too
    /// much hears so of that name; the names that it is an alias of, or that are served by the same
    /// servers, are not to blame (security row D7).
    boolean failureIsItsOwn() {
        return first || !entangled && !request.quota().exceeded();
    }

    /// Whether one more address of a name server may be looked up.
    boolean lookup() {
        boolean may = tally.lookups-- > 0;
        if (!may) {
            entangle();
        }
        return may;
    }

    /// A server has said something that was used.
    void heard(Server server) {
        tally.heard.add(server.address());
    }

    /// What was heard so far does not fit together: all of its sources are asked last from now
    /// on.
    ///
    /// @return whether there is a source that was not doubted before
    boolean doubt() {
        return tally.doubted.addAll(tally.heard);
    }

    boolean doubts(Server server) {
        return tally.doubted.contains(server.address());
    }
}
