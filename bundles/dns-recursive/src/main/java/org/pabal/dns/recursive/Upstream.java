package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// Other name servers: asks one of them, and remembers how they behave.
interface Upstream {

    /// Asks one server one question and waits for its answer, as long as this server may be
    /// expected to take. By UDP, and by TCP when the answer is truncated or somebody seems to be
    /// guessing ids (security row D2); without EDNS when the server has none. Identical questions
    /// to one server that are in flight are sent once. Counts against the request's quota.
    ///
    /// @param zone for which the server is asked: that it says nothing of one that it does not
    ///     serve is no reason not to ask it of others
    /// @param recursive the server is to do the walk (RD)
    /// @throws IOException when there is no answer that could be used, or the quota is spent; its
    ///     message is one short line, e.g. `timed out after 376 ms`
    Reply ask(Server server, Name zone, Question question, boolean recursive, Request request)
            throws IOException;

    /// The same servers, the best to ask first: fast ones before slow ones, dead ones last, and
    /// sometimes another one so that it is known how fast it is.
    List<Server> order(Name zone, List<Server> servers);

    /// A server does not serve a zone that it should: it is asked last for some time.
    void lame(Server server, Name zone, Duration howLong);
}
