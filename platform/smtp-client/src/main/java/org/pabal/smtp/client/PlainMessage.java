package org.pabal.smtp.client;

import java.io.IOException;
import java.io.OutputStream;

/// Octets that go as they are, but for line ends that are none and dots.
///
/// A last line without its end gets one, for DATA and for BDAT, so that both bring the same: a
/// message is lines (RFC 5321 §2.3.1, RFC 5322 §2.1), and only BINARYMIME is not (RFC 3030 §3).
///
/// @param scan of these octets
record PlainMessage(OctetSource source, OctetScan scan, String body, boolean utf8)
        implements OutgoingMessage {

    @Override
    public long size() {
        return binary() ? source.size() : scan.cleanSize();
    }

    @Override
    public void writeDotted(OutputStream out) throws IOException {
        if (binary()) {
            throw new IOException("a BINARYMIME message goes by BDAT only, RFC 3030 §3");
        }
        writeClean(scan.dots() ? new DotStuffing(out) : out);
        DotStuffing.end(out);
    }

    @Override
    public void writePlain(OutputStream out) throws IOException {
        if (binary()) {
            source.writeTo(out);
        } else {
            writeClean(out);
        }
    }

    private void writeClean(OutputStream out) throws IOException {
        if (!scan.bare() && !scan.open()) {
            source.writeTo(out);
        } else {
            CleanLines lines = new CleanLines(out);
            source.writeTo(lines);
            lines.end();
        }
    }

    private boolean binary() {
        return body.equals("BINARYMIME");
    }
}
