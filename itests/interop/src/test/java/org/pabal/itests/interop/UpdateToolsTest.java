package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.interop.Tool.Result;
import org.pabal.itests.node.Node;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Updates and transfers with the tools of BIND and Knot: `nsupdate`, `dig`, `kdig`.
class UpdateToolsTest {

    private static final String SECRET = "bm90IGEgc2VjcmV0IGF0IGFsbCwgdGhpcnR5LXR3by4=";
    private static final String KEY = "hmac-sha256:admin.example.test:" + SECRET;
    private static final String OTHER_KEY = "hmac-sha512:limited.example.test:" + SECRET;

    @TempDir static Path scratch;

    private static Node node;
    private static InetSocketAddress dns;

    @BeforeAll
    static void startNode() throws Exception {
        node = Node.init(scratch.resolve("node"));
        String zone = "org.pabal.zone~example.test.cfg";
        node.set(zone, "zones", "example.test");
        node.set(zone, "update", "admin.example.test, limited.example.test: self TXT");
        node.set(zone, "transfer", "key admin.example.test");
        node.set("org.pabal.tsig~admin.example.test.cfg", "secret", SECRET);
        String limited = "org.pabal.tsig~limited.example.test.cfg";
        node.set(limited, "algorithm", "hmac-sha512");
        node.set(limited, "secret", SECRET);
        node.start();
        dns = node.address("dns");
    }

    @AfterAll
    static void stopNode() throws Exception {
        node.close();
    }

    private static Result nsupdate(List<String> options, String... lines) throws Exception {
        Path script = scratch.resolve("updates");
        Files.writeString(
                script,
                "server 127.0.0.1 %d\nzone example.test\n%s\nsend\n"
                        .formatted(dns.getPort(), String.join("\n", lines)));
        List<String> command = new ArrayList<>(List.of("nsupdate"));
        command.addAll(options);
        command.add(script.toString());
        return Tool.run(scratch, Map.of(), command);
    }

    private static String dig(String tool, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(tool, "@127.0.0.1", "-p", "" + dns.getPort()));
        command.addAll(List.of(arguments));
        return Tool.run(scratch, Map.of(), command).output();
    }

    private static long serial() throws Exception {
        String line = dig("dig", "+short", "example.test", "SOA").strip();
        return Long.parseLong(line.split(" ")[2]);
    }

    @Test
    void nsupdateChangesTheZone() throws Exception {
        Tool.need("nsupdate");
        Tool.need("dig");
        for (List<String> way : List.of(List.of("-y", KEY), List.of("-v", "-y", KEY))) {
            Result added =
                    nsupdate(
                            way,
                            "prereq nxdomain new.example.test",
                            "update add new.example.test 60 A 192.0.2.7",
                            "update add new.example.test 60 TXT \"hello world\"");
            assertEquals(0, added.exit(), added.output());
            assertEquals("192.0.2.7\n", dig("dig", "+short", "new.example.test"));
            Result again =
                    nsupdate(
                            way,
                            "prereq nxdomain new.example.test",
                            "update add new.example.test 60 A 192.0.2.8");
            assertTrue(again.output().contains("YXDOMAIN"), again.output());
            assertEquals("192.0.2.7\n", dig("dig", "+short", "new.example.test"));
            Result removed =
                    nsupdate(
                            way,
                            "prereq yxrrset new.example.test A 192.0.2.7",
                            "update delete new.example.test");
            assertEquals(0, removed.exit(), removed.output());
            assertTrue(dig("dig", "new.example.test").contains("NXDOMAIN"));
        }
        assertTrue(
                node.output().contains("records added, 0 removed by key admin.example.test from"),
                node.output());
    }

    @Test
    void nsupdateIsRefusedWhatItsKeyMayNot() throws Exception {
        Tool.need("nsupdate");
        String line = "update add other.example.test 60 TXT \"x\"";
        Result nobody = nsupdate(List.of(), line);
        assertTrue(nobody.output().contains("REFUSED"), nobody.output());
        Result limited = nsupdate(List.of("-y", OTHER_KEY), line);
        assertTrue(limited.output().contains("REFUSED"), limited.output());
        Result own =
                nsupdate(List.of("-y", OTHER_KEY), "update add limited.example.test 60 TXT \"x\"");
        assertEquals(0, own.exit(), own.output());
        Result wrong = nsupdate(List.of("-y", KEY.replace("bm90", "bm91")), line);
        assertNotEquals(0, wrong.exit());
        assertTrue(wrong.output().contains("BADSIG"), wrong.output());
        Result unknown = nsupdate(List.of("-y", KEY.replace("admin", "nobody")), line);
        assertTrue(unknown.output().contains("BADKEY"), unknown.output());
    }

    @Test
    void digTransfersTheZoneAndItsChanges() throws Exception {
        Tool.need("nsupdate");
        Tool.need("dig");
        long before = serial();
        Result added = nsupdate(List.of("-y", KEY), "update add ixfr.example.test 60 A 192.0.2.9");
        assertEquals(0, added.exit(), added.output());
        assertEquals(before + 1, serial());

        String all = dig("dig", "-y", KEY, "example.test", "AXFR");
        assertEquals(2, all.lines().filter(line -> line.contains("SOA")).count(), all);
        assertTrue(all.contains("ixfr.example.test.") && all.contains("MX"), all);
        assertFalse(all.contains("; Transfer failed") || all.contains("BADSIG"), all);

        String changes = dig("dig", "-y", KEY, "example.test", "IXFR=" + before);
        assertEquals(4, changes.lines().filter(line -> line.contains("SOA")).count(), changes);
        assertEquals(
                1, changes.lines().filter(line -> line.startsWith("ixfr.example.test.")).count());
        String none = dig("dig", "-y", KEY, "example.test", "IXFR=" + serial());
        assertEquals(1, none.lines().filter(line -> line.contains("SOA")).count(), none);

        assertTrue(dig("dig", "example.test", "AXFR").contains("Transfer failed"));
        String signed = dig("dig", "-y", OTHER_KEY, "example.test", "MX");
        assertTrue(signed.contains("status: NOERROR") && signed.contains("TSIG"), signed);
        assertFalse(signed.contains("Couldn't verify"), signed);
    }

    @Test
    void kdigTransfersTheZone() throws Exception {
        Tool.need("kdig");
        String all = dig("kdig", "-y", KEY, "example.test", "AXFR");
        assertEquals(2, all.lines().filter(line -> line.contains("SOA")).count(), all);
        assertTrue(all.contains("MX"), all);
    }

    @Test
    void delegatesInTheShell() throws Exception {
        Tool.need("dig");
        String done =
                node.shell(
                        "zone:delegate",
                        "sub.example.test",
                        "ns1.sub.example.test",
                        "192.0.2.1",
                        "2001:db8::1");
        assertTrue(done.contains("sub.example.test. NS ns1.sub.example.test."), done);
        String referral = dig("dig", "+norec", "www.sub.example.test");
        assertTrue(referral.contains("2001:db8::1") && referral.contains("192.0.2.1"), referral);
        String remote =
                node.shell(
                        "zone:delegate",
                        "far.example.test",
                        "ns.far.example.test",
                        "192.0.2.2",
                        "via",
                        "127.0.0.1@" + dns.getPort(),
                        "key",
                        "admin.example.test");
        assertTrue(remote.contains("at 127.0.0.1"), remote);
        assertTrue(dig("dig", "+norec", "x.far.example.test").contains("192.0.2.2"));
        assertTrue(node.shell("zone:key", "new.example.test").contains("secret = "));
    }
}
