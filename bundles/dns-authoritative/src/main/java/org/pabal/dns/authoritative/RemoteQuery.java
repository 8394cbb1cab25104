package org.pabal.dns.authoritative;

import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// One request to another name server and its answer, signed and checked when there is a key.
///
/// By UDP each has a random id and a socket, and so a random port, of its own (security row D1);
/// what does not fit is passed over while the time runs (row D10).
final class RemoteQuery {

    private static final SecureRandom CHANCE = new SecureRandom();

    /// RFC 8945 §6; other algorithms have no keys here.
    private static final Map<Name, Integer> LENGTHS =
            Map.of(
                    TSIG.HMAC_MD5, 16,
                    TSIG.HMAC_SHA1, 20,
                    TSIG.HMAC_SHA224, 28,
                    TSIG.HMAC_SHA256, 32,
                    TSIG.HMAC_SHA384, 48,
                    TSIG.HMAC_SHA512, 64);

    private final RemoteServer server;
    private final Optional<TSIG> key;
    private final Message query;
    private final byte[] octets;

    /// @param query gets its id and, when there is a key, its signature
    RemoteQuery(RemoteServer server, Optional<TSIG> key, Message query) {
        this.server = server;
        this.key = key;
        this.query = query;
        query.getHeader().setID(CHANCE.nextInt(0x10000));
        key.ifPresent(tsig -> tsig.apply(query, null));
        this.octets = query.toWire(0xFFFF);
    }

    int id() {
        return query.getHeader().getID();
    }

    byte[] octets() {
        return octets;
    }

    /// The signature of the request, which those of the answer go on from (RFC 8945 §5.3.1).
    Optional<TSIGRecord> signature() {
        return Optional.ofNullable(query.getTSIG());
    }

    /// Asks by UDP, or by TLS where the server is to be spoken to by that.
    ///
    /// @throws SocketTimeoutException when no good answer came in time
    Message answer(Optional<Path> trust, Duration patience) throws IOException {
        if (server.tls().isPresent()) {
            try (ServerStream stream = ServerStream.open(server, trust, patience)) {
                stream.send(octets);
                byte[] answer = stream.read();
                Message message = parsed(answer);
                Optional<String> fault = fault(message, answer);
                if (fault.isPresent()) {
                    throw new TransferFault(fault.get());
                }
                return message;
            }
        }
        String seen = "";
        long deadline = System.nanoTime() + patience.toNanos();
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(server.address());
            socket.send(new DatagramPacket(octets, octets.length));
            DatagramPacket packet = new DatagramPacket(new byte[0xFFFF], 0xFFFF);
            while (true) {
                long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
                if (left <= 0) {
                    throw new SocketTimeoutException("took too long");
                }
                socket.setSoTimeout((int) left);
                packet.setLength(0xFFFF);
                socket.receive(packet);
                byte[] answer = new byte[packet.getLength()];
                System.arraycopy(packet.getData(), 0, answer, 0, answer.length);
                try {
                    Message message = parsed(answer);
                    Optional<String> fault = fault(message, answer);
                    if (fault.isEmpty()) {
                        return message;
                    }
                    seen = ", but: " + fault.get();
                } catch (TransferFault e) {
                    seen = ", but: " + e.getMessage();
                }
            }
        } catch (SocketTimeoutException e) {
            throw new SocketTimeoutException("no answer by UDP" + seen);
        }
    }

    /// What is wrong with an answer; empty when it is the one to our request.
    private Optional<String> fault(Message message, byte[] octets) {
        if (message.getHeader().getID() != id()
                || !message.getHeader().getFlag(Flags.QR)
                || message.getHeader().getOpcode() != query.getHeader().getOpcode()
                || message.getQuestion() != null
                        && !message.getQuestion().equals(query.getQuestion())) {
            return Optional.of("a message that is no answer to our request");
        }
        return key.isEmpty()
                ? Optional.empty()
                : fault(key.get().verify(message, octets, query.getTSIG()), message);
    }

    /// What a TSIG check says of a message; empty when all is well.
    static Optional<String> fault(int result, Message message) {
        TSIGRecord signature = message.getTSIG();
        if (result == Rcode.NOERROR && (signature == null || whole(signature))) {
            return Optional.empty();
        }
        String why =
                signature == null
                        ? "no signature (TSIG), answered " + Rcode.string(message.getRcode())
                        : result == Rcode.NOERROR
                                ? "a truncated signature (TSIG)"
                                : "a bad signature (TSIG), "
                                        + Rcode.TSIGstring(
                                                signature.getError() != Rcode.NOERROR
                                                        ? signature.getError()
                                                        : result);
        return Optional.of(why + "; expected both sides to have the same key and time");
    }

    /// Security row D21: nobody asked for truncated signatures.
    private static boolean whole(TSIGRecord signature) {
        return signature.getSignature().length >= LENGTHS.get(signature.getAlgorithm());
    }

    /// A message that a server sent. dnsjava throws many things at bent ones.
    static Message parsed(byte[] octets) throws TransferFault {
        try {
            return new Message(octets);
        } catch (IOException | RuntimeException e) {
            throw new TransferFault("a message that cannot be read: " + e.getMessage());
        }
    }
}
