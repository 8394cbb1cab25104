package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/// Another name server on loopback, by UDP and TCP, which answers what a test tells it to.
final class ScriptedPrimary implements AutoCloseable {

    /// The messages of an answer; none is silence.
    interface Script {
        Stream<byte[]> answer(Message query) throws IOException;
    }

    /// What was asked, in order: `SOA`, `IXFR`, `AXFR`, `NOTIFY`.
    final List<String> asked = new CopyOnWriteArrayList<>();

    private final ServerSocket tcp;
    private final DatagramSocket udp;
    private volatile Script script;

    ScriptedPrimary(Script script) throws IOException {
        this.script = script;
        ServerSocket stream = null;
        DatagramSocket datagrams = null;
        while (datagrams == null) {
            stream = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            try {
                datagrams =
                        new DatagramSocket(
                                new InetSocketAddress(
                                        InetAddress.getLoopbackAddress(), stream.getLocalPort()));
            } catch (IOException e) {
                stream.close(); // that port is taken by UDP
            }
        }
        tcp = stream;
        udp = datagrams;
        Thread.ofVirtual().start(this::serveStreams);
        Thread.ofVirtual().start(this::serveDatagrams);
    }

    void script(Script next) {
        script = next;
    }

    /// As an administrator names it.
    String text() {
        return "127.0.0.1@" + tcp.getLocalPort();
    }

    int port() {
        return tcp.getLocalPort();
    }

    private void serveDatagrams() {
        try {
            DatagramPacket packet = new DatagramPacket(new byte[0xFFFF], 0xFFFF);
            while (true) {
                packet.setLength(0xFFFF);
                udp.receive(packet);
                byte[] octets = new byte[packet.getLength()];
                System.arraycopy(packet.getData(), 0, octets, 0, octets.length);
                for (byte[] answer : answers(octets).limit(1).toList()) {
                    udp.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                }
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serveStreams() {
        try {
            while (true) {
                Socket socket = tcp.accept();
                Thread.ofVirtual().start(() -> converse(socket));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void converse(Socket socket) {
        try (socket) {
            Optional<byte[]> query = DnsFraming.read(socket.getInputStream());
            while (query.isPresent()) {
                for (Iterator<byte[]> i = answers(query.get()).iterator(); i.hasNext(); ) {
                    DnsFraming.write(socket.getOutputStream(), i.next());
                }
                query = DnsFraming.read(socket.getInputStream());
            }
        } catch (IOException e) {
            // The other side has gone.
        }
    }

    private Stream<byte[]> answers(byte[] octets) throws IOException {
        Message query = new Message(octets);
        boolean notify = query.getHeader().getOpcode() == Opcode.NOTIFY;
        asked.add(notify ? "NOTIFY" : Type.string(query.getQuestion().getType()));
        return script.answer(query);
    }

    @Override
    public void close() throws IOException {
        tcp.close();
        udp.close();
    }

    // ---- scripts

    /// A server that has these versions, the last one current, and sends ten records a message.
    static Script serving(Zone... versions) {
        return serving(Optional.empty(), versions);
    }

    static Script serving(Optional<TSIG> key, Zone... versions) {
        Zone last = versions[versions.length - 1];
        return query -> {
            List<Record> records = new ArrayList<>();
            Record soa = ZoneChange.soa(last);
            int type = query.getQuestion().getType();
            records.add(soa);
            List<Record> steps = new ArrayList<>();
            boolean current = false;
            if (type == Type.IXFR) {
                SOARecord theirs = (SOARecord) query.getSection(Section.AUTHORITY).getFirst();
                current = theirs.getSerial() == last.serial();
                steps.addAll(steps(theirs.getSerial(), versions));
                records.addAll(steps);
            }
            if (type == Type.AXFR || type == Type.IXFR && steps.isEmpty() && !current) {
                last.all().skip(1).forEach(set -> records.addAll(set.rrs(false)));
            }
            if (records.size() > 1) {
                records.add(soa);
            }
            return sent(query, records, 10, key);
        };
    }

    private static List<Record> steps(long from, Zone... versions) {
        List<Record> records = new ArrayList<>();
        for (int i = 0; i + 1 < versions.length; i++) {
            if (versions[i].serial() == from || !records.isEmpty()) {
                ZoneChange step = ZoneChange.between(versions[i], versions[i + 1]);
                records.add(step.from());
                records.addAll(step.removed());
                records.add(step.to());
                records.addAll(step.added());
            }
        }
        return records;
    }

    /// Records in messages of so many, each signed when there is a key.
    static Stream<byte[]> sent(Message query, List<Record> records, int each, Optional<TSIG> key) {
        List<byte[]> messages = new ArrayList<>();
        TSIGRecord last = query.getTSIG();
        for (int at = 0; at < records.size(); at += each) {
            Message message = answer(query, Rcode.NOERROR);
            records.subList(at, Math.min(records.size(), at + each))
                    .forEach(record -> message.addRecord(record, Section.ANSWER));
            if (key.isPresent()) {
                key.get().apply(message, last, at == 0);
                last = message.getTSIG();
            }
            messages.add(message.toWire(0xFFFF));
        }
        return messages.stream();
    }

    static Stream<byte[]> saying(Message query, int rcode) {
        return Stream.of(answer(query, rcode).toWire(0xFFFF));
    }

    private static Message answer(Message query, int rcode) {
        Message message = new Message(query.getHeader().getID());
        message.getHeader().setFlag(Flags.QR);
        message.getHeader().setFlag(Flags.AA);
        message.getHeader().setOpcode(query.getHeader().getOpcode());
        message.getHeader().setRcode(rcode);
        message.addRecord(query.getQuestion(), Section.QUESTION);
        return message;
    }
}
