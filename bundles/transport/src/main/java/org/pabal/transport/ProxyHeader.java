package org.pabal.transport;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.regex.Pattern;

/// What a proxy says about the client before the client's own octets, in the PROXY protocol's
/// version 1 or 2 (haproxy's `doc/proxy-protocol.txt`, cited here by its sections).
sealed interface ProxyHeader {

    /// The proxy speaks for a client.
    ///
    /// @param server the address that the client connected to
    record Proxied(InetSocketAddress client, InetSocketAddress server) implements ProxyHeader {}

    /// The proxy speaks for itself, e.g. a health check, or does not know the client.
    record Local() implements ProxyHeader {}

    /// §2.1: "a 108-byte buffer is always enough"; that counts a zero at the end, which is not
    /// sent.
    int LONGEST_LINE = 107;

    /// Room for addresses and a few additions; §2.2 allows 65,535.
    int LONGEST_BLOCK = 4_096;

    byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
    Pattern DOTTED = Pattern.compile("(0|[1-9]\\d{0,2})(\\.(0|[1-9]\\d{0,2})){3}");
    Pattern COLONS = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");
    Pattern PORT = Pattern.compile("0|[1-9]\\d{0,4}");

    /// Reads the header and nothing after it.
    ///
    /// @throws ProtocolException when what came is no such header
    static ProxyHeader read(InputStream in) throws IOException {
        int first = in.read();
        if (first == 'P') {
            return line(in);
        }
        if (first == SIGNATURE[0]) {
            return block(in);
        }
        throw new ProtocolException("the proxy sent no PROXY header");
    }

    private static ProxyHeader line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder(LONGEST_LINE).append('P');
        while (line.length() < LONGEST_LINE && line.charAt(line.length() - 1) != '\n') {
            int octet = in.read();
            if (octet < 0 || octet > 126) {
                throw new ProtocolException("a PROXY line of version 1 without an end");
            }
            line.append((char) octet);
        }
        String text = line.toString();
        if (!text.endsWith("\r\n")) {
            throw new ProtocolException("a PROXY line of version 1 without an end");
        }
        String[] words = text.substring(0, text.length() - 2).split(" ", -1);
        if (words.length >= 2 && words[0].equals("PROXY") && words[1].equals("UNKNOWN")) {
            return new Local(); // §2.1: the rest of the line is to be ignored
        }
        if (words.length != 6 || !words[0].equals("PROXY")) {
            throw new ProtocolException("a malformed PROXY line of version 1");
        }
        Pattern form =
                switch (words[1]) {
                    case "TCP4" -> DOTTED;
                    case "TCP6" -> COLONS;
                    default ->
                            throw new ProtocolException(
                                    "a PROXY line of version 1 about something other than TCP");
                };
        return new Proxied(
                new InetSocketAddress(address(words[2], form), port(words[4])),
                new InetSocketAddress(address(words[3], form), port(words[5])));
    }

    private static ProxyHeader block(InputStream in) throws IOException {
        byte[] head = new byte[16];
        head[0] = SIGNATURE[0];
        fully(in, head, 1, 15);
        if (!Arrays.equals(head, 0, 12, SIGNATURE, 0, 12) || head[12] >> 4 != 2) {
            throw new ProtocolException("a malformed PROXY header of version 2");
        }
        int length = (head[14] & 0xff) << 8 | head[15] & 0xff;
        if (length > LONGEST_BLOCK) {
            throw new ProtocolException("a PROXY header of " + length + " octets");
        }
        byte[] block = new byte[length];
        fully(in, block, 0, length);
        int command = head[12] & 0x0f;
        if (command == 0) {
            return new Local();
        }
        if (command != 1) {
            throw new ProtocolException("a PROXY header of version 2 with command " + command);
        }
        return switch (head[13]) {
            case 0x00 -> new Local(); // §2.2: UNSPEC, use the real connection's addresses
            case 0x11 -> proxied(block, 4);
            case 0x21 -> proxied(block, 16);
            default ->
                    throw new ProtocolException(
                            "a PROXY header of version 2 about something other than TCP");
        };
    }

    private static ProxyHeader proxied(byte[] block, int size) throws IOException {
        if (block.length < 2 * size + 4) {
            throw new ProtocolException(
                    "a PROXY header of version 2 that is too short for its addresses");
        }
        ByteBuffer fields = ByteBuffer.wrap(block);
        byte[] client = new byte[size];
        byte[] server = new byte[size];
        fields.get(client).get(server);
        int clientPort = fields.getShort() & 0xffff;
        int serverPort = fields.getShort() & 0xffff;
        return new Proxied(
                new InetSocketAddress(InetAddress.getByAddress(client), clientPort),
                new InetSocketAddress(InetAddress.getByAddress(server), serverPort));
    }

    private static InetAddress address(String text, Pattern form) throws ProtocolException {
        try {
            if (form.matcher(text).matches()) {
                return InetAddress.ofLiteral(text);
            }
        } catch (IllegalArgumentException e) {
            // falls through: right in its letters, wrong in its sense
        }
        throw new ProtocolException("a PROXY line of version 1 with a malformed address");
    }

    private static int port(String text) throws ProtocolException {
        if (!PORT.matcher(text).matches() || Integer.parseInt(text) > 65_535) {
            throw new ProtocolException("a PROXY line of version 1 with a malformed port");
        }
        return Integer.parseInt(text);
    }

    private static void fully(InputStream in, byte[] target, int offset, int length)
            throws IOException {
        if (in.readNBytes(target, offset, length) != length) {
            throw new ProtocolException("a PROXY header of version 2 without an end");
        }
    }
}
