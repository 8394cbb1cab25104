package org.pabal.dns.recursive;

import org.pabal.dns.Authority;
import org.xbill.DNS.Name;

import java.util.List;

/// Where the answer to a question is to be found.
sealed interface Route {

    /// The highest name that who answers may speak of: what the public tree says of the names above
    /// says nothing of what an administrator has put elsewhere.
    default Name top() {
        return switch (this) {
            case Walk walk -> Name.root;
            case Forward forward -> forward.zone();
            case Stub stub -> stub.zone();
            case Own own -> own.zone();
            case Local local -> local.finding().question().name();
        };
    }

    /// By iterated queries, from the nearest delegation that is known, or from the root.
    record Walk() implements Route {}

    /// By recursive queries to other resolvers.
    ///
    /// @param zone at and below which these are asked
    record Forward(Name zone, List<Server> servers) implements Route {
        public Forward {
            servers = List.copyOf(servers);
        }
    }

    /// By iterated queries that begin at these servers of a zone, whatever its parent says.
    record Stub(Name zone, List<Server> servers) implements Route {
        public Stub {
            servers = List.copyOf(servers);
        }
    }

    /// From a zone of this node.
    record Own(Authority authority, Name zone) implements Route {}

    /// The administrator has said it, in a hosts file or in local data: neither cached nor
    /// validated.
    record Local(Finding finding) implements Route {}
}
