package org.pabal.testkit;

import org.pabal.mail.Content;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// A message in memory.
public final class MemoryContent implements Content {

    private final byte[] octets;

    /// @param octets taken as they are; not to be changed afterwards
    public MemoryContent(byte[] octets) {
        this.octets = octets;
    }

    /// A text whose lines end with LF, as a text block has them; each is given its CR.
    public static MemoryContent of(String text) {
        String lines = text.replace("\r\n", "\n").replace("\n", "\r\n");
        return new MemoryContent(lines.getBytes(StandardCharsets.UTF_8));
    }

    /// Reads any content into memory.
    public static MemoryContent copyOf(Content content) throws IOException {
        if (content instanceof MemoryContent here) {
            return here;
        }
        try (InputStream in = content.open()) {
            return new MemoryContent(in.readAllBytes());
        }
    }

    public byte[] octets() {
        return octets.clone();
    }

    @Override
    public long size() {
        return octets.length;
    }

    @Override
    public InputStream open() {
        return new ByteArrayInputStream(octets);
    }

    /// The octets as UTF-8 text, CR LF as they are.
    @Override
    public String toString() {
        return new String(octets, StandardCharsets.UTF_8);
    }
}
