package org.pabal.delivery;

import org.pabal.mail.Content;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// A message with a few octets of ours above it, without copying it.
///
/// Its stream gives as much as it is asked for, across the seam: a store that reads with a large
/// buffer sees a small message in one read.
final class PrefixedContent implements Content {

    private final byte[] prefix;
    private final Content rest;

    /// @param octets all there is; not to be changed afterwards
    PrefixedContent(byte[] octets) {
        this.prefix = octets;
        this.rest = this;
    }

    PrefixedContent(byte[] prefix, Content rest) {
        if (rest instanceof PrefixedContent small && small.rest == small) {
            byte[] joined = new byte[prefix.length + small.prefix.length];
            System.arraycopy(prefix, 0, joined, 0, prefix.length);
            System.arraycopy(small.prefix, 0, joined, prefix.length, small.prefix.length);
            this.prefix = joined;
            this.rest = this;
        } else {
            this.prefix = prefix;
            this.rest = rest;
        }
    }

    @Override
    public long size() {
        return rest == this ? prefix.length : prefix.length + rest.size();
    }

    @Override
    public InputStream open() throws IOException {
        return rest == this ? new ByteArrayInputStream(prefix) : new Stream(prefix, rest.open());
    }

    private static final class Stream extends InputStream {

        private final byte[] prefix;
        private final InputStream rest;
        private int at;

        Stream(byte[] prefix, InputStream rest) {
            this.prefix = prefix;
            this.rest = rest;
        }

        @Override
        public int read() throws IOException {
            return at < prefix.length ? prefix[at++] & 0xFF : rest.read();
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            int ours = Math.min(length, prefix.length - at);
            System.arraycopy(prefix, at, to, offset, ours);
            at += ours;
            if (ours == length) {
                return ours;
            }
            int theirs = rest.read(to, offset + ours, length - ours);
            return ours == 0 ? theirs : ours + Math.max(theirs, 0);
        }

        @Override
        public long transferTo(OutputStream out) throws IOException {
            int ours = prefix.length - at;
            out.write(prefix, at, ours);
            at = prefix.length;
            return ours + rest.transferTo(out);
        }

        @Override
        public void close() throws IOException {
            rest.close();
        }
    }
}
