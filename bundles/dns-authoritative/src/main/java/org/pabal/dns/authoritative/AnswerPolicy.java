package org.pabal.dns.authoritative;

import org.xbill.DNS.Name;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/// How a zone is answered, beyond what it has: can be replaced at any time without laying the zone
/// out again.
final class AnswerPolicy {

    static final AnswerPolicy PLAIN = new AnswerPolicy(AddressOrder.CYCLIC, Map.of());

    private final AddressOrder order;
    private final Map<Name, Set<Integer>> withheld;

    /// The names that are withheld in lower-case wire form, an open hash table at most half full;
    /// empty when there are none.
    private final byte[][] names;

    /// @param withheld names and types of sets that we keep and cannot vouch for now
    AnswerPolicy(AddressOrder order, Map<Name, Set<Integer>> withheld) {
        this.order = order;
        this.withheld = Map.copyOf(withheld);
        names = new byte[withheld.isEmpty() ? 0 : Integer.highestOneBit(withheld.size()) << 2][];
        for (Name name : withheld.keySet()) {
            byte[] wire = name.toWireCanonical();
            int slot = WireName.hash(wire) & names.length - 1;
            while (names[slot] != null) {
                slot = slot + 1 & names.length - 1;
            }
            names[slot] = wire;
        }
    }

    AddressOrder order() {
        return order;
    }

    boolean withholds(Name name, int type) {
        return withheld.getOrDefault(name, Set.of()).contains(type);
    }

    /// Whether anything is withheld at a name in lower-case wire form.
    boolean withholds(int hash, byte[] name, int from, int to) {
        if (names.length == 0) {
            return false;
        }
        int mask = names.length - 1;
        for (int slot = hash & mask; names[slot] != null; slot = slot + 1 & mask) {
            if (Arrays.equals(names[slot], 0, names[slot].length, name, from, to)) {
                return true;
            }
        }
        return false;
    }
}
