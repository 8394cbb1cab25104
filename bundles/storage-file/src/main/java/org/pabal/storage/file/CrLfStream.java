package org.pabal.storage.file;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// Lines as mail has them, from a file whose lines end with LF alone because another program wrote
/// it.
final class CrLfStream extends InputStream {

    private final InputStream from;
    private boolean afterCr;
    private boolean owesLf;

    CrLfStream(InputStream from) {
        this.from = new BufferedInputStream(from);
    }

    /// How many octets such a stream of a file has.
    static long size(Path file) throws IOException {
        long size = 0;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[32 * 1024];
            boolean afterCr = false;
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                for (int i = 0; i < read; i++) {
                    size += buffer[i] == '\n' && !afterCr ? 2 : 1;
                    afterCr = buffer[i] == '\r';
                }
            }
        }
        return size;
    }

    @Override
    public int read() throws IOException {
        if (owesLf) {
            owesLf = false;
            return '\n';
        }
        int octet = from.read();
        if (octet == '\n' && !afterCr) {
            owesLf = true;
            return '\r';
        }
        afterCr = octet == '\r';
        return octet;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, to.length);
        int count = 0;
        while (count < length) {
            int octet = read();
            if (octet < 0) {
                return count == 0 ? -1 : count;
            }
            to[offset + count++] = (byte) octet;
        }
        return count;
    }

    @Override
    public void close() throws IOException {
        from.close();
    }
}
