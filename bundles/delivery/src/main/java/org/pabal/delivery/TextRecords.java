package org.pabal.delivery;

import org.xbill.DNS.RRset;
import org.xbill.DNS.TXTRecord;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What domains say of themselves in TXT records: that there is an MTA-STS policy (RFC 8461 §3.1),
/// and who wants reports on TLS (RFC 8460 §3). Both are a version and fields after it.
///
/// @param texts the records' texts, the strings of each joined
/// @param ttl how long they may be remembered
record TextRecords(List<String> texts, Duration ttl) {

    /// More than anybody has; beyond, they are not looked at.
    private static final int MAX_RECORDS = 100;

    TextRecords {
        texts = List.copyOf(texts);
    }

    /// Of an answer: what is not TXT led to it, and is passed over.
    static TextRecords of(List<RRset> answer) {
        return new TextRecords(
                answer.stream()
                        .flatMap(set -> set.rrs().stream())
                        .filter(TXTRecord.class::isInstance)
                        .limit(MAX_RECORDS)
                        .map(record -> joined((TXTRecord) record))
                        .toList(),
                Duration.ofSeconds(answer.stream().mapToLong(RRset::getTTL).min().orElse(0)));
    }

    /// The id of the MTA-STS policy; empty when there is none, or nobody can say which, which is
    /// the same (RFC 8461 §3.1).
    Optional<String> stsId() {
        return fields("STSv1")
                .map(fields -> fields.getOrDefault("id", ""))
                .filter(id -> id.matches("[A-Za-z0-9]{1,32}"));
    }

    /// Where reports on TLS go, in order; empty when nobody wants any (RFC 8460 §3).
    List<String> reportUris() {
        return fields("TLSRPTv1")
                .map(fields -> fields.getOrDefault("rua", ""))
                .map(uris -> List.of(uris.split("[ \t]*,[ \t]*")))
                .orElse(List.of())
                .stream()
                .filter(uri -> !uri.isEmpty())
                .toList();
    }

    /// The fields of the one record of a version. Records of other versions do not count; of this
    /// one there must be one, and it must be well-formed.
    private Optional<Map<String, String>> fields(String version) {
        List<String> ofVersion =
                texts.stream()
                        .filter(text -> text.matches("(?s)v=" + version + "[ \t]*(;.*)?"))
                        .toList();
        if (ofVersion.size() != 1) {
            return Optional.empty();
        }
        Map<String, String> fields = new LinkedHashMap<>();
        String[] parts = ofVersion.getFirst().split(";", -1);
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i].replaceAll("^[ \t]+|[ \t]+$", "");
            int equals = part.indexOf('=');
            if (part.isEmpty() && i == parts.length - 1) {
                break;
            }
            if (equals < 1
                    || !part.substring(0, equals).matches("[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
                    || !part.substring(equals + 1).matches("[ \t\\x21-\\x3A\\x3C-\\x7E]+")) {
                return Optional.empty();
            }
            fields.putIfAbsent(part.substring(0, equals), part.substring(equals + 1));
        }
        return Optional.of(fields);
    }

    private static String joined(TXTRecord record) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        record.getStringsAsByteArrays().forEach(all::writeBytes);
        return all.toString(StandardCharsets.ISO_8859_1);
    }
}
