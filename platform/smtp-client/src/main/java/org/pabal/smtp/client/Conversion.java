package org.pabal.smtp.client;

import org.pabal.smtp.client.ConversionPlan.Treatment;
import org.pabal.smtp.client.MimeWalk.Entity;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Writes a message as [ConversionPlan] has decided, part by part, without holding one.
final class Conversion implements MimeWalk.Guest {

    private static final byte[] CRLF = {'\r', '\n'};

    private final ConversionPlan plan;
    private final CleanLines out;
    private final QuotedPrintable quoted;
    private OutputStream base64 = OutputStream.nullOutputStream();
    private int column; // where quoted-printable is mended

    Conversion(ConversionPlan plan, CleanLines out) {
        this.plan = plan;
        this.out = out;
        this.quoted = new QuotedPrintable(out);
    }

    @Override
    public void header(Entity entity) throws IOException {
        Treatment treatment = plan.treatment(entity);
        if (treatment == Treatment.BASE64) {
            base64 = Base64.getMimeEncoder().wrap(new Unclosed(out));
        }
        column = 0;
        MimeHeader header = entity.header();
        if (entity.sealed()) {
            out.write(header.octets());
            return;
        }
        String encoding =
                switch (treatment) {
                    case RELABEL -> plan.target().widest();
                    case QUOTED_PRINTABLE -> "quoted-printable";
                    case BASE64 -> "base64";
                    case NONE, MEND_QUOTED_PRINTABLE, MEND_BASE64 -> "";
                };
        fields(header, encoding);
        byte[] octets = header.octets();
        if (header.end() == octets.length && !endsLine(octets)) {
            out.write(CRLF);
        }
        boolean encoded = treatment == Treatment.QUOTED_PRINTABLE || treatment == Treatment.BASE64;
        added(entity, encoded, encoding);
        out.write(octets, header.end(), octets.length - header.end());
    }

    private void fields(MimeHeader header, String encoding) throws IOException {
        byte[] octets = mended(header.octets());
        boolean told = false;
        for (MimeHeader.Field field : header.fields()) {
            if (!encoding.isEmpty() && field.name().equals("content-transfer-encoding")) {
                if (!told) {
                    line("Content-Transfer-Encoding: " + encoding);
                }
                told = true;
            } else if (!plan.target().highHeader() && high(octets, field)) {
                out.write(HeaderWords.of(octets, field));
            } else {
                out.write(octets, field.from(), field.to() - field.from());
            }
        }
    }

    private static boolean high(byte[] octets, MimeHeader.Field field) {
        for (int i = field.from(); i < field.to(); i++) {
            if (octets[i] < 0) {
                return true;
            }
        }
        return false;
    }

    /// A header cannot say NUL, nor CR or LF alone, in any encoding: blanks take their place.
    private static byte[] mended(byte[] octets) {
        byte[] clean = octets.clone();
        for (int i = 0; i < octets.length; i++) {
            boolean feed = octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r');
            if (octets[i] == 0 || feed || octets[i] == '\r' && !crlf(octets, i)) {
                clean[i] = ' ';
            }
        }
        return clean;
    }

    /// What was missing, RFC 2045 §4 and RFC 1428 §3.
    private void added(Entity entity, boolean encoded, String encoding) throws IOException {
        MimeHeader header = entity.header();
        boolean composite =
                entity.kind() == MimeWalk.Kind.MULTIPART || entity.kind() == MimeWalk.Kind.MESSAGE;
        if (entity.message() && (encoded || composite) && !header.has("mime-version")) {
            line("MIME-Version: 1.0");
        }
        if (encoded && !header.has("content-type")) {
            line("Content-Type: text/plain; charset=unknown-8bit");
        }
        if (encoded && !header.has("content-transfer-encoding")) {
            line("Content-Transfer-Encoding: " + encoding);
        }
    }

    private void line(String text) throws IOException {
        out.write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void body(Entity entity, byte[] octets, int from, int to) throws IOException {
        switch (plan.treatment(entity)) {
            case NONE, RELABEL -> out.write(octets, from, to - from);
            case QUOTED_PRINTABLE -> quoted.write(octets, from, to);
            case BASE64 -> base64.write(octets, from, to - from);
            case MEND_QUOTED_PRINTABLE -> mendQuoted(octets, from, to);
            case MEND_BASE64 -> starred(octets, from, to, false);
        }
    }

    @Override
    public void lineEnd(Entity entity) throws IOException {
        switch (plan.treatment(entity)) {
            case QUOTED_PRINTABLE -> quoted.lineEnd();
            case BASE64 -> base64.write(CRLF);
            case NONE, RELABEL, MEND_QUOTED_PRINTABLE, MEND_BASE64 -> out.write(CRLF);
        }
        column = 0;
    }

    @Override
    public void end(Entity entity) throws IOException {
        switch (plan.treatment(entity)) {
            case QUOTED_PRINTABLE -> quoted.end();
            case BASE64 -> base64.close();
            case NONE, RELABEL, MEND_QUOTED_PRINTABLE, MEND_BASE64 -> {}
        }
    }

    @Override
    public void between(byte[] octets, int from, int to, boolean sealed) throws IOException {
        starred(octets, from, to, plan.target().eightBit());
    }

    private void mendQuoted(byte[] octets, int from, int to) throws IOException {
        ByteArrayOutputStream mended = new ByteArrayOutputStream(to - from);
        for (int i = from; i < to; i++) {
            byte octet = octets[i];
            if (octet > 0 && octet != '\r' && octet != '\n') {
                mended.write(octet);
                column++;
                continue;
            }
            if (column > 72) {
                mended.write('=');
                mended.writeBytes(CRLF);
                column = 0;
            }
            QuotedPrintable.encode(octet, mended);
            column += 3;
        }
        out.write(mended.toByteArray());
    }

    /// Passes octets of which nobody reads those that cannot be passed: they stand before or behind
    /// the parts (RFC 2046 §5.1.1), or in base64 (RFC 2045 §6.8). An asterisk takes their place,
    /// which belongs to no boundary and to no base64.
    private void starred(byte[] octets, int from, int to, boolean eightBit) throws IOException {
        byte[] some = new byte[to - from];
        for (int i = from; i < to; i++) {
            byte octet = octets[i];
            boolean crlf =
                    octet == '\r' && i + 1 < to && octets[i + 1] == '\n'
                            || octet == '\n' && i > from && octets[i - 1] == '\r';
            boolean fit = octet > 0 && octet != '\r' && octet != '\n' || octet < 0 && eightBit;
            some[i - from] = fit || crlf ? octet : (byte) '*';
        }
        out.write(some);
    }

    private static boolean crlf(byte[] octets, int i) {
        return i + 1 < octets.length && octets[i + 1] == '\n';
    }

    private static boolean endsLine(byte[] octets) {
        return octets.length > 0 && octets[octets.length - 1] == '\n';
    }

    /// Lets an encoder be closed without what it writes to.
    private static final class Unclosed extends OutputStream {

        private final OutputStream out;

        Unclosed(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int octet) throws IOException {
            out.write(octet);
        }

        @Override
        public void write(byte[] octets, int offset, int length) throws IOException {
            out.write(octets, offset, length);
        }
    }
}
