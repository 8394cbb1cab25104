package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;

/// The primary of a zone above ours that is not ours, asked and updated over TCP.
final class RemoteParent {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final RemoteServer server;
    private final Optional<TSIG> key;

    /// @param key by which it knows us
    RemoteParent(RemoteServer server, Optional<TSIG> key) {
        this.server = server;
        this.key = key;
    }

    /// The zone of that server in which a child is delegated: the nearest above it.
    ///
    /// @throws IOException when it has none, or cannot be asked; one line for an administrator
    Name zoneAbove(Name child) throws IOException {
        for (int label = 1; label < child.labels(); label++) {
            Name name = new Name(child, label);
            Message answer =
                    exchange(Message.newQuery(Record.newRecord(name, Type.SOA, DClass.IN)));
            if (answer.getRcode() == Rcode.NOERROR
                    && answer.getSection(Section.ANSWER).stream()
                            .anyMatch(r -> r.getType() == Type.SOA && r.getName().equals(name))) {
                return name;
            }
        }
        throw new IOException(where() + ": has no zone above " + child);
    }

    void update(Update update) throws IOException {
        Message answer = exchange(update);
        if (answer.getRcode() != Rcode.NOERROR) {
            throw new IOException(
                    where()
                            + ": says "
                            + Rcode.string(answer.getRcode())
                            + " to the update of zone "
                            + update.getQuestion().getName()
                            + (key.isEmpty()
                                    ? "; perhaps it wants a key, for example via "
                                            + RemoteServer.EXAMPLE
                                    : ""));
        }
    }

    private Message exchange(Message request) throws IOException {
        key.ifPresent(tsig -> tsig.apply(request, null));
        byte[] octets;
        try (Socket socket = new Socket()) {
            socket.connect(server.address(), (int) PATIENCE.toMillis());
            socket.setSoTimeout((int) PATIENCE.toMillis());
            DnsFraming.write(socket.getOutputStream(), request.toWire());
            InputStream in = new BufferedInputStream(socket.getInputStream());
            octets =
                    DnsFraming.read(in)
                            .orElseThrow(() -> new IOException("it closed without an answer"));
        } catch (IOException e) {
            throw new IOException(where() + ": " + e.getMessage(), e);
        }
        Message answer = new Message(octets);
        if (answer.getHeader().getID() != request.getHeader().getID()) {
            throw new IOException(where() + ": answered another question");
        }
        if (key.isPresent()) {
            int fault = key.get().verify(answer, octets, request.getTSIG());
            if (answer.getTSIG() != null && answer.getTSIG().getError() != Rcode.NOERROR) {
                fault = answer.getTSIG().getError(); // what it has against our signature
            }
            if (fault != Rcode.NOERROR) {
                throw new IOException(
                        where()
                                + ": the answer is not signed as it should be: "
                                + Rcode.TSIGstring(fault));
            }
        }
        return answer;
    }

    private String where() {
        return "server "
                + server.address().getAddress().getHostAddress()
                + "@"
                + server.address().getPort();
    }
}
