package org.pabal.itests.interop;

import org.pabal.itests.interop.GeneratedWorld.Asked;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Asks our resolver and Unbound the same in generated worlds, and tells where they differ: to be
/// run in a network of its own.
///
/// Where Unbound gets no answer and we do, nobody is wrong: it gives servers up that were silent
/// for another zone. Where it says that something is bogus, so must we.
final class ResolverAgreement {

    private static final String OURS = "127.0.0.9";
    private static final String UNBOUND = "127.0.0.8";
    private static final int PATIENCE_MILLIS = 15_000;
    private static final int READY_MILLIS = 30_000;
    private static final int CLIENTS = 6;

    /// Both remember for 5 seconds that nobody answered (RFC 9520).
    private static final int FAILURES_FORGOTTEN_MILLIS = 6_000;

    /// How the question is put.
    private enum Mode {
        PLAIN,
        DNSSEC,
        UNCHECKED
    }

    private record Task(Asked asked, Mode mode) {}

    /// What of an answer has to be the same.
    ///
    /// @param error the code of RFC 8914, -1 for none
    private record Told(
            int rcode, boolean secure, Set<String> answer, Set<String> proofs, int error) {

        private static final int FIRST_OF_DNSSEC = ExtendedErrorCodeOption.DNSSEC_BOGUS;
        private static final int LAST_OF_DNSSEC = ExtendedErrorCodeOption.NSEC_MISSING;

        boolean failed() {
            return rcode == Rcode.SERVFAIL;
        }

        boolean bogus() {
            return failed() && error >= FIRST_OF_DNSSEC && error <= LAST_OF_DNSSEC;
        }

        /// Whether this can stand when Unbound says that.
        boolean standsBeside(Told unbound) {
            if (unbound.failed()) {
                return failed() || !unbound.bogus();
            }
            if (unbound.rcode == Rcode.YXDOMAIN) {
                // which it does not validate
                return failed() || rcode == Rcode.YXDOMAIN && answer.equals(unbound.answer);
            }
            // the rcode of an alias's target, for who asked for the alias
            boolean ofTarget = unbound.rcode == Rcode.NXDOMAIN && rcode == Rcode.NOERROR;
            boolean alias = answer.stream().anyMatch(line -> line.contains(" CNAME "));
            return (rcode == unbound.rcode || ofTarget && alias)
                    && secure == unbound.secure
                    && answer.equals(unbound.answer)
                    && (ofTarget
                            || !unbound.proofs.contains("RRSIG")
                            || proofs.containsAll(unbound.proofs));
        }

        @Override
        public String toString() {
            return "%s%s %s / %s%s"
                    .formatted(
                            Rcode.string(rcode),
                            secure ? " AD" : "",
                            answer,
                            proofs,
                            error < 0 ? "" : " error " + error);
        }
    }

    private ResolverAgreement() {}

    /// @param arguments scratch directory, the script that starts our resolver, questions for each
    ///     world, QNAME minimisation (`yes` or `no`), numbers of worlds
    public static void main(String[] arguments) throws Exception {
        int differences = 0;
        for (String number : List.of(arguments).subList(4, arguments.length)) {
            Path folder = Files.createDirectories(Path.of(arguments[0]).resolve(number));
            differences +=
                    play(
                            folder,
                            arguments[1],
                            Integer.parseInt(arguments[2]),
                            arguments[3],
                            Long.parseLong(number));
        }
        System.exit(differences == 0 ? 0 : 1);
    }

    private static int play(Path folder, String start, int questions, String minimise, long number)
            throws Exception {
        List<Process> resolvers = new ArrayList<>();
        try (GeneratedWorld world = new GeneratedWorld(number)) {
            Path hints = Files.writeString(folder.resolve("hints"), world.hints());
            Path anchors = Files.writeString(folder.resolve("anchors"), world.anchors());
            Files.writeString(
                    folder.resolve("unbound.conf"),
                    unboundConfiguration(folder, hints, anchors, minimise));
            world.open();
            resolvers.add(
                    started(
                            folder,
                            "unbound.log",
                            "/usr/sbin/unbound",
                            "-d",
                            "-c",
                            "unbound.conf"));
            resolvers.add(
                    started(
                            folder,
                            "ours.log",
                            start,
                            folder.resolve("ours").toString(),
                            OURS,
                            hints.toString(),
                            anchors.toString(),
                            "",
                            minimise));
            ready(UNBOUND);
            ready(OURS);
            return compare(world, number, world.questions(questions));
        } finally {
            for (Process process : resolvers) {
                process.descendants().forEach(ProcessHandle::destroy);
                process.destroy();
                process.waitFor();
            }
        }
    }

    private static String unboundConfiguration(
            Path folder, Path hints, Path anchors, String minimise) {
        return """
        server:
          interface: %s
          port: 53
          username: ""
          chroot: ""
          directory: "%s"
          pidfile: ""
          use-syslog: no
          logfile: ""
          val-log-level: 2
          log-servfail: yes
          ede: yes
          num-threads: 1
          outgoing-num-tcp: 100
          do-daemonize: no
          access-control: 0.0.0.0/0 allow_snoop
          do-not-query-localhost: no
          do-ip6: no
          qname-minimisation: %s
          harden-glue: yes
          module-config: "validator iterator"
          trust-anchor-signaling: no
          minimal-responses: yes
          target-fetch-policy: "0 0 0 0 0"
          aggressive-nsec: yes
          local-zone: test. nodefault
          root-hints: "%s"
          trust-anchor-file: "%s"
        remote-control:
          control-enable: no
        """
                .formatted(UNBOUND, folder, minimise, hints, anchors);
    }

    private static Process started(Path folder, String log, String... command) throws IOException {
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(log).toFile())
                .start();
    }

    private static void ready(String address) throws Exception {
        long end = System.currentTimeMillis() + READY_MILLIS;
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(address, 53), 500);
                return;
            } catch (IOException e) {
                if (System.currentTimeMillis() > end) {
                    throw e;
                }
                Thread.sleep(50);
            }
        }
    }

    /// Asks everything, and what differs once more: datagrams get lost.
    private static int compare(GeneratedWorld world, long number, List<Asked> questions)
            throws Exception {
        Map<Task, Future<Optional<String>>> outcomes = new LinkedHashMap<>();
        try (ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            for (Asked asked : questions) {
                Mode any = Mode.values()[Math.floorMod(asked.hashCode(), Mode.values().length)];
                // who checks himself gets what the server says from us, and what it proves from
                // Unbound
                boolean denied = asked.zone().is(WorldZone.Oddity.EMPTY_NON_TERMINALS_DENIED);
                Mode mode = denied && any == Mode.UNCHECKED ? Mode.DNSSEC : any;
                outcomes.put(
                        new Task(asked, mode), clients.submit(() -> compare(world, asked, mode)));
            }
        }
        List<Task> differing = new ArrayList<>();
        for (Map.Entry<Task, Future<Optional<String>>> each : outcomes.entrySet()) {
            if (each.getValue().get().isPresent()) {
                differing.add(each.getKey());
            }
        }
        if (!differing.isEmpty()) {
            Thread.sleep(FAILURES_FORGOTTEN_MILLIS);
        }
        int differences = 0;
        for (Task task : differing) {
            Optional<String> difference = compare(world, task.asked(), task.mode());
            difference.ifPresent(System.out::println);
            differences += difference.isPresent() ? 1 : 0;
        }
        System.out.printf(
                "world %d: %d questions, %d differences%n", number, outcomes.size(), differences);
        return differences;
    }

    private static Optional<String> compare(GeneratedWorld world, Asked asked, Mode mode)
            throws IOException {
        boolean stream = asked.hashCode() % 5 == 0;
        Told unbound = told(ask(UNBOUND, asked, mode, stream), mode);
        Told ours = told(ask(OURS, asked, mode, stream), mode);
        Told again = told(ask(OURS, asked, mode, !stream), mode);
        boolean same =
                again.rcode == ours.rcode
                        && again.secure == ours.secure
                        && again.answer.equals(ours.answer);
        return ours.standsBeside(unbound) && same
                ? Optional.empty()
                : Optional.of(
                        "%s %s %s in%s%n  Unbound: %s%n  ours:    %s%n  again:   %s"
                                .formatted(
                                        asked.name(),
                                        Type.string(asked.type()),
                                        mode,
                                        world.describe(asked.name()),
                                        unbound,
                                        ours,
                                        again));
    }

    private static Told told(Message message, Mode mode) {
        Set<String> answer = new TreeSet<>();
        for (Record record : message.getSection(Section.ANSWER)) {
            String data = record.rdataToString();
            answer.add(
                    "%s %s %s"
                            .formatted(
                                    record.getName(),
                                    Type.string(record.getType()),
                                    record.getType() == Type.RRSIG ? data.split(" ")[0] : data)
                            .toLowerCase(Locale.ROOT)
                            .replace(" cname ", " CNAME "));
        }
        Set<String> proofs = new TreeSet<>();
        for (Record record : message.getSection(Section.AUTHORITY)) {
            if (record.getType() != Type.NS) {
                proofs.add(Type.string(record.getType()));
            }
        }
        int error = -1;
        if (message.getOPT() != null) {
            error =
                    message.getOPT().getOptions().stream()
                            .filter(ExtendedErrorCodeOption.class::isInstance)
                            .mapToInt(option -> ((ExtendedErrorCodeOption) option).getErrorCode())
                            .findFirst()
                            .orElse(-1);
        }
        boolean secure = message.getHeader().getFlag(Flags.AD) && mode != Mode.UNCHECKED;
        return new Told(message.getRcode(), secure, answer, proofs, error);
    }

    private static Message ask(String address, Asked asked, Mode mode, boolean stream)
            throws IOException {
        Message query = Message.newQuery(Record.newRecord(asked.name(), asked.type(), DClass.IN));
        int flags = mode == Mode.PLAIN ? 0 : ExtendedFlags.DO;
        query.addRecord(new OPTRecord(4096, 0, 0, flags), Section.ADDITIONAL);
        query.getHeader().setFlag(mode == Mode.UNCHECKED ? Flags.CD : Flags.AD);
        byte[] wire = query.toWire();
        try {
            return stream ? byTcp(address, wire) : byUdp(address, wire);
        } catch (SocketTimeoutException | EOFException e) {
            Message none = new Message();
            none.getHeader().setRcode(Rcode.SERVFAIL);
            return none;
        }
    }

    private static Message byUdp(String address, byte[] wire) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(address, 53));
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.send(new DatagramPacket(wire, wire.length));
            DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
            socket.receive(answer);
            Message message = new Message(Arrays.copyOf(answer.getData(), answer.getLength()));
            return message.getHeader().getFlag(Flags.TC) ? byTcp(address, wire) : message;
        }
    }

    private static Message byTcp(String address, byte[] wire) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(InetAddress.ofLiteral(address), 53), PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            ByteBuffer query = ByteBuffer.allocate(wire.length + 2);
            socket.getOutputStream().write(query.putShort((short) wire.length).put(wire).array());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readUnsignedShort()];
            in.readFully(answer);
            return new Message(answer);
        }
    }
}
