package org.pabal.dns.recursive;

/// Says where the answer to a question is to be found.
interface Routes {

    /// Everything by the walk from the root.
    Routes FROM_THE_ROOT = question -> new Route.Walk();

    Route route(Question question);
}
