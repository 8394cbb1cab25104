package org.pabal.testkit;

import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/// Makes small zones in which everything meets that a name server can get wrong, and questions that
/// go there: wildcards at several depths, empty non-terminals, cuts with glue of every kind,
/// DNAMEs, chains and loops through several zones, hidden names, parents and children on one
/// server.
///
/// The same random numbers make the same zones.
public final class ZoneGenerator {

    /// Zones that are served together, as master files by origin, and the questions to ask.
    public record World(Map<String, String> zones, List<Message> questions) {}

    private static final String[] LABELS = {
        "a", "b", "c", "*", "a", "b", "ns", "Mail", "x\\.y", "_tcp", "*a", "d\\032e", "\\255"
    };
    private static final int[] TYPES = {
        Type.A,
        Type.A,
        Type.A,
        Type.AAAA,
        Type.MX,
        Type.NS,
        Type.NS,
        Type.TXT,
        Type.CNAME,
        Type.SOA,
        Type.SRV,
        Type.PTR,
        Type.DS,
        Type.DS,
        Type.DNAME,
        Type.NAPTR,
        Type.SVCB,
        Type.HTTPS,
        Type.CAA,
        Type.DNSKEY,
        Type.NSEC,
        Type.NSEC3,
        Type.NSEC3PARAM,
        Type.ANY,
        Type.RRSIG,
        65280,
        4711
    };
    private static final String DIGEST =
            "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";

    private final Random random;
    private final boolean servable;

    /// @param servable only zones that other servers load too: nothing stands below a DNAME
    public ZoneGenerator(Random random, boolean servable) {
        this.random = random;
        this.servable = servable;
    }

    /// Parent, child, grandchild and a stranger, some of them.
    ///
    /// @param suffix what the origins end with, e.g. `w1.test.`, or `.` for a world with a root
    ///     zone
    public World world(String suffix, int questions) {
        String under = suffix.equals(".") ? "" : suffix;
        List<String> origins = new ArrayList<>(List.of(suffix));
        if (random.nextBoolean()) {
            origins.add("c." + under);
            if (random.nextInt(3) == 0) {
                origins.add("a.c." + under);
            }
        }
        if (random.nextInt(4) == 0) {
            origins.add("b.a." + under);
        }
        origins.add("other-" + (under.isEmpty() ? "zone." : under));
        Map<String, String> zones = new LinkedHashMap<>();
        Set<String> names = new LinkedHashSet<>();
        for (String origin : origins) {
            zones.put(origin, zone(origin, origins, names));
        }
        List<Message> asked = new ArrayList<>();
        List<String> known = new ArrayList<>(names);
        while (asked.size() < questions) {
            asked.add(question(known.get(random.nextInt(known.size())), origins));
        }
        return new World(zones, asked);
    }

    private String zone(String origin, List<String> origins, Set<String> names) {
        Map<String, Set<String>> types = new LinkedHashMap<>();
        Set<String> lines = new LinkedHashSet<>();
        types.put(key(origin), new HashSet<>(Set.of("SOA", "NS")));
        names.add(origin);
        lines.add(
                origin
                        + " %d SOA ns1.%s hostmaster 1 7200 3600 1209600 %d"
                                .formatted(
                                        600 + random.nextInt(2) * 3000,
                                        dot(origin),
                                        300 + random.nextInt(2) * 3000)
                                .replace("hostmaster", "hostmaster." + dot(origin)));
        lines.add(origin + " 3620 NS " + target(origin, origins, names));
        if (random.nextBoolean()) {
            lines.add(origin + " 3620 NS ns1." + dot(origin));
            if (mayStand(types, "ns1." + dot(origin), "A")) {
                lines.add("ns1." + dot(origin) + " 3610 A 192.0.2.53");
            }
        }
        for (int i = random.nextInt(28); i > 0; i--) {
            add(origin, origins, names, types, lines, i);
        }
        return String.join("\n", lines) + "\n";
    }

    private void add(
            String origin,
            List<String> origins,
            Set<String> names,
            Map<String, Set<String>> types,
            Set<String> lines,
            int i) {
        String owner = name(origin);
        String target = target(origin, origins, names);
        String type;
        String data;
        switch (random.nextInt(26)) {
            case 0, 1, 2 -> {
                type = "CNAME";
                data = target;
            }
            case 3 -> {
                type = "DNAME";
                data = target;
            }
            case 4, 5, 6, 7 -> {
                type = "NS";
                data = random.nextInt(3) == 0 ? "ns." + dot(owner) : target;
            }
            case 8 -> {
                type = "DS";
                data = (random.nextInt(3) + 1) + " 13 2 " + DIGEST;
            }
            case 9, 10 -> {
                type = "MX";
                data = "10 " + target;
            }
            case 11 -> {
                type = "SRV";
                data = "0 0 1 " + target;
            }
            case 12 -> {
                type = "PTR";
                data = target;
            }
            case 13 -> {
                type = "TXT";
                data = "\"" + "y".repeat(random.nextInt(250) + 1) + "\"";
            }
            case 14 -> {
                type = "NAPTR";
                data = "1 1 \"S\" \"x\" \"\" " + target;
            }
            case 15 -> {
                type = random.nextBoolean() ? "SVCB" : "HTTPS";
                data =
                        random.nextBoolean()
                                ? "0 " + target
                                : "1 " + (random.nextBoolean() ? "." : target) + " alpn=h2";
            }
            case 16 -> {
                type = "TYPE65280";
                data = "\\# 3 01020" + random.nextInt(10);
            }
            case 17 -> {
                type = "CAA";
                data = "0 issue \"ca.example.net\"";
            }
            case 18, 19 -> {
                type = "AAAA";
                data = "2001:db8::" + i;
            }
            default -> {
                type = "A";
                data = "192.0.2." + i;
            }
        }
        if (mayStand(types, owner, type)) {
            names.add(owner);
            names.add(target);
            int ttl = 3600 + type.length() * 10;
            lines.add(owner + " " + ttl + " " + type + " " + data);
            if (type.equals("TXT") && random.nextInt(3) == 0) {
                for (int more = random.nextInt(20); more > 0; more--) {
                    lines.add(owner + " " + ttl + " TXT \"" + more + "z".repeat(200) + "\"");
                }
            }
            if (type.equals("NS")
                    && below(key(data), key(origin))
                    && random.nextInt(3) > 0
                    && mayStand(types, data, "A")) {
                lines.add(data + " 3610 A 192.0.2." + (100 + i));
                names.add(data);
            }
        }
    }

    /// Keeps out what no server loads: RFC 1034 §3.6.2, RFC 6672 §2.4.
    private boolean mayStand(Map<String, Set<String>> types, String owner, String type) {
        Set<String> there = types.getOrDefault(key(owner), Set.of());
        boolean single = type.equals("CNAME") || type.equals("DNAME");
        if (there.contains("CNAME")
                || type.equals("CNAME") && !there.isEmpty()
                || single && there.contains(type)) {
            return false;
        }
        if (servable) {
            if (type.equals("DNAME")
                    && (there.contains("NS") && !there.contains("SOA")
                            || types.keySet().stream().anyMatch(name -> below(name, key(owner))))) {
                return false;
            }
            if (type.equals("NS") && there.contains("DNAME")
                    || type.equals("DS") && !there.contains("NS")
                    || types.entrySet().stream()
                            .anyMatch(
                                    entry ->
                                            entry.getValue().contains("DNAME")
                                                    && below(key(owner), entry.getKey()))) {
                return false;
            }
        }
        if (type.equals("DS") && there.contains("SOA")) {
            return false;
        }
        types.computeIfAbsent(key(owner), k -> new HashSet<>()).add(type);
        return true;
    }

    private static boolean below(String name, String ancestor) {
        return !name.equals(ancestor) && (ancestor.equals(".") || name.endsWith("." + ancestor));
    }

    private static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    /// What follows the last label of a name at this origin.
    private static String dot(String origin) {
        return origin.equals(".") ? "" : origin;
    }

    private String name(String origin) {
        StringBuilder name = new StringBuilder();
        for (int labels = random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(3);
                labels > 0;
                labels--) {
            name.append(LABELS[random.nextInt(LABELS.length)]).append('.');
        }
        name.append(dot(origin));
        return name.isEmpty() ? "." : name.toString();
    }

    private String target(String origin, List<String> origins, Set<String> names) {
        return switch (random.nextInt(6)) {
            case 0 -> name(origins.get(random.nextInt(origins.size())));
            case 1 -> random.nextInt(4) == 0 ? "host.elsewhere.invalid." : name(origin);
            case 2, 3 -> List.copyOf(names).get(random.nextInt(names.size()));
            default -> name(origin);
        };
    }

    private Message question(String known, List<String> origins) {
        String name =
                switch (random.nextInt(8)) {
                    case 0 -> "zz." + dot(known);
                    case 1 -> "a.zz." + dot(known);
                    case 2 -> "*." + dot(known);
                    case 3 -> known.substring(known.indexOf('.', 1) + 1);
                    case 4 -> "zz." + known.substring(known.indexOf('.', 1) + 1);
                    case 5 -> name(origins.get(random.nextInt(origins.size())));
                    default -> known;
                };
        if (name.isEmpty()) {
            name = ".";
        }
        if (random.nextInt(4) == 0) {
            name = name.toUpperCase(Locale.ROOT);
        }
        int type = TYPES[random.nextInt(TYPES.length)];
        Message query;
        try {
            query =
                    Message.newQuery(
                            Record.newRecord(Name.fromString(name, Name.root), type, DClass.IN));
        } catch (IOException e) {
            query = Message.newQuery(Record.newRecord(Name.root, type, DClass.IN));
        }
        query.getHeader().setID(random.nextInt(65536));
        if (random.nextBoolean()) {
            query.getHeader().unsetFlag(Flags.RD);
        }
        if (random.nextInt(8) == 0) {
            query.getHeader().setFlag(Flags.CD);
        }
        if (random.nextInt(8) == 0) {
            query.getHeader().setFlag(Flags.AD);
        }
        int[] sizes = {512, 1232, 1232, 4096};
        switch (random.nextInt(4)) {
            case 0 -> {}
            case 1 ->
                    query.addRecord(
                            new OPTRecord(sizes[random.nextInt(4)], 0, 0, 0), Section.ADDITIONAL);
            default ->
                    query.addRecord(
                            new OPTRecord(sizes[random.nextInt(4)], 0, 0, ExtendedFlags.DO),
                            Section.ADDITIONAL);
        }
        return query;
    }
}
