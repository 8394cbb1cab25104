package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// A query as it is sent: one question, and an OPT record if the server knows what that is.
final class QueryOctets {

    static final int HEADER = 12;

    /// RFC 8467 §4.1: queries are filled up to a multiple of this.
    private static final int BLOCK = 128;

    private final byte[] octets;
    private final byte[] asked;
    private final byte[] cookie;
    private final Dialect dialect;

    private QueryOctets(byte[] octets, byte[] asked, byte[] cookie, Dialect dialect) {
        this.octets = octets;
        this.asked = asked;
        this.cookie = cookie;
        this.dialect = dialect;
    }

    /// What is said in a query beside its question.
    ///
    /// @param id of 16 bits
    /// @param recursive the server is to do the walk: RD. Then also CD, since we check for
    ///     ourselves (RFC 6840 §5.9)
    /// @param letters random bits by which letters are turned around; empty for the case as asked
    /// @param payload what we take by UDP
    /// @param cookie the data of COOKIE, for that dialect
    /// @param padded to whole blocks, for the eyes of who sees encrypted ones (RFC 7830)
    record Manner(
            int id,
            boolean recursive,
            byte[] letters,
            Dialect dialect,
            int payload,
            byte[] cookie,
            boolean padded) {}

    static QueryOctets of(Question question, Manner manner) {
        byte[] asked = question.name().toWire();
        byte[] name = manner.letters.length == 0 ? asked : turned(asked, manner.letters);
        ByteBuffer out = ByteBuffer.allocate(HEADER + name.length + 4 + 11 + 44 + BLOCK + 4);
        out.putShort((short) manner.id);
        out.putShort((short) (manner.recursive ? flag(Flags.RD) | flag(Flags.CD) : 0));
        out.putShort((short) 1).putInt(0);
        out.putShort((short) (manner.dialect == Dialect.PLAIN ? 0 : 1));
        out.put(name).putShort((short) question.type()).putShort((short) DClass.IN);
        if (manner.dialect != Dialect.PLAIN) {
            putOpt(out, manner);
        }
        return new QueryOctets(
                Arrays.copyOf(out.array(), out.position()),
                asked,
                manner.dialect == Dialect.OPTIONS ? manner.cookie : new byte[0],
                manner.dialect);
    }

    private static int flag(int number) {
        return 1 << 15 - number;
    }

    /// RFC 6891 §6.1.2, with the DO bit of RFC 3225.
    private static void putOpt(ByteBuffer out, Manner manner) {
        out.put((byte) 0).putShort((short) Type.OPT).putShort((short) manner.payload);
        out.putInt(ExtendedFlags.DO);
        int length = out.position();
        out.putShort((short) 0);
        if (manner.dialect == Dialect.OPTIONS && manner.cookie.length > 0) {
            out.putShort((short) EDNSOption.Code.COOKIE).putShort((short) manner.cookie.length);
            out.put(manner.cookie);
        }
        if (manner.padded) {
            out.putShort((short) EDNSOption.Code.PADDING);
            int padding = Math.floorMod(-(out.position() + 2), BLOCK);
            out.putShort((short) padding).put(new byte[padding]);
        }
        out.putShort(length, (short) (out.position() - length - 2));
    }

    /// The octets before labels are at most 63, so they are never taken for letters.
    private static byte[] turned(byte[] name, byte[] letters) {
        byte[] turned = name.clone();
        for (int i = 0; i < turned.length; i++) {
            int lower = turned[i] | 0x20;
            if (lower >= 'a' && lower <= 'z' && (letters[i >> 3] >> (i & 7) & 1) != 0) {
                turned[i] ^= 0x20;
            }
        }
        return turned;
    }

    byte[] octets() {
        return octets;
    }

    int id() {
        return (octets[0] & 0xFF) << 8 | octets[1] & 0xFF;
    }

    /// Where the question ends.
    int questionEnd() {
        return HEADER + asked.length + 4;
    }

    /// The name in the case of the question, not of the query.
    byte[] asked() {
        return asked;
    }

    Dialect dialect() {
        return dialect;
    }

    /// What was sent as COOKIE; empty when none was.
    byte[] cookie() {
        return cookie;
    }
}
