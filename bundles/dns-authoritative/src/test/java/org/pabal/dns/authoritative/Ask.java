package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;
import org.pabal.protocol.Peer;
import org.pabal.testkit.TestConnection;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Asks a server of given settings one question, with options, from an address of choice.
final class Ask {

    private Ask() {}

    /// An option from its code and its data in hex.
    static EDNSOption option(int code, String hex) {
        return new GenericEDNSOption(code, HexFormat.of().parseHex(hex));
    }

    /// A query with an OPT record.
    static Message query(String name, int type, EDNSOption... options) {
        Message query = Message.newQuery(Record.newRecord(Node.name(name), type, DClass.IN));
        query.addRecord(new OPTRecord(1232, 0, 0, 0, options), Section.ADDITIONAL);
        return query;
    }

    static Optional<Message> datagram(AuthoritativeServer server, String client, byte[] query) {
        TestDatagram datagram =
                new TestDatagram(new Peer(new InetSocketAddress(client, 5353), "test"), query);
        server.received(datagram);
        return datagram.sent().map(Node::parsed);
    }

    static Message datagram(AuthoritativeServer server, Message query) {
        return datagram(server, "192.0.2.53", query.toWire()).orElseThrow();
    }

    static byte[] stream(AuthoritativeServer server, boolean tls, Message query) {
        return stream(server, tls, query.toWire());
    }

    static byte[] stream(AuthoritativeServer server, boolean tls, byte[] query) {
        return stream(server, "192.0.2.53", tls, query);
    }

    /// The one answer over a stream, octet for octet.
    static byte[] stream(AuthoritativeServer server, String client, boolean tls, byte[] query) {
        TestConnection connection =
                new TestConnection().from(new Peer(new InetSocketAddress(client, 4321), "test"));
        if (tls) {
            connection.withTls();
        }
        try {
            DnsFraming.write(connection.toServer(), query);
            connection.toServer().close();
            server.converse(connection);
            connection.output().flush();
            return DnsFraming.read(connection.fromServer()).orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// The options of an answer as `code=hex`, in the order of their codes.
    static List<String> options(Message answer) {
        OPTRecord opt = answer.getOPT();
        if (opt == null) {
            return List.of();
        }
        return opt.getOptions().stream()
                .sorted((a, b) -> a.getCode() - b.getCode())
                .map(
                        option ->
                                option.getCode()
                                        + "="
                                        + HexFormat.of().formatHex(option.toWire()).substring(8))
                .toList();
    }
}
