package org.pabal.dns.policy;

import org.pabal.dns.NameHash;
import org.pabal.dns.NameTable;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/// Many names that are blocked, and a few that are not: outside the heap, and without an object for
/// each.
final class BlockedNames {

    /// A name itself.
    static final int EXACT = 1;

    /// What is below a name.
    static final int BELOW = 2;

    /// A name and what is below it, which stay as they are whatever else is said of them.
    static final int ALLOWED = 4;

    private static final int MAX_LABELS = 127; // RFC 1035 §2.3.4: 255 octets

    private final NameTable table;

    private BlockedNames(NameTable table) {
        this.table = table;
    }

    /// How many names were told of, those that are allowed too.
    int size() {
        return table.size();
    }

    /// The entry that blocks a name: that name or one above it.
    Optional<Blocked> blocks(Name name) {
        byte[] wire = name.toWireCanonical();
        int end = wire.length - 1;
        int at = find(wire, end);
        return at < 0 ? Optional.empty() : Optional.of(new Blocked(wire, at));
    }

    /// What blocks a name.
    ///
    /// @param wire of the name
    /// @param from where the entry begins in it
    record Blocked(byte[] wire, int from) {

        String trigger() {
            try {
                Name name = new Name(Arrays.copyOfRange(wire, from, wire.length));
                return from == 0 ? name.toString() : "what is below " + name;
            } catch (IOException e) {
                throw new IllegalStateException("a part of a name is no name", e);
            }
        }
    }

    /// From the top down, because an allowed name counts wherever it is on the way.
    private int find(byte[] wire, int end) {
        int[] starts = new int[MAX_LABELS + 1];
        int labels = 0;
        for (int at = 0; at < end; at += 1 + (wire[at] & 0xFF)) {
            starts[labels++] = at;
        }
        int hash = 0; // of the root, which is a zero
        int below = end;
        int found = -1;
        for (int label = labels - 1; label >= 0; label--) {
            int start = starts[label];
            hash = NameHash.steps(hash, wire, start, below);
            below = start;
            int place = table.find(NameHash.finish(hash), wire, start, end);
            if (place == 0) {
                continue;
            }
            int flags = table.segment(place).get(NameTable.at(place) + 1);
            if ((flags & ALLOWED) != 0) {
                return -1;
            }
            if ((flags & (label == 0 ? EXACT : BELOW)) != 0) {
                found = start;
            }
        }
        return found;
    }

    /// Names that are being collected, by one thread.
    static final class Builder {

        private final NameTable.Edit edit;
        private final byte[] node = new byte[NameTable.NAME + 255];

        /// @param expected about how many names there will be
        Builder(int expected) {
            this.edit = NameTable.building(0, expected);
        }

        int size() {
            return edit.size();
        }

        /// @param wire in lower case, with or without its root
        /// @param flags e.g. [BlockedNames#EXACT]
        void add(byte[] wire, int length, int flags) {
            int end = length > 0 && wire[length - 1] == 0 ? length - 1 : length;
            int place = edit.find(wire, 0, end);
            if (place == 0) {
                node[0] = (byte) end;
                node[1] = (byte) flags;
                System.arraycopy(wire, 0, node, NameTable.NAME, end);
                edit.put(node, NameTable.NAME + end);
            } else {
                ByteBuffer segment = edit.segment(place);
                int at = NameTable.at(place) + 1;
                segment.put(at, (byte) (segment.get(at) | flags));
            }
        }

        void add(Name name, int flags) {
            byte[] wire = name.toWireCanonical();
            add(wire, wire.length, flags);
        }

        BlockedNames done() {
            return new BlockedNames(edit.done());
        }
    }
}
