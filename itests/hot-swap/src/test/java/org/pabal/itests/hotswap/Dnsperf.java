package org.pabal.itests.hotswap;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Load from outside on a name server, and what became of it.
final class Dnsperf {

    private Dnsperf() {}

    /// Skips the test where it is not installed, and says so.
    static void need() {
        boolean found =
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "dnsperf")));
        if (!found) {
            System.out.println(
                    "skipped: dnsperf is not installed (Debian: apt-get install dnsperf)");
        }
        Assumptions.assumeTrue(found, "dnsperf is not installed");
        Assumptions.assumeTrue(
                Files.exists(Path.of("/proc/net/snmp")), "the kernel's drops cannot be counted");
    }

    /// @param patience seconds for which it waits for an answer
    static Process start(
            InetSocketAddress dns, Path queries, int perSecond, int patience, int seconds)
            throws IOException {
        return new ProcessBuilder(
                        "dnsperf",
                        "-s",
                        dns.getAddress().getHostAddress(),
                        "-p",
                        "" + dns.getPort(),
                        "-d",
                        queries.toString(),
                        "-Q",
                        "" + perSecond,
                        "-q",
                        "60000",
                        "-c",
                        "4",
                        "-t",
                        "" + patience,
                        "-l",
                        "" + seconds)
                .redirectErrorStream(true)
                .start();
    }

    /// The datagrams that the kernel dropped because a socket was full: ours, or dnsperf's when a
    /// thousand answers come at once.
    static long drops() throws IOException {
        List<String[]> udp =
                Files.readAllLines(Path.of("/proc/net/snmp")).stream()
                        .filter(line -> line.startsWith("Udp:"))
                        .map(line -> line.split("\\s+"))
                        .toList();
        return Long.parseLong(udp.get(1)[List.of(udp.get(0)).indexOf("RcvbufErrors")]);
    }

    /// A number of its report.
    static long number(String report, String pattern) {
        return Long.parseLong(find(report, pattern));
    }

    static String find(String report, String pattern) {
        Matcher found = Pattern.compile(pattern).matcher(report);
        assertTrue(found.find(), pattern + " in " + report);
        return found.group(1);
    }
}
