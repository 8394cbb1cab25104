package org.pabal.dns.authoritative;

import org.pabal.settings.Settings;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/// With which address of a set an answer starts (RFC 1794); the others follow in the order of the
/// zone, and after its last comes its first.
///
/// Set for zones: `rotate = cyclic | random | fixed | weighted`, and for the last one
/// `weights = 192.0.2.1 3, 192.0.2.2 1`. A weight belongs to an address, because it tells how much
/// the machine there can bear, whatever names it has.
final class AddressOrder {

    private enum Start {
        CYCLIC,
        RANDOM,
        FIXED,
        WEIGHTED
    }

    /// Each answer starts with the address after the one that the answer before started with.
    static final AddressOrder CYCLIC = new AddressOrder(Start.CYCLIC, Map.of());

    private static final int MAX_WEIGHT = 255;
    private static final int MAX_WEIGHTS = 10_000;

    private final Start start;

    /// An open hash table by the octets of an address; at most half full.
    private final byte[][] addresses;

    private final int[] weights;

    private AddressOrder(Start start, Map<InetAddress, Integer> weightOf) {
        this.start = start;
        int slots = Integer.highestOneBit(Math.max(1, weightOf.size())) << 2;
        addresses = new byte[slots][];
        weights = new int[slots];
        weightOf.forEach(
                (address, weight) -> {
                    byte[] octets = address.getAddress();
                    int slot = hash(ByteBuffer.wrap(octets), 0, octets.length) & slots - 1;
                    while (addresses[slot] != null) {
                        slot = slot + 1 & slots - 1;
                    }
                    addresses[slot] = octets;
                    weights[slot] = weight;
                });
    }

    /// Reads `rotate` and `weights`.
    static AddressOrder of(Settings settings) {
        Start start =
                switch (settings.choice(
                        "rotate", "cyclic", "cyclic", "random", "fixed", "weighted")) {
                    case "random" -> Start.RANDOM;
                    case "fixed" -> Start.FIXED;
                    case "weighted" -> Start.WEIGHTED;
                    default -> Start.CYCLIC;
                };
        Map<InetAddress, Integer> weightOf = new HashMap<>();
        for (String each : settings.list("weights")) {
            String[] words = each.split("\\s+");
            if (words.length != 2
                    || !words[1].matches("\\d{1,3}")
                    || Integer.parseInt(words[1]) > MAX_WEIGHT
                    || weightOf.size() == MAX_WEIGHTS) {
                throw badWeight(settings, each);
            }
            try {
                weightOf.put(InetAddress.ofLiteral(words[0]), Integer.parseInt(words[1]));
            } catch (IllegalArgumentException e) {
                throw badWeight(settings, each);
            }
        }
        if (start == Start.WEIGHTED == weightOf.isEmpty()) {
            throw settings.bad(
                    "weights",
                    settings.text("weights", ""),
                    "weights with rotate = weighted, and only then",
                    "192.0.2.1 3, 192.0.2.2 1");
        }
        return start == Start.CYCLIC ? CYCLIC : new AddressOrder(start, weightOf);
    }

    private static RuntimeException badWeight(Settings settings, String weight) {
        return settings.bad(
                "weights",
                weight,
                "addresses, each with a weight from 0 to " + MAX_WEIGHT,
                "192.0.2.1 3, 192.0.2.2 1");
    }

    /// Which address of an image comes first. Makes no object, and threads do not wait for each
    /// other.
    ///
    /// @param image octets that hold address records of equal length, one after the other
    /// @param counter the octet in it that counts turns
    /// @param from where the first record is
    int first(ByteBuffer image, int counter, int from, int length, int count) {
        return switch (start) {
            case CYCLIC -> {
                // Workers that meet here may take the same turn.
                int turn = image.get(counter) & 0xFF;
                image.put(counter, (byte) (turn + 1 == count || turn == 255 ? 0 : turn + 1));
                yield turn;
            }
            case RANDOM -> random(count);
            case FIXED -> 0;
            case WEIGHTED -> {
                int total = 0;
                for (int i = 0; i < count; i++) {
                    total += weightAt(image, from, length, i);
                }
                if (total == 0) {
                    yield random(count);
                }
                int left = random(total);
                int first = 0;
                while ((left -= weightAt(image, from, length, first)) >= 0) {
                    first++;
                }
                yield first;
            }
        };
    }

    /// The same for the readable path.
    ///
    /// @param addressRecords the A or AAAA records of one set
    /// @param turns counts turns
    /// @param slot the count of this set
    int first(List<Record> addressRecords, int[] turns, int slot) {
        return switch (start) {
            case CYCLIC -> (turns[slot]++ & Integer.MAX_VALUE) % addressRecords.size();
            case RANDOM -> random(addressRecords.size());
            case FIXED -> 0;
            case WEIGHTED -> {
                int[] weight =
                        addressRecords.stream()
                                .map(Record::rdataToWireCanonical)
                                .mapToInt(
                                        octets -> weight(ByteBuffer.wrap(octets), 0, octets.length))
                                .toArray();
                int total = Arrays.stream(weight).sum();
                if (total == 0) {
                    yield random(weight.length);
                }
                int left = random(total);
                int first = 0;
                while ((left -= weight[first]) >= 0) {
                    first++;
                }
                yield first;
            }
        };
    }

    /// The generator of each thread is a counter of its own and a mixing step.
    private static int random(int bound) {
        return ThreadLocalRandom.current().nextInt(bound);
    }

    /// The address is the end of its record; the owner of each is a pointer, and its type comes
    /// next.
    private int weightAt(ByteBuffer image, int from, int length, int index) {
        int end = from + (index + 1) * length;
        int octets = image.get(from + 3) == Type.A ? 4 : 16;
        return weight(image, end - octets, end);
    }

    private int weight(ByteBuffer octets, int from, int to) {
        int mask = addresses.length - 1;
        for (int slot = hash(octets, from, to) & mask; ; slot = slot + 1 & mask) {
            byte[] address = addresses[slot];
            if (address == null) {
                return 1; // whom nobody weighed
            }
            if (matches(address, octets, from, to)) {
                return weights[slot];
            }
        }
    }

    private static boolean matches(byte[] address, ByteBuffer octets, int from, int to) {
        if (address.length != to - from) {
            return false;
        }
        for (int i = 0; i < address.length; i++) {
            if (address[i] != octets.get(from + i)) {
                return false;
            }
        }
        return true;
    }

    private static int hash(ByteBuffer octets, int from, int to) {
        int hash = 1;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + octets.get(i);
        }
        hash *= 0x9E3779B9;
        return hash ^ hash >>> 15;
    }
}
