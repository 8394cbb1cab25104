package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Tokenizer;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The keys that we believe without proof: where every chain of trust begins (RFC 4033 §3.1).
///
/// Those that change by RFC 5011 are put in by [AnchorKeeper] while others read.
final class TrustAnchors {

    /// One set of anchors; what is known of zones below holds as long as it is the current one.
    private record Version(int number, Map<Name, List<Record>> zones) {}

    private volatile Version current;

    /// @param records DS and DNSKEY records; none for no validation
    TrustAnchors(List<Record> records) {
        Map<Name, List<Record>> zones = new HashMap<>();
        for (Record record : records) {
            if (!(record instanceof DSRecord) && !(record instanceof DNSKEYRecord)) {
                throw new IllegalArgumentException(
                        record.getName()
                                + " "
                                + Type.string(record.getType())
                                + ": a trust anchor is a DS or a DNSKEY record");
            }
            zones.computeIfAbsent(record.getName(), name -> new ArrayList<>()).add(record);
        }
        zones.replaceAll((name, list) -> List.copyOf(list));
        current = new Version(0, Map.copyOf(zones));
    }

    /// Those of the root zone, as IANA publishes them: KSK-2017 and KSK-2024.
    static TrustAnchors ofTheRoot() {
        return new TrustAnchors(
                List.of(
                        root(
                                20326,
                                "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"),
                        root(
                                38696,
                                "683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16")));
    }

    private static DSRecord root(int tag, String digest) {
        return new DSRecord(Name.root, DClass.IN, 0, tag, 8, 2, HexFormat.of().parseHex(digest));
    }

    /// Reads DS and DNSKEY records as they stand in a master file (RFC 1035 §5), each with its
    /// name; a file without any turns validation off.
    ///
    /// Not by [org.xbill.DNS.Master], which refuses a digest that is too long or too short: such an
    /// anchor matches no key, and what is below it must not pass for unsigned.
    static TrustAnchors read(Path file) throws IOException {
        List<Record> records = new ArrayList<>();
        try (InputStream in = Files.newInputStream(file);
                Tokenizer tokens = new Tokenizer(in)) {
            for (Tokenizer.Token token = tokens.get();
                    token.type() != Tokenizer.EOF;
                    token = tokens.get()) {
                if (token.isString()) {
                    records.add(read(Name.fromString(token.value(), Name.root), tokens));
                }
            }
            return new TrustAnchors(records);
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Record read(Name zone, Tokenizer tokens) throws IOException {
        String word = tokens.getString();
        while (word.matches("\\d+") || DClass.value(word) == DClass.IN) {
            word = tokens.getString();
        }
        int type = Type.value(word);
        if (type != Type.DS) {
            return Record.fromString(zone, type, DClass.IN, 0, tokens, Name.root);
        }
        int tag = tokens.getUInt16();
        int algorithm = DNSSEC.Algorithm.value(tokens.getString());
        int digestType = tokens.getUInt8();
        byte[] digest = tokens.getHex(true);
        tokens.getEOL();
        ByteBuffer data = ByteBuffer.allocate(4 + digest.length);
        data.putShort((short) tag).put((byte) algorithm).put((byte) digestType).put(digest);
        return Record.newRecord(zone, Type.DS, DClass.IN, 0, data.array());
    }

    /// The zone of the anchor that is nearest to a name: at it or above it.
    Optional<Name> nearest(Name name) {
        Map<Name, List<Record>> zones = current.zones;
        if (zones.isEmpty()) {
            return Optional.empty();
        }
        for (int labels = 0; labels < name.labels(); labels++) {
            Name above = new Name(name, labels);
            if (zones.containsKey(above)) {
                return Optional.of(above);
            }
        }
        return Optional.empty();
    }

    /// What is believed of a zone's keys; none for a zone that is no anchor.
    List<Record> of(Name zone) {
        return current.zones.getOrDefault(zone, List.of());
    }

    Set<Name> zones() {
        return current.zones.keySet();
    }

    /// Whether a key of the root zone with this tag is believed (RFC 8509 §3.1).
    boolean ofTheRoot(int tag) {
        return of(Name.root).stream()
                .anyMatch(
                        anchor ->
                                tag
                                        == (anchor instanceof DSRecord ds
                                                ? ds.getFootprint()
                                                : ((DNSKEYRecord) anchor).getFootprint()));
    }

    /// Goes up with every change.
    int version() {
        return current.number;
    }

    /// Believes other keys of a zone from now on; none for none, and the zone is no anchor any
    /// more.
    synchronized void replace(Name zone, List<Record> anchors) {
        Map<Name, List<Record>> zones = new HashMap<>(current.zones);
        if (anchors.isEmpty()) {
            zones.remove(zone);
        } else {
            zones.put(zone, List.copyOf(anchors));
        }
        current = new Version(current.number + 1, Map.copyOf(zones));
    }
}
