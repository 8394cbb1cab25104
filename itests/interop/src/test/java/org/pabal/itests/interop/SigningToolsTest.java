package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pabal.itests.interop.Tool.Result;
import org.pabal.itests.node.Node;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Zones that we sign, held against what others think a signed zone is.
class SigningToolsTest {

    private static final String FILE =
            """
            $TTL 300
            @ SOA ns1 hostmaster 1 7200 3600 1209600 300
            @ NS ns1
            @ MX 10 mail
            ns1 A 192.0.2.53
            mail A 192.0.2.25
            www A 192.0.2.80
            www AAAA 2001:db8::80
            *.wild TXT "anything"
            a.b.c.d TXT "deep"
            dname DNAME example.net.
            sub NS ns1.sub
            ns1.sub A 192.0.2.54
            sec NS ns1.example.net.
            sec DS 57855 13 2 B6DCD485719ADCA18E5F3D48A2331627FDD3636BB6DCD485719ADCA18E5F3D48
            """;

    private static final long PATIENCE_MILLIS = 60_000;

    @TempDir static Path scratch;

    private static Node node;
    private static InetSocketAddress dns;

    /// A zone for each way to sign. The digest is not asked for with NSEC3: ldns-verify-zone of
    /// ldns 1.8 goes round in circles over some such zones, whose chains are those of
    /// dnssec-signzone.
    record Way(String algorithm, String denial, String more) {

        String zone() {
            return algorithm + "-" + denial + (more.isEmpty() ? "" : "-more") + ".test";
        }
    }

    static Stream<Way> ways() {
        return Stream.of("8", "13", "15")
                .flatMap(
                        algorithm ->
                                Stream.of(
                                        new Way(algorithm, "nsec", "zonemd = generate\n"),
                                        new Way(algorithm, "nsec3", ""),
                                        new Way(algorithm, "nsec3", "opt-out = yes\n")));
    }

    @BeforeAll
    static void startNode() throws Exception {
        node = Node.init(scratch.resolve("node"));
        for (Way way : ways().toList()) {
            Path settings = node.directory().resolve("etc/org.pabal.zone~" + way.zone() + ".cfg");
            Files.writeString(
                    settings,
                    "zones = "
                            + way.zone()
                            + "\nsign = yes\nalgorithm = "
                            + way.algorithm()
                            + "\ndenial = "
                            + way.denial()
                            + "\n"
                            + way.more());
            Files.setPosixFilePermissions(settings, PosixFilePermissions.fromString("rw-------"));
        }
        node.start();
        dns = node.address("dns");
        Path file = Files.writeString(scratch.resolve("unsigned.zone"), FILE);
        for (Way way : ways().toList()) {
            node.shell("zone:load", way.zone(), file.toString());
        }
        for (Way way : ways().toList()) {
            awaitSigned(way.zone());
        }
    }

    @AfterAll
    static void stopNode() throws Exception {
        node.close();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void ldnsVerifiesTheZone(Way way) throws Exception {
        Tool.need("ldns-verify-zone");
        edit(way);
        Result result = run("ldns-verify-zone", shown(way).toString());
        assertEquals(0, result.exit(), result.output());
        assertTrue(result.output().contains("Zone is verified and complete"), result.output());
    }

    @ParameterizedTest
    @MethodSource("ways")
    void bindVerifiesTheZone(Way way) throws Exception {
        Tool.need("dnssec-verify");
        edit(way);
        Result result = run("dnssec-verify", "-q", "-o", way.zone(), shown(way).toString());
        assertEquals(0, result.exit(), result.output());
    }

    @ParameterizedTest
    @MethodSource("ways")
    void delvValidatesAnswersWithTheDsOfTheShell(Way way) throws Exception {
        Tool.need("delv");
        assertTrue(delv(way, "www", "A").contains("; fully validated"));
        assertTrue(delv(way, "mail", "A").contains("; fully validated"));
        assertTrue(delv(way, "", "DNSKEY").contains("; fully validated"));
    }

    @Test
    void bindReadsTheFilesOfOurKeys() throws Exception {
        Tool.need("dnssec-settime");
        List<Path> keys;
        try (Stream<Path> files = Files.list(node.directory().resolve("data/keys"))) {
            keys = files.filter(file -> file.toString().endsWith(".private")).toList();
        }
        assertEquals(2 * ways().count(), keys.size());
        for (Path key : keys) {
            assertEquals(
                    "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(key)));
            Result result =
                    run("dnssec-settime", "-p", "P", key.toString().replace(".private", ""));
            assertEquals(0, result.exit(), result.output());
            assertTrue(result.output().contains("Publish: "), result.output());
        }
    }

    @Test
    void aFileEditedByHandIsSignedAnew() throws Exception {
        Tool.need("ldns-verify-zone");
        Way way = new Way("13", "nsec", "zonemd = generate\n");
        Path file = scratch.resolve("again.zone");
        Files.writeString(file, FILE.replace(" 1 7200", " 4000 7200") + "by-hand A 192.0.2.99\n");
        node.shell("zone:load", way.zone(), file.toString());
        long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (!dig(way, "by-hand", "A").contains("RRSIG") && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        Result result = run("ldns-verify-zone", shown(way).toString());
        assertEquals(0, result.exit(), result.output());
    }

    private static void awaitSigned(String zone) throws Exception {
        long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (node.tryShell("zone:keys", zone).output().lines().count() < 2
                || !node.shell("zone:show", zone, zone).contains("RRSIG")) {
            assertFalse(System.nanoTime() > end, zone + " is not signed:\n" + node.output());
        }
    }

    /// Has names come and go, so that what is verified was not all signed at once.
    private void edit(Way way) throws Exception {
        node.shell("zone:set", "new.b." + way.zone(), "300", "A", "192.0.2.7");
        node.shell("zone:set", "gone." + way.zone(), "300", "A", "192.0.2.7");
        node.shell("zone:set", "cut." + way.zone(), "300", "NS", "ns.example.net");
        node.shell("zone:unset", "gone." + way.zone());
    }

    private Path shown(Way way) throws Exception {
        return Files.writeString(
                scratch.resolve(way.zone()), node.shell("zone:show", way.zone()) + "\n");
    }

    private String delv(Way way, String name, String type) throws Exception {
        String[] ds =
                node.shell("zone:ds", way.zone()).lines().findFirst().orElseThrow().split(" ");
        Path anchors =
                Files.writeString(
                        scratch.resolve(way.zone() + ".anchors"),
                        "trust-anchors {\n  \"%s\" static-ds %s %s %s \"%s\";\n};\n"
                                .formatted(ds[0], ds[4], ds[5], ds[6], ds[7]));
        Result result =
                run(
                        "delv",
                        "@127.0.0.1",
                        "-p",
                        "" + dns.getPort(),
                        "-a",
                        anchors.toString(),
                        "+root=" + way.zone(),
                        name.isEmpty() ? way.zone() : name + "." + way.zone(),
                        type);
        return result.output();
    }

    private String dig(Way way, String name, String type) throws Exception {
        return run(
                        "dig",
                        "@127.0.0.1",
                        "-p",
                        "" + dns.getPort(),
                        "+dnssec",
                        "+noall",
                        "+answer",
                        name + "." + way.zone(),
                        type)
                .output();
    }

    private static Result run(String... command) throws Exception {
        return Tool.run(scratch, Map.of(), new ArrayList<>(List.of(command)));
    }
}
