package org.pabal.dnssec;

import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The trust anchors of one zone and how they follow the zone when it changes its keys (RFC 5011).
///
/// A new key is believed when it has been there, signed by one that is believed, for thirty days:
/// who has stolen a key is noticed in that time. A key that says of itself that it is revoked is
/// never believed again. Immutable.
public record TrustPoint(Name zone, List<Anchor> anchors) {

    /// RFC 5011 §4.2, without Start, which is that a key is not here.
    public enum State {
        /// Seen, and not believed yet.
        ADD_PENDING,
        /// Believed.
        VALID,
        /// Believed, and not in the zone just now.
        MISSING,
        /// It has said that it is not to be believed any more.
        REVOKED,
        /// So has it, long ago.
        REMOVED
    }

    /// @param record the DNSKEY record without the revoke bit; or a DS record that nobody has shown
    ///     the key of yet
    /// @param since it has this state
    public record Anchor(Record record, State state, Instant since) {

        boolean believed() {
            return state == State.VALID || state == State.MISSING;
        }

        private Anchor become(State next, Instant now) {
            return next == state ? this : new Anchor(record, next, now);
        }
    }

    /// What came of looking at the zone's keys.
    ///
    /// @param trusted whether they were signed by a key that is believed
    /// @param pause until the next look (RFC 5011 §2.3)
    /// @param news one short line for each change of state
    public record Update(TrustPoint next, boolean trusted, Duration pause, List<String> news) {}

    /// RFC 5011 §2.4.1, §2.4.2
    public static final Duration HOLD_DOWN = Duration.ofDays(30);

    private static final Duration SHORTEST_WAIT = Duration.ofHours(1);
    private static final Duration LONGEST_WAIT = Duration.ofDays(15);
    private static final Duration LONGEST_RETRY = Duration.ofDays(1);

    /// Keys of one zone that are kept in mind.
    private static final int MOST_KEYS = 32;

    private static final int SECURE_ENTRY_POINT = 1; // RFC 4034 §2.1.1
    private static final int REVOKE = 0x80;

    public TrustPoint {
        anchors = List.copyOf(anchors);
    }

    /// A trust point that an administrator has named.
    ///
    /// @param told DS and DNSKEY records
    public static TrustPoint of(Name zone, List<Record> told, Instant now) {
        return new TrustPoint(
                zone, told.stream().map(each -> new Anchor(each, State.VALID, now)).toList());
    }

    /// The same, with what an administrator has named since: what is not known to it yet.
    public TrustPoint and(List<Record> told, Instant now) {
        List<Anchor> all = new ArrayList<>(anchors);
        for (Record each : told) {
            boolean known =
                    anchors.stream()
                            .anyMatch(
                                    anchor ->
                                            anchor.record.equals(each)
                                                    || anchor.record instanceof DNSKEYRecord key
                                                            && KeyTrust.matches(each, key));
            if (!known) {
                all.add(new Anchor(each, State.VALID, now));
            }
        }
        return new TrustPoint(zone, all);
    }

    /// What is to be believed now.
    public List<Record> believed() {
        return anchors.stream().filter(Anchor::believed).map(Anchor::record).toList();
    }

    /// Looks at the keys that the zone shows.
    ///
    /// @param shown its DNSKEY set, with signatures; nothing of it is believed yet
    public Update update(RRset shown, Instant now, Effort effort) {
        Map<Record, Anchor> next = new LinkedHashMap<>();
        anchors.forEach(anchor -> next.put(anchor.record, anchor));
        List<DNSKEYRecord> keys =
                shown.rrs(false).stream()
                        .filter(DNSKEYRecord.class::isInstance)
                        .map(DNSKEYRecord.class::cast)
                        .filter(key -> key.getName().equals(zone))
                        .toList();
        revoke(shown, keys, next, now, effort);
        boolean trusted =
                KeyTrust.of(
                                shown,
                                next.values().stream()
                                        .filter(Anchor::believed)
                                        .map(Anchor::record)
                                        .toList(),
                                now,
                                effort)
                        instanceof KeyTrust.Trusted;
        if (trusted) {
            appear(keys, shown.getTTL(), next, now);
            disappear(keys, next, now);
        }
        TrustPoint point = new TrustPoint(zone, List.copyOf(next.values()));
        return new Update(point, trusted, pause(shown, trusted, now), news(point));
    }

    /// How long to wait after the keys could not be had.
    public static Duration retry() {
        return SHORTEST_WAIT;
    }

    /// RFC 5011 §2.1: a key revokes itself with its own signature over the set.
    private void revoke(
            RRset shown,
            List<DNSKEYRecord> keys,
            Map<Record, Anchor> next,
            Instant now,
            Effort effort) {
        for (DNSKEYRecord key : keys) {
            if (!ZoneKeys.revoked(key)) {
                continue;
            }
            DNSKEYRecord before = withFlags(key, key.getFlags() & ~REVOKE);
            List<Anchor> same =
                    next.values().stream()
                            .filter(
                                    anchor ->
                                            anchor.state != State.REVOKED
                                                    && anchor.state != State.REMOVED
                                                    && about(anchor.record, before))
                            .toList();
            if (!same.isEmpty()
                    && ZoneKeys.revoking(key).verify(shown, now, effort) instanceof ZoneKeys.Good) {
                same.forEach(anchor -> next.remove(anchor.record));
                // one that was never believed is as if it had not been there
                if (same.stream().anyMatch(Anchor::believed)) {
                    next.put(before, new Anchor(before, State.REVOKED, now));
                }
            }
        }
    }

    private void appear(List<DNSKEYRecord> keys, long ttl, Map<Record, Anchor> next, Instant now) {
        Duration holdDown =
                HOLD_DOWN.compareTo(Duration.ofSeconds(ttl)) > 0
                        ? HOLD_DOWN
                        : Duration.ofSeconds(ttl);
        for (DNSKEYRecord key : keys) {
            if (!ZoneKeys.signs(key)) {
                continue;
            }
            Optional<Anchor> known =
                    next.values().stream()
                            .filter(
                                    anchor ->
                                            anchor.record instanceof DNSKEYRecord
                                                    && about(anchor.record, key))
                            .findFirst();
            List<Record> seeds =
                    next.keySet().stream()
                            .filter(each -> each instanceof DSRecord && about(each, key))
                            .toList();
            if (known.isPresent()) {
                Anchor anchor = known.get();
                State state =
                        switch (anchor.state) {
                            case ADD_PENDING ->
                                    now.isBefore(anchor.since.plus(holdDown))
                                            ? State.ADD_PENDING
                                            : State.VALID;
                            case MISSING -> State.VALID;
                            case VALID, REVOKED, REMOVED -> anchor.state;
                        };
                next.put(anchor.record, anchor.become(state, now));
            } else if (!seeds.isEmpty()) {
                seeds.forEach(next::remove);
                next.put(key, new Anchor(key, State.VALID, now));
            } else if ((key.getFlags() & SECURE_ENTRY_POINT) != 0 && next.size() < MOST_KEYS) {
                next.put(key, new Anchor(key, State.ADD_PENDING, now));
            }
        }
    }

    private static void disappear(List<DNSKEYRecord> keys, Map<Record, Anchor> next, Instant now) {
        for (Anchor anchor : List.copyOf(next.values())) {
            boolean shown =
                    keys.stream().anyMatch(key -> ZoneKeys.signs(key) && about(anchor.record, key));
            if (!(anchor.record instanceof DNSKEYRecord) || shown) {
                continue;
            }
            switch (anchor.state) {
                case ADD_PENDING -> next.remove(anchor.record);
                case VALID -> next.put(anchor.record, anchor.become(State.MISSING, now));
                case REVOKED -> {
                    if (!now.isBefore(anchor.since.plus(HOLD_DOWN))) {
                        next.put(anchor.record, anchor.become(State.REMOVED, now));
                    }
                }
                case MISSING, REMOVED -> {
                    // RFC 5011 §4.3: nothing happens
                }
            }
        }
    }

    /// Whether a record is about a key: the same key may have other flags.
    private static boolean about(Record record, DNSKEYRecord key) {
        return record instanceof DNSKEYRecord other
                ? other.getAlgorithm() == key.getAlgorithm()
                        && Arrays.equals(other.getKey(), key.getKey())
                : KeyTrust.matches(record, key);
    }

    private static DNSKEYRecord withFlags(DNSKEYRecord key, int flags) {
        return new DNSKEYRecord(
                key.getName(),
                key.getDClass(),
                key.getTTL(),
                flags,
                key.getProtocol(),
                key.getAlgorithm(),
                key.getKey());
    }

    /// RFC 5011 §2.3
    private static Duration pause(RRset shown, boolean trusted, Instant now) {
        long ttl = shown.getTTL();
        long left =
                shown.sigs().stream()
                        .map(RRSIGRecord::getExpire)
                        .min(Comparator.naturalOrder())
                        .map(expire -> Duration.between(now, expire).toSeconds())
                        .orElse(0L);
        Duration part = Duration.ofSeconds(Math.min(ttl, left) / (trusted ? 2 : 10));
        Duration longest = trusted ? LONGEST_WAIT : LONGEST_RETRY;
        part = part.compareTo(longest) > 0 ? longest : part;
        return part.compareTo(SHORTEST_WAIT) < 0 ? SHORTEST_WAIT : part;
    }

    private List<String> news(TrustPoint after) {
        List<String> news = new ArrayList<>();
        for (Anchor anchor : after.anchors) {
            boolean same =
                    anchors.stream()
                            .anyMatch(
                                    before ->
                                            before.record.equals(anchor.record)
                                                    && before.state == anchor.state);
            if (!same) {
                news.add("trust anchor " + zone + " " + tag(anchor.record) + ": " + anchor.state);
            }
        }
        return news;
    }

    private static int tag(Record record) {
        return record instanceof DSRecord ds
                ? ds.getFootprint()
                : ((DNSKEYRecord) record).getFootprint();
    }

    // ---- as text

    /// One line an anchor, as in a master file, with the state in a comment.
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Anchor anchor : anchors) {
            text.append(zone)
                    .append(' ')
                    .append(anchor.record.getTTL())
                    .append(" IN ")
                    .append(Type.string(anchor.record.getType()))
                    .append(' ')
                    .append(anchor.record.rdataToString().replaceAll("\\s+", " "))
                    .append(" ; ")
                    .append(anchor.state)
                    .append(' ')
                    .append(anchor.since)
                    .append('\n');
        }
        return text.toString();
    }

    /// Reads what [#text()] wrote, of several zones.
    public static List<TrustPoint> parse(String text) throws IOException {
        Map<Name, List<Anchor>> zones = new LinkedHashMap<>();
        for (String line : text.lines().map(String::strip).toList()) {
            if (line.isEmpty() || line.startsWith(";")) {
                continue;
            }
            String[] parts = line.split(" ; ", 2);
            String[] words = parts[0].split("\\s+", 5);
            String[] state = parts.length < 2 ? new String[0] : parts[1].strip().split("\\s+");
            if (words.length < 5 || state.length != 2) {
                throw new IOException("trust anchors: expected a record ; STATE TIME: " + line);
            }
            try {
                Name zone = Name.fromString(words[0], Name.root);
                Record record =
                        Record.fromString(
                                zone,
                                Type.value(words[3]),
                                DClass.IN,
                                Long.parseLong(words[1]),
                                words[4],
                                Name.root);
                zones.computeIfAbsent(zone, name -> new ArrayList<>())
                        .add(new Anchor(record, State.valueOf(state[0]), Instant.parse(state[1])));
            } catch (IllegalArgumentException | DateTimeParseException e) {
                throw new IOException("trust anchors: " + e.getMessage() + ": " + line, e);
            }
        }
        List<TrustPoint> points = new ArrayList<>();
        zones.forEach((zone, anchors) -> points.add(new TrustPoint(zone, anchors)));
        return points;
    }
}
