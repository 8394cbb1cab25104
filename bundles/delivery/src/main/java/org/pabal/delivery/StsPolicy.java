package org.pabal.delivery;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// An MTA-STS policy, RFC 8461 §3.2.
///
/// @param id of the TXT record that led to it
/// @param hosts the `mx` patterns
/// @param lines as they were fetched, for reports
record StsPolicy(String id, Mode mode, List<String> hosts, Duration maxAge, List<String> lines) {

    /// More than that nobody reads, §3.3.
    static final int MAX_OCTETS = 65_536;

    /// About a year, the most that a policy may ask for, §3.2.
    private static final long MAX_AGE_SECONDS = 31_557_600;

    private static final int MAX_LINE = 2_000;
    private static final int MAX_LINES = 2_000;

    enum Mode {
        ENFORCE,
        TESTING,
        NONE
    }

    StsPolicy {
        hosts = List.copyOf(hosts);
        lines = List.copyOf(lines);
    }

    /// Reads what a policy host sent. Fields that nobody knows are skipped, so that the format can
    /// grow; an age beyond the greatest counts as the greatest, because the alternative is no
    /// protection at all.
    ///
    /// @throws IOException when it is no policy
    static StsPolicy parse(String id, byte[] octets) throws IOException {
        if (octets.length > MAX_OCTETS) {
            throw new IOException("longer than " + MAX_OCTETS + " octets");
        }
        List<String> lines = new ArrayList<>();
        List<String> hosts = new ArrayList<>();
        Map<String, String> fields = new HashMap<>();
        // CR alone ends no line
        for (String ended : new String(octets, StandardCharsets.UTF_8).split("\n")) {
            String line = ended.stripTrailing();
            if (line.isEmpty()) {
                continue;
            }
            int colon = line.indexOf(':');
            if (colon < 1 || line.length() > MAX_LINE || lines.size() == MAX_LINES) {
                throw new IOException(
                        colon < 1
                                ? "a line is not of the form key: value"
                                : line.length() > MAX_LINE
                                        ? "a line is longer than " + MAX_LINE
                                        : "more than " + MAX_LINES + " lines");
            }
            lines.add(line);
            String key = line.substring(0, colon);
            String value = line.substring(colon + 1).strip();
            if (key.equals("mx")) {
                hosts.add(pattern(value));
            } else {
                // §3.2: all but the first are ignored
                fields.putIfAbsent(key, value);
            }
        }
        if (!"STSv1".equals(fields.get("version"))) {
            throw new IOException("version is not STSv1");
        }
        Mode mode = mode(fields.getOrDefault("mode", ""));
        if (hosts.isEmpty() && mode != Mode.NONE) {
            throw new IOException("no mx");
        }
        return new StsPolicy(id, mode, hosts, maxAge(fields.getOrDefault("max_age", "")), lines);
    }

    /// How much of it there is, in characters.
    int length() {
        return lines.stream().mapToInt(String::length).sum();
    }

    /// Whether a host is one that the policy names, §4.1.
    boolean names(String host) {
        return hosts.stream().anyMatch(pattern -> fits(pattern, host));
    }

    /// Whether a name is a pattern's: the same, or of `*.` the same below one label.
    static boolean fits(String pattern, String host) {
        String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        if (!pattern.startsWith("*.")) {
            return pattern.equalsIgnoreCase(name);
        }
        int dot = name.indexOf('.');
        return dot > 0 && pattern.substring(2).equalsIgnoreCase(name.substring(dot + 1));
    }

    /// A domain in lower case; empty when it cannot stand in DNS as a host's name.
    static Optional<String> hostName(String domain) {
        boolean fine = !domain.isEmpty() && domain.length() <= 253;
        for (String label : domain.split("\\.", -1)) {
            fine &= !label.isEmpty() && label.length() <= 63;
            fine &= label.chars().allMatch(StsPolicy::ofLabel);
        }
        return fine ? Optional.of(domain.toLowerCase(Locale.ROOT)) : Optional.empty();
    }

    private static boolean ofLabel(int c) {
        return c >= 'a' && c <= 'z'
                || c >= 'A' && c <= 'Z'
                || c >= '0' && c <= '9'
                || c == '-'
                || c == '_';
    }

    private static String pattern(String value) throws IOException {
        boolean wild = value.startsWith("*.");
        String name =
                hostName(wild ? value.substring(2) : value)
                        .orElseThrow(() -> new IOException("an mx is no host name"));
        return wild ? "*." + name : name;
    }

    private static Mode mode(String word) throws IOException {
        return switch (word) {
            case "enforce" -> Mode.ENFORCE;
            case "testing" -> Mode.TESTING;
            case "none" -> Mode.NONE;
            default -> throw new IOException("mode is none of enforce, testing, none");
        };
    }

    private static Duration maxAge(String seconds) throws IOException {
        if (!seconds.matches("[0-9]{1,10}")) {
            throw new IOException("max_age is no number of seconds");
        }
        return Duration.ofSeconds(Math.min(Long.parseLong(seconds), MAX_AGE_SECONDS));
    }
}
