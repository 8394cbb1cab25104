package org.pabal.dns.recursive;

import org.pabal.dns.server.SipHash;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Remembers something by octets, in a room that does not grow: what was used longest ago is
/// forgotten for what is new (security row D30). For many threads at once.
///
/// Each key has one row, by a secret hash, so that nobody can pick keys that push out others.
final class FixedTable<V> {

    private static final int ROW = 8;

    private record Entry<V>(byte[] key, V value) {}

    private final Row<V>[] rows;
    private final V nothing;
    private final long k0;
    private final long k1;

    /// The youngest is first. Guarded by itself.
    private static final class Row<V> {

        private final Object[] entries = new Object[ROW];

        /// The entry of a key, moved to the front.
        @SuppressWarnings("unchecked") // only entries of V are ever put there
        synchronized Optional<Entry<V>> find(byte[] key) {
            for (int i = 0; i < ROW && entries[i] instanceof Entry<?> entry; i++) {
                if (Arrays.equals(entry.key, key)) {
                    System.arraycopy(entries, 0, entries, 1, i);
                    entries[0] = entry;
                    return Optional.of((Entry<V>) entry);
                }
            }
            return Optional.empty();
        }

        synchronized void update(byte[] key, V nothing, UnaryOperator<V> change) {
            Optional<Entry<V>> before = find(key);
            if (before.isEmpty()) {
                System.arraycopy(entries, 0, entries, 1, ROW - 1);
            }
            entries[0] = new Entry<>(key, change.apply(before.map(Entry::value).orElse(nothing)));
        }

        synchronized int size() {
            int size = 0;
            while (size < ROW && entries[size] instanceof Entry<?>) {
                size++;
            }
            return size;
        }
    }

    /// @param least it has room for at least so many
    /// @param nothing what is remembered of what is not there
    FixedTable(int least, V nothing) {
        @SuppressWarnings({"unchecked", "rawtypes"}) // there are no arrays of a generic type
        Row<V>[] made = new Row[Math.ceilDiv(least, ROW)];
        for (int i = 0; i < made.length; i++) {
            made[i] = new Row<>();
        }
        SecureRandom chance = new SecureRandom();
        this.rows = made;
        this.nothing = nothing;
        this.k0 = chance.nextLong();
        this.k1 = chance.nextLong();
    }

    V find(byte[] key) {
        return row(key).find(key).map(Entry::value).orElse(nothing);
    }

    /// Changes what is remembered, at once with regard to other threads.
    void update(byte[] key, UnaryOperator<V> change) {
        row(key).update(key, nothing, change);
    }

    int size() {
        int size = 0;
        for (Row<V> row : rows) {
            size += row.size();
        }
        return size;
    }

    private Row<V> row(byte[] key) {
        long hash = SipHash.hash(k0, k1, key, 0, key.length);
        return rows[(int) Long.remainderUnsigned(hash, rows.length)];
    }
}
