package org.pabal.testkit;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/// Asks NSD, Knot DNS and a server of ours about the same generated zones. Where the two agree,
/// ours has to say the same.
///
/// Compared are rcode, AA, TC, the records of the answer and of the authority section as sets, and
/// of the additional section those that both peers send.
public final class PeerComparison {

    /// The server that is compared with the peers.
    public interface Candidate {

        /// Serves these zones, and no others.
        ///
        /// @param zones master files by origin
        void serve(Map<String, Path> zones) throws IOException;

        /// The answer over UDP.
        Optional<byte[]> ask(byte[] query) throws IOException;
    }

    /// What came of it.
    public static final class Report {

        Report() {}

        /// Questions that were asked, and those to which both peers say the same.
        public int asked;

        public int agreed;

        /// Of those: where ours has an NSEC or NSEC3 more than both peers.
        public int moreProofs;

        /// Of those: where ours says something else; a text each.
        public final List<String> differences = new ArrayList<>();

        /// The first of the questions to which the peers differ, for those who look.
        public final List<String> disputes = new ArrayList<>();

        /// Zones that one of the peers does not serve.
        public final List<String> unserved = new ArrayList<>();

        @Override
        public String toString() {
            return "%d questions, %d of them with one answer of NSD and Knot, %d of those answered otherwise by us, %d with a proof more; %d zones not served by a peer"
                    .formatted(asked, agreed, differences.size(), moreProofs, unserved.size());
        }
    }

    private final Path folder;
    private final Candidate candidate;
    private final Random random;
    private final Report report = new Report();
    private int batches;

    /// @param folder empty
    public PeerComparison(Path folder, long seed, Candidate candidate) {
        this.folder = folder;
        this.candidate = candidate;
        this.random = new Random(seed);
    }

    public Report report() {
        return report;
    }

    /// Compares on that many worlds of zones, served together.
    ///
    /// @param signed sign half of them
    public void run(int worlds, int questions, boolean signed) throws IOException {
        Path batch = Files.createDirectory(folder.resolve("batch" + batches++));
        Map<String, Path> zones = new LinkedHashMap<>();
        List<ZoneGenerator.World> made = new ArrayList<>();
        ZoneGenerator generator = new ZoneGenerator(random, true);
        for (int i = 0; i < worlds; i++) {
            String suffix = worlds == 1 ? "." : "w" + i + ".test.";
            ZoneGenerator.World world = generator.world(suffix, questions);
            made.add(world);
            for (Map.Entry<String, String> zone : world.zones().entrySet()) {
                Path file = batch.resolve("zone" + zones.size());
                Files.writeString(file, zone.getValue());
                zones.put(
                        zone.getKey(),
                        signed && random.nextInt(4) > 0 ? signed(zone.getKey(), file) : file);
            }
        }
        try (PeerServer nsd = PeerServer.nsd(Files.createDirectory(batch.resolve("nsd")), zones);
                PeerServer knot =
                        PeerServer.knot(Files.createDirectory(batch.resolve("knot")), zones)) {
            candidate.serve(zones);
            Set<String> served = new HashSet<>();
            for (String origin : zones.keySet()) {
                if (awaitZone(nsd, origin) && awaitZone(knot, origin)) {
                    served.add(origin);
                } else {
                    report.unserved.add(origin + " " + zones.get(origin));
                }
            }
            for (ZoneGenerator.World world : made) {
                if (!world.zones().keySet().stream().allMatch(served::contains)) {
                    continue;
                }
                for (Message question : world.questions()) {
                    compare(nsd, knot, question, world, zones);
                }
            }
        }
    }

    /// Compares on messages that no ordinary client sends: rcode, flags and counts. The peers often
    /// differ here; the report's disputes say how.
    public void runOddQueries() throws IOException {
        Path batch = Files.createDirectory(folder.resolve("odd" + batches++));
        Path file =
                Files.writeString(
                        batch.resolve("zone"),
                        """
                        example.org. 3600 SOA ns1.example.org. hostmaster.example.org. 1 7200 3600 1209600 300
                        example.org. 3600 NS ns1.example.org.
                        example.org. 3600 A 192.0.2.1
                        ns1.example.org. 3600 A 192.0.2.53
                        """);
        Map<String, Path> zones = Map.of("example.org.", file);
        try (PeerServer nsd = PeerServer.nsd(Files.createDirectory(batch.resolve("nsd")), zones);
                PeerServer knot =
                        PeerServer.knot(Files.createDirectory(batch.resolve("knot")), zones)) {
            candidate.serve(zones);
            if (!awaitZone(nsd, "example.org.") || !awaitZone(knot, "example.org.")) {
                throw new IOException("NSD or Knot does not serve example.org.");
            }
            byte[] name = Name.fromConstantString("example.org.").toWire();
            for (Map.Entry<String, byte[]> odd : OddQueries.about(name).entrySet()) {
                report.asked++;
                String one = said(nsd, odd.getValue());
                String other = said(knot, odd.getValue());
                String ours = summary(candidate.ask(odd.getValue()));
                String all =
                        "%s%n  NSD:  %s%n  Knot: %s%n  we:   %s"
                                .formatted(odd.getKey(), one, other, ours);
                if (!one.equals(other)) {
                    report.disputes.add(all);
                } else {
                    report.agreed++;
                    if (!one.equals(ours)) {
                        report.differences.add(all);
                    }
                }
            }
        }
    }

    /// A reply may be so short that no parser takes it: read by hand.
    private static String summary(Optional<byte[]> reply) {
        if (reply.isEmpty()) {
            return "no reply";
        }
        byte[] octets = reply.get();
        int flags = (octets[2] & 0xFF) << 8 | octets[3] & 0xFF;
        String opt = "";
        try {
            OPTRecord record = new Message(octets).getOPT();
            if (record != null) {
                opt =
                        " edns %d rcode %d flags %x"
                                .formatted(
                                        record.getVersion(),
                                        record.getExtendedRcode(),
                                        record.getFlags());
            }
        } catch (IOException e) {
            opt = " cannot be read";
        }
        return "opcode %d %s%s%s%s%s%s%s%s rcode %s counts %d %d %d %d%s"
                .formatted(
                        flags >> 11 & 0xF,
                        (flags & 0x8000) == 0 ? "" : "qr ",
                        (flags & 0x400) == 0 ? "" : "aa ",
                        (flags & 0x200) == 0 ? "" : "tc ",
                        (flags & 0x100) == 0 ? "" : "rd ",
                        (flags & 0x80) == 0 ? "" : "ra ",
                        (flags & 0x40) == 0 ? "" : "z ",
                        (flags & 0x20) == 0 ? "" : "ad ",
                        (flags & 0x10) == 0 ? "" : "cd ",
                        Rcode.string(flags & 0xF),
                        octets[5],
                        octets[7],
                        octets[9],
                        octets[11],
                        opt);
    }

    /// Waits until a server has a zone. One that has no socket yet says so at once, which is no
    /// answer and takes no time: so the wait is counted in time.
    private static boolean awaitZone(PeerServer server, String origin) throws IOException {
        Name name = Name.fromString(origin, Name.root);
        byte[] query = Message.newQuery(Record.newRecord(name, Type.SOA, DClass.IN)).toWire();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        for (int answers = 0; System.nanoTime() < end; ) {
            Optional<byte[]> answer = server.ask(query, 20);
            if (answer.isEmpty()) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                continue;
            }
            int rcode = answer.get()[3] & 0xF;
            if (rcode == Rcode.NOERROR) {
                return true;
            }
            if (++answers > 5 && rcode == Rcode.SERVFAIL) {
                return false;
            }
        }
        return false;
    }

    /// What a peer says; asked once more when it said nothing, after it has answered something
    /// else.
    private static String said(PeerServer peer, byte[] query) throws IOException {
        Optional<byte[]> reply = peer.ask(query, 200);
        if (reply.isEmpty()) {
            awaitZone(peer, "example.org.");
            reply = peer.ask(query, 200);
        }
        return summary(reply);
    }

    private Path signed(String origin, Path file) throws IOException {
        Path signed = file.resolveSibling(file.getFileName() + ".signed");
        String key =
                run(
                        file.getParent(),
                        List.of(
                                "ldns-keygen",
                                "-a",
                                "ECDSAP256SHA256",
                                "-r",
                                "/dev/urandom",
                                origin));
        List<String> command = new ArrayList<>(List.of("ldns-signzone"));
        switch (random.nextInt(3)) {
            case 0 -> {}
            case 1 ->
                    command.addAll(
                            List.of(
                                    "-n",
                                    "-t",
                                    "" + random.nextInt(3),
                                    "-s",
                                    "ab" + random.nextInt(10) + "0"));
            default -> command.addAll(List.of("-n", "-p", "-t", "0"));
        }
        command.addAll(
                List.of(
                        "-e",
                        "20460101000000",
                        "-o",
                        origin,
                        "-f",
                        signed.toString(),
                        file.toString(),
                        key.strip()));
        String said = run(file.getParent(), command);
        if (!Files.exists(signed)) {
            report.unserved.add(origin + " not signed: " + said);
            return file;
        }
        return signed;
    }

    private static String run(Path folder, List<String> command) throws IOException {
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes());
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return output;
    }

    private void compare(
            PeerServer nsd,
            PeerServer knot,
            Message question,
            ZoneGenerator.World world,
            Map<String, Path> files)
            throws IOException {
        byte[] query = question.toWire();
        Optional<byte[]> one = nsd.ask(query, 2000);
        Optional<byte[]> other = knot.ask(query, 2000);
        Optional<byte[]> ours = candidate.ask(query);
        report.asked++;
        if (one.isEmpty() || other.isEmpty()) {
            return;
        }
        Message theirs = new Message(one.get());
        Message theirsToo = new Message(other.get());
        int type = question.getQuestion().getType();
        boolean minimal = type == Type.ANY || type == Type.RRSIG; // RFC 8482: our choice
        String text = essence(theirs, minimal);
        String where =
                world.zones().keySet().stream()
                        .map(origin -> origin + " " + files.get(origin))
                        .collect(Collectors.joining("\n  ", "\n  ", ""));
        String asked =
                question.getQuestion().getName()
                        + " "
                        + Type.string(question.getQuestion().getType())
                        + (question.getOPT() == null
                                ? " plain"
                                : " edns "
                                        + question.getOPT().getPayloadSize()
                                        + ((question.getOPT().getFlags() & 0x8000) != 0
                                                ? " do"
                                                : ""));
        if (!text.equals(essence(theirsToo, minimal))) {
            if (report.disputes.size() < 2000) {
                report.disputes.add(
                        asked
                                + "\nNSD:\n"
                                + text
                                + "\nKnot:\n"
                                + essence(theirsToo, minimal)
                                + "\nwe:\n"
                                + (ours.isEmpty()
                                        ? "nothing"
                                        : essence(new Message(ours.get()), minimal))
                                + where);
            }
            return;
        }
        report.agreed++;
        if (ours.isEmpty()) {
            report.differences.add(asked + "\nexpected:\n" + text + "\nand we say nothing" + where);
            return;
        }
        Message we = new Message(ours.get());
        String mine = essence(we, minimal);
        List<String> extra = records(theirs, Section.ADDITIONAL);
        extra.retainAll(records(theirsToo, Section.ADDITIONAL));
        List<String> missing = new ArrayList<>(extra);
        missing.removeAll(records(we, Section.ADDITIONAL));
        String flags = flags(theirs);
        if (!flags.equals(flags(theirsToo))) {
            flags = flags(we);
        }
        if (!mine.equals(text) && hasMoreProofs(we, theirs)) {
            report.moreProofs++;
            mine = text;
        }
        int needed = missing.stream().mapToInt(String::length).sum();
        if (ours.get().length + 3 * needed > limit(question)) {
            missing.clear();
        }
        if (minimal) {
            flags = flags(we);
        }
        if (!mine.equals(text) || !missing.isEmpty() || !flags.equals(flags(we))) {
            report.differences.add(
                    asked
                            + "\nexpected: "
                            + flags
                            + "\n"
                            + text
                            + "\nand we say: "
                            + flags(we)
                            + "\n"
                            + mine
                            + "\nmissing in additional: "
                            + missing
                            + where);
        }
    }

    private static String essence(Message message, boolean minimal) {
        boolean truncated = message.getHeader().getFlag(Flags.TC);
        if (minimal && !message.getSection(Section.ANSWER).isEmpty()) {
            return Rcode.string(message.getRcode());
        }
        return (truncated ? "" : Rcode.string(message.getRcode()))
                + (message.getHeader().getFlag(Flags.AA) ? " aa" : "")
                + (truncated ? " tc" : "")
                + "\nanswer: "
                + (truncated ? "" : String.join("\n        ", records(message, Section.ANSWER)))
                + "\nauthority: "
                + (truncated
                        ? ""
                        : String.join("\n           ", records(message, Section.AUTHORITY)));
    }

    /// RFC 4035 §3.1.3.4 wants the wildcard's NSEC also when the wildcard is an empty non-terminal.
    private static boolean hasMoreProofs(Message we, Message theirs) {
        List<String> more = records(we, Section.AUTHORITY);
        List<String> others = records(theirs, Section.AUTHORITY);
        return we.getRcode() == theirs.getRcode()
                && records(we, Section.ANSWER).equals(records(theirs, Section.ANSWER))
                && more.containsAll(others)
                && more.removeAll(others)
                && more.stream().allMatch(record -> record.contains(" nsec"));
    }

    private static int limit(Message question) {
        return question.getOPT() == null
                ? 512
                : Math.clamp(question.getOPT().getPayloadSize(), 512, 1232);
    }

    private static String flags(Message message) {
        OPTRecord opt = message.getOPT();
        return message.getHeader().printFlags()
                + (opt == null
                        ? ""
                        : " edns "
                                + opt.getVersion()
                                + ((opt.getFlags() & 0x8000) != 0 ? " do" : ""));
    }

    private static List<String> records(Message message, int section) {
        return message.getSection(section).stream()
                .filter(record -> record.getType() != Type.OPT)
                .map(record -> record.toString().replaceAll("\\s+", " ").toLowerCase(Locale.ROOT))
                .map(text -> text.length() > 150 ? text.substring(0, 150) + text.hashCode() : text)
                .sorted()
                .distinct()
                .collect(Collectors.toCollection(ArrayList::new));
    }
}
