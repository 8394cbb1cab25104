package org.pabal.itests.interop;

import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;

import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.Message;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The two houses of [MailHouses], and a zone `safe.test` that the second has signed, with the key
/// that the first trusts: below it are domains with whatever hosts and records a test wants.
///
/// ```
///   one.test, its resolver ──▶ the liar at 127.0.0.6 ──▶ two.test, which has signed safe.test
///                                breaks what signs TLSA records of names with `bogus`
/// ```
final class SafeHouses implements AutoCloseable {

    static final String ZONE = "safe.test";

    private static final String LIAR = "127.0.0.6";
    private static final int PATIENCE_MILLIS = 20_000;
    private static final int LARGEST = 0xFFFF;

    final MailHouses houses;
    private final ScriptedNameServer liar;

    SafeHouses(Path scratch) throws Exception {
        houses = new MailHouses(scratch, "");
        liar = new ScriptedNameServer(LIAR, 0, this::passOn);
    }

    /// @param records of `safe.test`
    void start(Path scratch, String records) throws Exception {
        Files.writeString(
                houses.two.directory().resolve("data/zones/" + ZONE + ".zone"),
                "$TTL 60\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A "
                        + MailHouses.TWO
                        + "\n"
                        + records);
        houses.two.set("org.pabal.zone~safe.cfg", "zones", ZONE);
        houses.two.set("org.pabal.zone~safe.cfg", "sign", "yes");
        houses.two.start();
        Path anchors = Files.writeString(scratch.resolve("anchors"), signer() + "\n");
        String resolver = "org.pabal.dns.recursive.cfg";
        houses.one.set(resolver, "trust-anchors", anchors.toString());
        houses.one.set(
                resolver,
                "stub",
                "two.test %s@%d, %s %s@%d"
                        .formatted(
                                MailHouses.TWO,
                                houses.dnsPort,
                                ZONE,
                                LIAR,
                                liar.address().getPort()));
        houses.one.start();
        houses.one.shell("account:add", "alice@one.test", "pabal");
        houses.two.shell("account:add", "bob@two.test", "pabal");
    }

    /// The zone's DS record.
    private String signer() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (System.nanoTime() < end) {
            String said = houses.two.shell("zone:ds", ZONE);
            for (String line : said.lines().toList()) {
                if (line.matches(ZONE + "\\.?\\s.*\\sDS\\s.*")) {
                    return line;
                }
            }
        }
        throw new IOException("no DS record of " + ZONE + ":\n" + houses.two.output());
    }

    private List<byte[]> passOn(byte[] query, boolean stream) throws IOException {
        InetAddress server = InetAddress.ofLiteral(MailHouses.TWO);
        byte[] answer = stream ? byStream(query, server) : byDatagram(query, server);
        Message message = new Message(answer);
        Record question = message.getQuestion();
        // resolvers ask in letters of any case
        if (question.getType() != Type.TLSA
                || !question.getName().canonicalize().toString().contains("bogus")) {
            return List.of(answer);
        }
        for (Record record : message.getSection(Section.ANSWER)) {
            if (record instanceof RRSIGRecord signature) {
                message.removeRecord(signature, Section.ANSWER);
                message.addRecord(broken(signature), Section.ANSWER);
            }
        }
        return List.of(message.toWire());
    }

    private static Record broken(RRSIGRecord right) {
        byte[] signature = right.getSignature().clone();
        signature[signature.length - 1] ^= 1;
        return new RRSIGRecord(
                right.getName(),
                right.getDClass(),
                right.getTTL(),
                right.getTypeCovered(),
                right.getAlgorithm(),
                right.getOrigTTL(),
                right.getExpire(),
                right.getTimeSigned(),
                right.getFootprint(),
                right.getSigner(),
                signature);
    }

    private byte[] byDatagram(byte[] query, InetAddress server) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.send(new DatagramPacket(query, query.length, server, houses.dnsPort));
            DatagramPacket answer = new DatagramPacket(new byte[LARGEST], LARGEST);
            socket.receive(answer);
            return Arrays.copyOf(answer.getData(), answer.getLength());
        }
    }

    private byte[] byStream(byte[] query, InetAddress server) throws IOException {
        try (Socket socket = new Socket(server, houses.dnsPort)) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            byte[] framed = new byte[query.length + 2];
            framed[0] = (byte) (query.length >> 8);
            framed[1] = (byte) query.length;
            System.arraycopy(query, 0, framed, 2, query.length);
            out.write(framed);
            out.flush();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            return in.readNBytes(in.readUnsignedShort());
        }
    }

    /// Alice hands a message to her own server, signed in, over TLS, with what she asks for.
    ///
    /// @param wishes properties of the client, `mail.smtp.dsn.notify`
    void aliceSends(String message, Map<String, String> wishes, String... to) throws Exception {
        Properties properties = new Properties();
        properties.put("mail.smtp.starttls.required", "true");
        properties.put("mail.smtp.ssl.trust", "*");
        properties.put("mail.smtp.ssl.checkserveridentity", "false");
        properties.put("mail.smtp.allow8bitmime", "true");
        properties.put("mail.smtp.from", "alice@one.test");
        properties.putAll(wishes);
        Session session = Session.getInstance(properties);
        InetSocketAddress submission = houses.one.address("submission");
        InternetAddress[] recipients = new InternetAddress[to.length];
        for (int i = 0; i < to.length; i++) {
            recipients[i] = new InternetAddress(to[i]);
        }
        byte[] octets = message.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8);
        try (Transport transport = session.getTransport("smtp")) {
            transport.connect(
                    submission.getAddress().getHostAddress(),
                    submission.getPort(),
                    "alice",
                    "pabal");
            transport.sendMessage(
                    new MimeMessage(session, new ByteArrayInputStream(octets)), recipients);
        }
    }

    /// What the first house wrote down of a recipient's fate, as soon as there is one.
    String fate(String recipient) throws Exception {
        Pattern line =
                Pattern.compile(
                        "(?m)^.*\\bq(\\w+) .*to=<"
                                + Pattern.quote(recipient)
                                + "> ((?:delivered|deferred|failed): .*)$");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (System.nanoTime() < end) {
            Matcher found = line.matcher(houses.one.output());
            if (found.find()) {
                return found.group(2);
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        throw new IOException("no fate of " + recipient + ":\n" + houses.one.output());
    }

    /// Everything that is known of the one message that waits.
    String onlyMessage() throws Exception {
        String list = houses.one.shell("queue:list");
        Matcher id = Pattern.compile("(?m)^([0-9A-Z]{12}) ").matcher(list);
        if (!id.find()) {
            throw new IOException("nothing waits:\n" + list);
        }
        return houses.one.shell("queue:show", id.group(1));
    }

    @Override
    public void close() throws IOException {
        try {
            houses.close();
        } finally {
            liar.close();
        }
    }
}
