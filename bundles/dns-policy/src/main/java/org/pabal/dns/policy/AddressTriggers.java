package org.pabal.dns.policy;

import org.xbill.DNS.Name;

import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// The names of a policy zone that stand for networks, to be found by an address of them.
///
/// @param names of each network
/// @param lengths of all of them, the longest first, since the smallest network counts
record AddressTriggers(Map<TriggerNetwork, Name> names, int[] lengths) {

    static final AddressTriggers NONE = new AddressTriggers(Map.of(), new int[0]);

    /// The trigger with the longest prefix.
    Optional<Map.Entry<TriggerNetwork, Name>> find(InetAddress address) {
        for (int length : lengths) {
            TriggerNetwork network = TriggerNetwork.of(address, length);
            Name name = names.get(network);
            if (name != null) {
                return Optional.of(Map.entry(network, name));
            }
        }
        return Optional.empty();
    }

    boolean isEmpty() {
        return names.isEmpty();
    }

    /// The next version.
    ///
    /// @param changed names that may have come or gone
    /// @param labelsBehind how many labels of each follow the network
    /// @param there whether a name has records now
    AddressTriggers with(Collection<Name> changed, int labelsBehind, Predicate<Name> there) {
        if (changed.isEmpty()) {
            return this;
        }
        Map<TriggerNetwork, Name> next = new HashMap<>(names);
        for (Name name : changed) {
            TriggerNetwork.parse(name, name.labels() - labelsBehind)
                    .ifPresent(
                            network -> {
                                if (there.test(name)) {
                                    next.put(network, name);
                                } else {
                                    next.remove(network, name);
                                }
                            });
        }
        int[] lengths =
                next.keySet().stream()
                        .mapToInt(network -> -network.length())
                        .distinct()
                        .sorted()
                        .map(length -> -length)
                        .toArray();
        return new AddressTriggers(Map.copyOf(next), lengths);
    }
}
