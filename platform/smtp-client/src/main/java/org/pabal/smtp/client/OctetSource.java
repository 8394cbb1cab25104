package org.pabal.smtp.client;

import org.pabal.mail.Content;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// The octets of a message, as often as they are needed: from memory where they are few, so that
/// the queue is read once.
interface OctetSource {

    /// Writes all octets; the same ones each time.
    interface Writer {
        void writeTo(OutputStream out) throws IOException;
    }

    long size();

    void writeTo(OutputStream out) throws IOException;

    OctetScan scan() throws IOException;

    /// @throws IOException when it cannot be read, or is not as long as it says
    static OctetSource of(Content content) throws IOException {
        if (content.size() > BLOCK) {
            return of(content.size(), out -> copy(content, out));
        }
        byte[] octets = new byte[(int) content.size()];
        try (InputStream in = content.open()) {
            if (in.readNBytes(octets, 0, octets.length) < octets.length) {
                throw ended(octets.length);
            }
        }
        return of(octets);
    }

    static OctetSource of(byte[] octets) {
        return new OctetSource() {
            @Override
            public long size() {
                return octets.length;
            }

            @Override
            public void writeTo(OutputStream out) throws IOException {
                out.write(octets, 0, octets.length);
            }

            @Override
            public OctetScan scan() {
                OctetScan scan = new OctetScan();
                scan.add(octets, 0, octets.length);
                scan.end();
                return scan;
            }
        };
    }

    static OctetSource of(long size, Writer writer) {
        return new OctetSource() {
            @Override
            public long size() {
                return size;
            }

            @Override
            public void writeTo(OutputStream out) throws IOException {
                writer.writeTo(out);
            }

            @Override
            public OctetScan scan() throws IOException {
                OctetScan scan = new OctetScan();
                writer.writeTo(new Scanning(scan));
                scan.end();
                return scan;
            }
        };
    }

    int BLOCK = 64 * 1024;

    private static void copy(Content content, OutputStream out) throws IOException {
        byte[] block = new byte[BLOCK];
        long left = content.size();
        try (InputStream in = content.open()) {
            while (left > 0) {
                int count = in.read(block, 0, (int) Math.min(left, block.length));
                if (count < 0) {
                    throw ended(content.size());
                }
                out.write(block, 0, count);
                left -= count;
            }
        }
    }

    private static EOFException ended(long size) {
        return new EOFException("message of " + size + " octets: ended early in the queue");
    }

    /// Shows a scan what is written.
    final class Scanning extends OutputStream {

        private final OctetScan scan;

        Scanning(OctetScan scan) {
            this.scan = scan;
        }

        @Override
        public void write(byte[] octets, int offset, int length) {
            scan.add(octets, offset, offset + length);
        }

        @Override
        public void write(int octet) {
            write(new byte[] {(byte) octet}, 0, 1);
        }
    }
}
