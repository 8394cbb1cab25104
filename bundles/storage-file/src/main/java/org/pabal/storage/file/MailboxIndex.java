package org.pabal.storage.file;

import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The messages of one mailbox in memory, and the lines that change them.
///
/// The same lines stand in the journal and in the mailbox's `pabal-uids.log`; reading one a second
/// time changes nothing:
/// ```
///  H uidnext modseq floor                                     where uids and mod-sequences go on
///  A uid modseq received size[L] base new|cur suffix keyword* added; L: lines of the file end with LF alone
///  F uid modseq new|cur suffix keyword*                       other flags
///  X uid modseq base                                          gone
/// ```
/// Guarded by the lock of its mailbox.
final class MailboxIndex {

    private static final int REMEMBERED_DELIVERIES = 10_000;
    private static final int REMEMBERED_GONE = 10_000;

    /// One message.
    static final class Entry {
        final long uid;
        final String base;
        final long received;
        final long size;
        final boolean lineFeeds;
        boolean fresh;
        String suffix;
        Set<String> keywords;
        long modSeq;

        Entry(
                long uid,
                String base,
                long received,
                long size,
                boolean lineFeeds,
                boolean fresh,
                String suffix,
                Set<String> keywords,
                long modSeq) {
            this.uid = uid;
            this.base = base;
            this.received = received;
            this.size = size;
            this.lineFeeds = lineFeeds;
            this.fresh = fresh;
            this.suffix = suffix;
            this.keywords = keywords;
            this.modSeq = modSeq;
        }

        /// The same message under another uid and name.
        Entry copy(long nextUid, String nextBase, long at) {
            return new Entry(
                    nextUid, nextBase, received, size, lineFeeds, fresh, suffix, keywords, at);
        }

        /// Where the file is below the Maildir.
        String file() {
            return (fresh ? "new/" : "cur/") + base + suffix;
        }

        boolean seen() {
            return suffix.startsWith(":2,") && suffix.indexOf('S', 3) >= 0;
        }

        Set<String> flags() {
            Set<String> lettered = MaildirName.flags(suffix);
            if (keywords.isEmpty()) {
                return lettered;
            }
            Set<String> flags = new TreeSet<>(lettered);
            flags.addAll(keywords);
            return flags;
        }

        Message message() {
            return new Message(
                    uid,
                    MaildirName.id(base),
                    flags(),
                    Instant.ofEpochMilli(received),
                    size,
                    modSeq);
        }
    }

    /// A message that was there.
    private record Gone(long uid, long modSeq, String base) {}

    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, Entry> byBase = new HashMap<>();
    private final Deque<Gone> gone = new ArrayDeque<>();
    private final Set<Long> goneUids = new HashSet<>();
    private final Map<String, Long> deliveries = new LinkedHashMap<>();
    private long uidNext = 1;
    private long modSeq = 1;
    private long floor;
    private int unseen;
    private long octets;

    // ---- reading

    long uidNext() {
        return uidNext;
    }

    long modSeq() {
        return modSeq;
    }

    int size() {
        return entries.size();
    }

    /// Lines that [#compacted] would have.
    int lines() {
        return entries.size() + gone.size() + 1;
    }

    MailboxStatus status(long uidValidity) {
        return new MailboxStatus(uidValidity, uidNext, entries.size(), unseen, octets, modSeq);
    }

    List<Entry> chosen(UidSet which) {
        List<Entry> chosen = new ArrayList<>();
        for (UidSet.Range range : which.ranges()) {
            for (int i = at(range.first());
                    i < entries.size() && entries.get(i).uid <= range.last();
                    i++) {
                chosen.add(entries.get(i));
            }
        }
        return chosen;
    }

    List<Entry> all() {
        return entries;
    }

    Optional<Entry> find(long uid) {
        int at = at(uid);
        return at < entries.size() && entries.get(at).uid == uid
                ? Optional.of(entries.get(at))
                : Optional.empty();
    }

    Optional<Entry> find(String base) {
        return Optional.ofNullable(byBase.get(base));
    }

    /// The uid that a delivery got.
    Optional<Long> delivered(String digest) {
        return Optional.ofNullable(deliveries.get(digest));
    }

    List<Message> changedSince(long since) {
        List<Message> changed = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.modSeq > since) {
                changed.add(entry.message());
            }
        }
        return changed;
    }

    /// What went after a mod-sequence. Beyond what is remembered, every uid that is not there: RFC
    /// 7162 §3.2.5.2 lets a server name uids that the client has not heard of.
    UidSet goneSince(long since) {
        List<UidSet.Range> ranges = new ArrayList<>();
        if (since < floor) {
            long next = 1;
            for (Entry entry : entries) {
                if (entry.uid > next) {
                    ranges.add(new UidSet.Range(next, entry.uid - 1));
                }
                next = entry.uid + 1;
            }
            if (uidNext > next) {
                ranges.add(new UidSet.Range(next, uidNext - 1));
            }
        } else {
            for (Gone each : gone) {
                if (each.modSeq > since) {
                    ranges.add(new UidSet.Range(each.uid, each.uid));
                }
            }
        }
        return new UidSet(ranges);
    }

    // ---- lines

    static String added(Entry entry) {
        StringBuilder line = new StringBuilder(128);
        line.append("A ").append(entry.uid).append(' ').append(entry.modSeq);
        line.append(' ').append(entry.received).append(' ').append(entry.size);
        line.append(entry.lineFeeds ? "L " : " ").append(Words.word(entry.base));
        return flags(line, entry);
    }

    static String flagged(Entry entry) {
        return flags(
                new StringBuilder(64)
                        .append("F ")
                        .append(entry.uid)
                        .append(' ')
                        .append(entry.modSeq),
                entry);
    }

    static String gone(long uid, long modSeq, String base) {
        return "X " + uid + " " + modSeq + " " + Words.word(base);
    }

    private static String flags(StringBuilder line, Entry entry) {
        line.append(entry.fresh ? " new " : " cur ").append(Words.word(entry.suffix));
        for (String keyword : entry.keywords) {
            line.append(' ').append(Words.word(keyword));
        }
        return line.toString();
    }

    /// Everything there is, in as few lines as possible.
    List<String> compacted() {
        List<String> lines = new ArrayList<>(lines());
        entries.forEach(e -> lines.add(added(e)));
        gone.forEach(g -> lines.add(gone(g.uid, g.modSeq, g.base)));
        lines.add("H " + uidNext + " " + modSeq + " " + floor);
        return lines;
    }

    /// Carries out a line.
    ///
    /// @param again the line may have been carried out before and then does nothing
    /// @throws IllegalArgumentException when it is no such line
    void apply(String line, boolean again) {
        String[] words = line.split(" ");
        try {
            switch (words[0]) {
                case "H" -> {
                    uidNext = Math.max(uidNext, number(words[1]));
                    modSeq = Math.max(modSeq, number(words[2]));
                    floor = Math.max(floor, number(words[3]));
                }
                case "A" -> applyAdded(words, again);
                case "F" -> applyFlagged(words);
                case "X" -> applyGone(uid(words[1]), number(words[2]), Words.text(words[3]), again);
                default -> throw new IllegalArgumentException("begins with '" + words[0] + "'");
            }
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("too few words", e);
        }
    }

    private void applyAdded(String[] words, boolean again) {
        long uid = uid(words[1]);
        boolean lineFeeds = words[4].endsWith("L");
        Entry entry =
                new Entry(
                        uid,
                        Words.text(words[5]),
                        Long.parseLong(words[3]),
                        number(lineFeeds ? words[4].substring(0, words[4].length() - 1) : words[4]),
                        lineFeeds,
                        words[6].equals("new"),
                        Words.text(words[7]),
                        keywords(words, 8),
                        number(words[2]));
        if (entry.base.isEmpty()
                || entry.base.indexOf('/') >= 0
                || entry.suffix.indexOf('/') >= 0) {
            throw new IllegalArgumentException("'" + entry.base + "' is no file name");
        }
        if (again && uid < uidNext) {
            return;
        }
        if (find(uid).isPresent() || goneUids.contains(uid) || byBase.containsKey(entry.base)) {
            throw new IllegalArgumentException("message " + uid + " is there already");
        }
        add(entry);
    }

    private void applyGone(long uid, long at, String base, boolean again) {
        Optional<Entry> entry = find(uid);
        if (entry.isEmpty() && (again && uid < uidNext || goneUids.contains(uid))) {
            return;
        }
        if (entry.isPresent()) {
            remove(List.of(entry.get()), at);
        } else {
            gone.add(new Gone(uid, at, base));
            goneUids.add(uid);
            limitGone();
        }
        remember(base, uid);
        uidNext = Math.max(uidNext, uid + 1);
        modSeq = Math.max(modSeq, at);
    }

    private void applyFlagged(String[] words) {
        long next = number(words[2]);
        String suffix = Words.text(words[4]);
        if (suffix.indexOf('/') >= 0) {
            throw new IllegalArgumentException("'" + suffix + "' is no suffix");
        }
        Optional<Entry> entry = find(number(words[1])).filter(e -> e.modSeq < next);
        entry.ifPresent(e -> reflag(e, words[3].equals("new"), suffix, keywords(words, 5), next));
        modSeq = Math.max(modSeq, next);
    }

    private static Set<String> keywords(String[] words, int from) {
        if (words.length == from) {
            return Set.of();
        }
        Set<String> keywords = new TreeSet<>();
        for (int i = from; i < words.length; i++) {
            keywords.add(Words.text(words[i]));
        }
        return keywords;
    }

    private static long uid(String word) {
        long uid = number(word);
        if (uid < 1 || uid > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException(word + " is no uid");
        }
        return uid;
    }

    private static long number(String word) {
        long number = Long.parseLong(word);
        if (number < 0 || number == Long.MAX_VALUE) {
            throw new IllegalArgumentException(word + " is out of range");
        }
        return number;
    }

    // ---- changes

    void add(Entry entry) {
        entries.add(at(entry.uid), entry);
        byBase.put(entry.base, entry);
        uidNext = Math.max(uidNext, entry.uid + 1);
        modSeq = Math.max(modSeq, entry.modSeq);
        octets += entry.size;
        unseen += entry.seen() ? 0 : 1;
        remember(entry.base, entry.uid);
    }

    void reflag(Entry entry, boolean fresh, String suffix, Set<String> keywords, long at) {
        unseen += entry.seen() ? 1 : 0;
        entry.fresh = fresh;
        entry.suffix = suffix;
        entry.keywords = keywords;
        entry.modSeq = at;
        unseen -= entry.seen() ? 1 : 0;
        modSeq = Math.max(modSeq, at);
    }

    /// Takes messages out.
    void remove(Collection<Entry> which, long at) {
        for (Entry entry : which) {
            forget(entry);
            gone.add(new Gone(entry.uid, at, entry.base));
            goneUids.add(entry.uid);
        }
        if (which.size() == 1) {
            entries.remove(at(which.iterator().next().uid));
        } else {
            Set<Entry> set = Set.copyOf(which);
            entries.removeIf(set::contains);
        }
        modSeq = Math.max(modSeq, at);
        limitGone();
    }

    private void forget(Entry entry) {
        byBase.remove(entry.base);
        octets -= entry.size;
        unseen -= entry.seen() ? 0 : 1;
    }

    private void limitGone() {
        while (gone.size() > REMEMBERED_GONE) {
            Gone oldest = gone.removeFirst();
            goneUids.remove(oldest.uid);
            floor = Math.max(floor, oldest.modSeq);
        }
    }

    private void remember(String base, long uid) {
        MaildirName.delivery(base)
                .ifPresent(
                        digest -> {
                            deliveries.putIfAbsent(digest, uid);
                            if (deliveries.size() > REMEMBERED_DELIVERIES) {
                                deliveries.remove(deliveries.keySet().iterator().next());
                            }
                        });
    }

    /// Where a uid is, or would be.
    private int at(long uid) {
        int low = 0;
        int high = entries.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long there = entries.get(middle).uid;
            if (there < uid) {
                low = middle + 1;
            } else if (there > uid) {
                high = middle - 1;
            } else {
                return middle;
            }
        }
        return low;
    }
}
