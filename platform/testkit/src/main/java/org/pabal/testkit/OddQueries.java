package org.pabal.testkit;

import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/// Messages that no ordinary client sends, and that a name server has to answer all the same: other
/// opcodes and classes, wrong counts, odd flags, broken names, OPT records of every kind.
public final class OddQueries {

    private static final int A = 1;
    private static final int IN = 1;

    private final Map<String, byte[]> queries = new LinkedHashMap<>();
    private final byte[] name;

    private OddQueries(byte[] name) {
        this.name = name;
    }

    /// All of them, by what is odd about each.
    ///
    /// @param name of the question, in wire form
    public static Map<String, byte[]> about(byte[] name) {
        return new OddQueries(name).all();
    }

    private Map<String, byte[]> all() {
        for (int opcode = 0; opcode < 16; opcode++) {
            add("opcode " + opcode, opcode << 11, 1, 0, 0, 0, question(A, IN));
        }
        for (int bit = 0; bit < 11; bit++) {
            add("flag bit " + bit, 1 << bit, 1, 0, 0, 0, question(A, IN));
        }
        add("an answer", 0x8000, 1, 0, 0, 0, question(A, IN));
        for (int dclass : new int[] {0, 2, 3, 4, 254, 255, 4711}) {
            add("class " + dclass, 0, 1, 0, 0, 0, question(A, dclass));
        }
        for (int type : new int[] {0, 6, 41, 249, 250, 251, 252, 253, 254, 255, 256, 65535}) {
            add("type " + type, 0, 1, 0, 0, 0, question(type, IN));
        }
        add("no question", 0, 0, 0, 0, 0);
        add("no question, OPT", 0, 0, 0, 0, 1, opt(1232, 0, 0, 0));
        add("two questions", 0, 2, 0, 0, 0, question(A, IN), question(A, IN));
        add("a question too few", 0, 2, 0, 0, 0, question(A, IN));
        add("trailing octets", 0, 1, 0, 0, 0, question(A, IN), new byte[] {1, 2, 3});
        add("an answer record", 0, 1, 1, 0, 0, question(A, IN), address());
        add("an authority record", 0, 1, 0, 1, 0, question(A, IN), address());
        add("an additional record", 0, 1, 0, 0, 1, question(A, IN), address());
        add("an answer too few", 0, 1, 1, 0, 0, question(A, IN));
        add("OPT", 0, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 0, 0));
        add("OPT too few", 0, 1, 0, 0, 1, question(A, IN));
        add("OPT version 1", 0, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 1, 0));
        add("OPT version 255 DO", 0, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 255, 0x8000));
        add("OPT version 1, no such name", 0, 1, 0, 0, 1, nosuch(), opt(1232, 0, 1, 0));
        add("OPT other flags", 0, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 0, 0x7FFF));
        add("OPT rcode", 0, 1, 0, 0, 1, question(A, IN), opt(1232, 7, 0, 0));
        add("OPT size 0", 0, 1, 0, 0, 1, question(A, IN), opt(0, 0, 0, 0));
        add("OPT size 65535", 0, 1, 0, 0, 1, question(A, IN), opt(65535, 0, 0, 0));
        add("OPT twice", 0, 1, 0, 0, 2, question(A, IN), opt(1232, 0, 0, 0), opt(1232, 0, 0, 0));
        add(
                "OPT unknown option",
                0,
                1,
                0,
                0,
                1,
                question(A, IN),
                opt(
                        1232,
                        0,
                        0,
                        0,
                        (byte) 0xFD,
                        (byte) 0xE9,
                        (byte) 0,
                        (byte) 2,
                        (byte) 1,
                        (byte) 2));
        add(
                "OPT option too long",
                0,
                1,
                0,
                0,
                1,
                question(A, IN),
                opt(
                        1232,
                        0,
                        0,
                        0,
                        (byte) 0xFD,
                        (byte) 0xE9,
                        (byte) 0,
                        (byte) 9,
                        (byte) 1,
                        (byte) 2));
        add(
                "OPT client subnet",
                0,
                1,
                0,
                0,
                1,
                question(A, IN),
                opt(
                        1232, 0, 0, 0, (byte) 0, (byte) 8, (byte) 0, (byte) 4, (byte) 0, (byte) 1,
                        (byte) 0, (byte) 0));
        add("OPT as answer", 0, 1, 1, 0, 0, question(A, IN), opt(1232, 0, 0, 0));
        add("OPT, opcode 4", 4 << 11, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 0, 0));
        add("OPT, opcode 15 version 1", 15 << 11, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 1, 0));
        add("OPT, class 3", 0, 1, 0, 0, 1, question(A, 3), opt(1232, 0, 0, 0));
        add("OPT, AXFR", 0, 1, 0, 0, 1, question(252, IN), opt(1232, 0, 0, 0));
        add("OPT then more", 0, 1, 0, 0, 1, question(A, IN), opt(1232, 0, 0, 0), new byte[] {0});
        add("pointer as name", 0, 1, 0, 0, 0, new byte[] {(byte) 0xC0, 12, 0, 1, 0, 1});
        add("label type 01", 0, 1, 0, 0, 0, new byte[] {0x41, 1, 0, 0, 1, 0, 1});
        add("name without end", 0, 1, 0, 0, 0, new byte[] {3, 'a', 'b', 'c'});
        add("question without class", 0, 1, 0, 0, 0, new byte[] {0, 0, 1});
        byte[] tooLong = new byte[300];
        for (int i = 0; i < 260; i += 2) {
            tooLong[i] = 1;
            tooLong[i + 1] = 'a';
        }
        add("name too long", 0, 1, 0, 0, 0, tooLong);
        add(
                "not ours",
                0,
                1,
                0,
                0,
                0,
                new byte[] {1, 'q', 7, 'i', 'n', 'v', 'a', 'l', 'i', 'd', 0, 0, 1, 0, 1});
        return queries;
    }

    private void add(
            String what,
            int flags,
            int questions,
            int answers,
            int authority,
            int additional,
            byte[]... parts) {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        int id = 1000 + queries.size();
        for (int word : new int[] {id, flags, questions, answers, authority, additional}) {
            message.writeBytes(word(word));
        }
        for (byte[] part : parts) {
            message.writeBytes(part);
        }
        queries.put(what, message.toByteArray());
    }

    private byte[] question(int type, int dclass) {
        return joined(name, word(type), word(dclass));
    }

    private byte[] nosuch() {
        return joined(new byte[] {2, 'z', 'q'}, name, word(A), word(IN));
    }

    private byte[] address() {
        return joined(name, word(A), word(IN), word(0), word(60), word(4), word(0), word(1));
    }

    private static byte[] opt(int size, int rcode, int version, int flags, byte... options) {
        return joined(
                new byte[1],
                word(41),
                word(size),
                word(rcode << 8 | version),
                word(flags),
                word(options.length),
                options);
    }

    private static byte[] word(int value) {
        return new byte[] {(byte) (value >> 8), (byte) value};
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
