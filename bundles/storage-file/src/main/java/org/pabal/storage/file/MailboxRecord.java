package org.pabal.storage.file;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A change of one or two mailboxes in the journal: the lines of [MailboxIndex], each under the
/// mailbox that it belongs to, and what is needed to make a lost file again.
///
/// ```
///  length of the text(4) text octets of the bodies
///  M key id                 the mailbox that the lines below belong to
///  A …                      and below it one of
///  B inline LENGTH          the file's octets are the next LENGTH
///  B tail QUEUEID LENGTH    the next LENGTH, then those of a message that was queued
///  B staged                 the file is in tmp/ under its base with `pabal-` before it
/// ```
final class MailboxRecord {

    static final byte TYPE = 4;

    /// The octets of a message that was added.
    sealed interface Body {
        record Inline(byte[] octets) implements Body {}

        record Tail(String queueId, byte[] prefix) implements Body {}

        record Staged() implements Body {}

        /// The file is on disk, or was put there by others.
        record None() implements Body {}
    }

    /// A line as it is read back; the octets of its body begin at an offset of the payload.
    record Line(String key, String id, String text, Stored body) {}

    /// @param kind `inline`, `tail`, `staged` or `none`
    record Stored(String kind, String queueId, int offset, int length) {}

    private static final Stored NO_BODY = new Stored("none", "", 0, 0);

    private final StringBuilder text = new StringBuilder(256);
    private final ByteArrayOutputStream bodies = new ByteArrayOutputStream(0);
    private byte[] onlyBody = {};

    MailboxRecord mailbox(String key, String id) {
        text.append("M ").append(Words.word(key)).append(' ').append(id).append('\n');
        return this;
    }

    MailboxRecord line(String line) {
        text.append(line).append('\n');
        return this;
    }

    MailboxRecord body(Body body) {
        switch (body) {
            case Body.Inline(byte[] octets) -> {
                text.append("B inline ").append(octets.length).append('\n');
                put(octets);
            }
            case Body.Tail(String queueId, byte[] prefix) -> {
                text.append("B tail ")
                        .append(queueId)
                        .append(' ')
                        .append(prefix.length)
                        .append('\n');
                put(prefix);
            }
            case Body.Staged() -> text.append("B staged\n");
            case Body.None() -> {}
        }
        return this;
    }

    private void put(byte[] octets) {
        if (bodies.size() == 0 && onlyBody.length == 0) {
            onlyBody = octets; // nearly always there is one, which need not be copied
        } else {
            if (bodies.size() == 0) {
                bodies.writeBytes(onlyBody);
            }
            bodies.writeBytes(octets);
        }
    }

    /// The parts of the journal's record.
    byte[][] parts() {
        byte[] lines = Words.utf8(text);
        byte[] length = ByteBuffer.allocate(4).putInt(lines.length).array();
        return new byte[][] {length, lines, bodies.size() == 0 ? onlyBody : bodies.toByteArray()};
    }

    /// @throws IllegalArgumentException when the payload is no such record
    static List<Line> read(ByteBuffer payload) {
        int length = payload.remaining() < 4 ? -1 : payload.getInt();
        if (length < 0 || length > payload.remaining()) {
            throw new IllegalArgumentException("mailbox record: too short");
        }
        byte[] octets = new byte[length];
        payload.get(octets);
        int offset = 4 + length;
        int end = offset + payload.remaining();
        String key = "";
        String id = "";
        List<Line> lines = new ArrayList<>();
        for (String line : new String(octets, StandardCharsets.UTF_8).split("\n")) {
            String[] words = line.split(" ", -1);
            if (words[0].equals("M") && words.length == 3) {
                key = Words.text(words[1]);
                id = words[2];
            } else if (words[0].equals("B") && words.length > 1 && !lines.isEmpty()) {
                Stored body = body(words, offset);
                offset += body.length;
                if (body.length < 0 || offset > end) {
                    throw new IllegalArgumentException("mailbox record: a body is not whole");
                }
                Line last = lines.removeLast();
                lines.add(new Line(last.key, last.id, last.text, body));
            } else {
                lines.add(new Line(key, id, line, NO_BODY));
            }
        }
        return lines;
    }

    private static Stored body(String[] words, int offset) {
        if (words[1].equals("inline") && words.length == 3) {
            return new Stored("inline", "", offset, Integer.parseInt(words[2]));
        }
        if (words[1].equals("tail") && words.length == 4) {
            return new Stored("tail", words[2], offset, Integer.parseInt(words[3]));
        }
        if (words[1].equals("staged")) {
            return new Stored("staged", "", offset, 0);
        }
        throw new IllegalArgumentException("mailbox record: body '" + words[1] + "'");
    }
}
