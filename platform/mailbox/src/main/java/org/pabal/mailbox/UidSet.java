package org.pabal.mailbox;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// A set of uids as ranges, RFC 9051 §9 sequence-set: sorted, without overlaps, so that asking is a
/// binary search and a set of all messages is one range.
public record UidSet(List<Range> ranges) {

    /// Both ends belong to it.
    public record Range(long first, long last) {
        public Range {
            if (first < 1 || last < first) {
                throw new IllegalArgumentException("uid range " + first + ":" + last);
            }
        }
    }

    public static final UidSet NONE = new UidSet(List.of());
    public static final UidSet ALL = range(1, 0xFFFF_FFFFL);

    public UidSet {
        ranges = joined(ranges);
    }

    public static UidSet range(long first, long last) {
        return new UidSet(List.of(new Range(first, last)));
    }

    public static UidSet of(long... uids) {
        return new UidSet(LongStream.of(uids).mapToObj(u -> new Range(u, u)).toList());
    }

    public static UidSet of(Collection<Long> uids) {
        return new UidSet(uids.stream().map(u -> new Range(u, u)).toList());
    }

    public boolean contains(long uid) {
        int low = 0;
        int high = ranges.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Range range = ranges.get(middle);
            if (uid < range.first) {
                high = middle - 1;
            } else if (uid > range.last) {
                low = middle + 1;
            } else {
                return true;
            }
        }
        return false;
    }

    public boolean isEmpty() {
        return ranges.isEmpty();
    }

    /// As IMAP writes it: `1:3,7`.
    @Override
    public String toString() {
        return ranges.stream()
                .map(r -> r.first == r.last ? "" + r.first : r.first + ":" + r.last)
                .collect(Collectors.joining(","));
    }

    private static List<Range> joined(List<Range> ranges) {
        List<Range> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(Range::first));
        List<Range> joined = new ArrayList<>(sorted.size());
        for (Range next : sorted) {
            Range before = joined.isEmpty() ? null : joined.getLast();
            if (before != null && next.first <= before.last + 1) {
                joined.set(
                        joined.size() - 1,
                        new Range(before.first, Math.max(before.last, next.last)));
            } else {
                joined.add(next);
            }
        }
        return List.copyOf(joined);
    }
}
