package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The servers of one zone, one after the other, for one question at a time: those whose addresses
/// are known first, and then, only when none of them helps, those that have to be looked up. So a
/// referral costs what it needs and not what it names (security rows D6, D7).
///
/// What the parent says comes first. When all of that fails, the last resort is what the parent
/// says of the same server elsewhere, and what the child says of itself: the two often differ.
final class NameServers {

    /// Names whose addresses are looked up for one zone (security row D6).
    static final int MAX_LOOKUPS = 5;

    /// How often a server is asked that says nothing: datagrams get lost.
    private static final int ROUNDS = 3;

    /// Finds addresses.
    interface Addresses {

        /// Those that are remembered.
        Collection<InetAddress> known(Name server);

        /// Those that are hints of a referral to a zone that the server is in.
        Collection<InetAddress> glue(Name server);

        /// Asks others for them, if that may be.
        Collection<InetAddress> look(Name server, int type, Errand errand);

        /// Who serves the zone, as it says itself.
        List<Name> child(Name zone);

        /// Whether such a server may be asked.
        boolean mayAsk(InetAddress address);
    }

    private enum Stage {
        REMEMBERED,
        LOOKED_UP,
        OTHER_SIDE,
        HINTS,
        DOUBTED,
        AGAIN,
        END
    }

    private final Name zone;
    private final Delegation delegation;
    private final Addresses addresses;
    private final Upstream upstream;
    private final WalkSettings settings;
    private final Errand errand;

    private final Set<InetSocketAddress> seen = new HashSet<>();
    private final Set<Name> looked = new HashSet<>();
    private final Deque<Server> ready = new ArrayDeque<>();
    private final Set<Server> good = new LinkedHashSet<>();
    private final Set<Server> silent = new LinkedHashSet<>();
    private final List<Server> doubted = new ArrayList<>();
    private final Deque<Name> names = new ArrayDeque<>();
    private Stage stage = Stage.REMEMBERED;
    private int lookups = MAX_LOOKUPS;
    private int round = 1;

    NameServers(
            Delegation delegation,
            Addresses addresses,
            Upstream upstream,
            WalkSettings settings,
            Errand errand) {
        this.zone = delegation.zone();
        this.delegation = delegation;
        this.addresses = addresses;
        this.upstream = upstream;
        this.settings = settings;
        this.errand = errand;
    }

    /// Servers that an administrator named: there are no others, and nothing has to be looked up.
    NameServers(
            Delegation named,
            List<Server> servers,
            Addresses addresses,
            Upstream upstream,
            WalkSettings settings,
            Errand errand) {
        this(named, addresses, upstream, settings, errand);
        stage = Stage.DOUBTED;
        add(servers);
    }

    Delegation delegation() {
        return delegation;
    }

    /// The next one to ask, which may take looking it up; empty when there is nobody left.
    Optional<Server> next() {
        while (ready.isEmpty()) {
            if (stage == Stage.END || errand.request().quota().spent()) {
                return Optional.empty();
            }
            more();
        }
        return Optional.of(ready.poll());
    }

    /// It has said something useful, and may be asked another question.
    void good(Server server) {
        good.add(server);
        silent.remove(server);
    }

    /// It has said nothing.
    void silent(Server server) {
        good.remove(server);
        silent.add(server);
    }

    /// What it said is of no use. It is not asked again.
    void bad(Server server) {
        good.remove(server);
        silent.remove(server);
    }

    /// From here on it is about another question: who was good may be asked again.
    void again() {
        List<Server> known = new ArrayList<>(good);
        ready.removeAll(known);
        known.addAll(ready);
        ready.clear();
        ready.addAll(known);
        if (stage == Stage.END) {
            stage = Stage.AGAIN;
        }
    }

    private void more() {
        switch (stage) {
            case REMEMBERED -> {
                remembered();
                names.addAll(glueless());
                stage = Stage.LOOKED_UP;
            }
            case LOOKED_UP -> {
                if (!lookUp()) {
                    otherSide();
                    stage = Stage.OTHER_SIDE;
                }
            }
            case OTHER_SIDE -> {
                if (!lookUp()) {
                    stage = Stage.HINTS;
                }
            }
            case HINTS -> {
                List<Server> servers = new ArrayList<>();
                for (Name name : everybody()) {
                    addresses.glue(name).forEach(address -> servers.add(server(name, address)));
                }
                add(servers);
                stage = Stage.DOUBTED;
            }
            case DOUBTED -> {
                ready.addAll(doubted);
                doubted.clear();
                stage = Stage.AGAIN;
            }
            case AGAIN -> {
                if (round++ < ROUNDS && !silent.isEmpty()) {
                    ready.addAll(upstream.order(zone, List.copyOf(silent)));
                } else {
                    stage = Stage.END;
                }
            }
            case END -> throw new IllegalStateException("name servers of " + zone + ": no more");
        }
    }

    private void remembered() {
        List<Server> servers = new ArrayList<>();
        for (RRset set : delegation.glue()) {
            set.rrs(false)
                    .forEach(
                            record ->
                                    servers.add(server(set.getName(), RootHints.address(record))));
        }
        for (Name name : glueless()) {
            addresses.known(name).forEach(address -> servers.add(server(name, address)));
        }
        add(servers);
    }

    /// Those without an address, in any order: who always takes the first has nothing to choose
    /// from when it dies.
    private List<Name> glueless() {
        Set<Name> glued = glued();
        List<Name> names =
                new ArrayList<>(
                        RootHints.names(delegation.ns()).stream()
                                .filter(name -> !glued.contains(name))
                                .toList());
        Collections.shuffle(names);
        return names;
    }

    private Set<Name> glued() {
        Set<Name> names = new HashSet<>();
        delegation.glue().forEach(set -> names.add(set.getName()));
        return names;
    }

    /// Looks one name up, or says that there is none left that may be.
    private boolean lookUp() {
        while (!names.isEmpty() && lookups > 0) {
            Name name = names.poll();
            // the way to a server inside of the zone leads through the zone
            if (name.subdomain(zone) || !looked.add(name)) {
                continue;
            }
            List<Server> found = new ArrayList<>();
            addresses.known(name).forEach(address -> found.add(server(name, address)));
            if (found.isEmpty()) {
                lookups--;
                addresses
                        .look(name, Type.A, errand)
                        .forEach(address -> found.add(server(name, address)));
                if (settings.ipv6()) {
                    addresses
                            .look(name, Type.AAAA, errand)
                            .forEach(address -> found.add(server(name, address)));
                }
            }
            if (add(found)) {
                return true;
            }
        }
        return false;
    }

    /// What is not in this delegation, and may be true nevertheless: who the child says serves it,
    /// and what the servers' own zones say of their addresses.
    private void otherSide() {
        List<Server> servers = new ArrayList<>();
        names.clear();
        for (Name name : everybody()) {
            addresses.known(name).forEach(address -> servers.add(server(name, address)));
            names.add(name);
        }
        add(servers);
    }

    private Set<Name> everybody() {
        Set<Name> all = new LinkedHashSet<>(RootHints.names(delegation.ns()));
        all.addAll(addresses.child(zone));
        return all;
    }

    private Server server(Name name, InetAddress address) {
        return new Server(name, new InetSocketAddress(address, settings.port()));
    }

    /// @return whether there is one more to ask
    private boolean add(List<Server> servers) {
        List<Server> fresh = new ArrayList<>();
        for (Server server : servers) {
            boolean allowed =
                    stage == Stage.DOUBTED || addresses.mayAsk(server.address().getAddress());
            if (allowed && seen.add(server.address())) {
                (errand.doubts(server) ? doubted : fresh).add(server);
            }
        }
        ready.addAll(upstream.order(zone, fresh));
        return !fresh.isEmpty();
    }
}
