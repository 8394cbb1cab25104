package org.pabal.smtp.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/// Writes lines as quoted-printable, RFC 2045 §6.7.
///
/// A line of the result never begins with a dash or a dot: else text that goes on after a soft
/// break could become the boundary of a multipart, and add a part that nobody has sent.
final class QuotedPrintable {

    private static final byte[] DIGITS = {
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'
    };
    private static final int MAX_LINE = 76;

    private final OutputStream out;
    private final byte[] line = new byte[MAX_LINE + 2];
    private int column;
    private byte space; // not written yet: at the end of a line it is to be encoded

    QuotedPrintable(OutputStream out) {
        this.out = out;
    }

    /// Takes octets of a line; a CR or LF among them is data.
    void write(byte[] octets, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            byte octet = octets[i];
            if (space != 0) {
                literal(space);
                space = 0;
            }
            if (octet == ' ' || octet == '\t') {
                space = octet;
            } else if (octet > ' ' && octet < 127 && octet != '=') {
                literal(octet);
            } else {
                encoded(octet);
            }
        }
    }

    void lineEnd() throws IOException {
        end();
        breakLine();
    }

    /// Says that this was all.
    void end() throws IOException {
        if (space != 0) {
            encoded(space);
            space = 0;
        }
        out.write(line, 0, column);
        column = 0;
    }

    private void literal(byte octet) throws IOException {
        if (column + 1 >= MAX_LINE) {
            softBreak();
        }
        if (column == 0 && (octet == '-' || octet == '.')) {
            encoded(octet);
        } else {
            line[column++] = octet;
        }
    }

    private void encoded(byte octet) throws IOException {
        if (column + 3 >= MAX_LINE) {
            softBreak();
        }
        line[column++] = '=';
        line[column++] = DIGITS[octet >> 4 & 15];
        line[column++] = DIGITS[octet & 15];
    }

    private void softBreak() throws IOException {
        line[column++] = '=';
        breakLine();
    }

    private void breakLine() throws IOException {
        line[column++] = '\r';
        line[column++] = '\n';
        out.write(line, 0, column);
        column = 0;
    }

    /// `=XX`.
    static void encode(byte octet, ByteArrayOutputStream out) {
        out.write('=');
        out.write(DIGITS[octet >> 4 & 15]);
        out.write(DIGITS[octet & 15]);
    }
}
