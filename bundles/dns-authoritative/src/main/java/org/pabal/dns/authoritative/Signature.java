package org.pabal.dns.authoritative;

import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;

import java.util.Arrays;
import java.util.Optional;

/// What the TSIG of one request says, and the signing of its answers, one after the other.
///
/// Works on octets, so that whatever wrote an answer need not know that it will be signed.
final class Signature {

    /// Of a request that is not signed; its answers are not either.
    static final Signature NONE =
            new Signature(Optional.empty(), Optional.empty(), Optional.empty(), Rcode.NOERROR, 0);

    private static final int HEADER = 12;

    /// Empty when the answers are unsigned.
    private final Optional<TSIG> signer;

    private final Optional<Name> key;

    /// The TSIG of the request, then that of the answer before: each signs the one before (RFC 8945
    /// §5.3.1).
    private Optional<TSIGRecord> last;

    private final int fault;
    private final int error;
    private boolean first = true;

    private Signature(
            Optional<TSIG> signer,
            Optional<Name> key,
            Optional<TSIGRecord> last,
            int fault,
            int error) {
        this.signer = signer;
        this.key = key;
        this.last = last;
        this.fault = fault;
        this.error = error;
    }

    static Signature good(TSIG signer, Name key, TSIGRecord request) {
        return new Signature(
                Optional.of(signer), Optional.of(key), Optional.of(request), Rcode.NOERROR, 0);
    }

    /// RFC 8945 §5.2.3, §5.2.4: we know each other, and the answer can be trusted.
    static Signature refused(TSIG signer, TSIGRecord request, int error) {
        return new Signature(
                Optional.of(signer), Optional.empty(), Optional.of(request), Rcode.NOTAUTH, error);
    }

    /// RFC 8945 §5.3.2: an error of key or MAC is told without a MAC.
    static Signature unsigned(TSIGRecord request, int error) {
        return new Signature(
                Optional.empty(), Optional.empty(), Optional.of(request), Rcode.NOTAUTH, error);
    }

    static Signature malformed() {
        return new Signature(
                Optional.empty(), Optional.empty(), Optional.empty(), Rcode.FORMERR, 0);
    }

    /// The key that is proven to have signed the request.
    Optional<Name> key() {
        return key;
    }

    /// NOERROR, or the rcode that has to be the answer.
    int fault() {
        return fault;
    }

    /// The error that the TSIG of the answer carries.
    int error() {
        return error;
    }

    /// The answer with its TSIG behind it, or as it is when the request had none.
    ///
    /// @param limit the largest answer that the client takes; when the TSIG does not fit, the
    ///     question goes alone with TC (RFC 8945 §5.3)
    byte[] sign(byte[] answer, int limit) {
        if (last.isEmpty()) {
            return answer;
        }
        TSIGRecord tsig = tsig(answer);
        byte[] record = tsig.toWire(Section.ADDITIONAL);
        byte[] message = answer;
        if (answer.length + record.length > limit) {
            message = questionOnly(answer);
            tsig = tsig(message);
            record = tsig.toWire(Section.ADDITIONAL);
        }
        byte[] signed = Arrays.copyOf(message, message.length + record.length);
        System.arraycopy(record, 0, signed, message.length, record.length);
        int additional = octets16(signed, 10) + 1;
        signed[10] = (byte) (additional >> 8);
        signed[11] = (byte) additional;
        if (signer.isPresent()) {
            last = Optional.of(tsig);
            first = false;
        }
        return signed;
    }

    private TSIGRecord tsig(byte[] answer) {
        TSIGRecord before = last.orElseThrow();
        if (signer.isPresent()) {
            Message id = new Message(octets16(answer, 0));
            return signer.get().generate(id, answer, error, before, first);
        }
        return new TSIGRecord(
                before.getName(),
                before.getDClass(),
                0,
                before.getAlgorithm(),
                before.getTimeSigned(),
                before.getFudge(),
                new byte[0],
                before.getOriginalID(),
                error,
                new byte[0]);
    }

    private static byte[] questionOnly(byte[] answer) {
        int end = HEADER;
        if (octets16(answer, 4) == 1) {
            while (answer[end] != 0) { // a name that we wrote, and the first: without pointers
                end += 1 + (answer[end] & 0xFF);
            }
            end += 5;
        }
        byte[] message = Arrays.copyOf(answer, end);
        message[2] |= 0x02;
        message[3] &= (byte) 0xF0;
        Arrays.fill(message, 6, HEADER, (byte) 0);
        return message;
    }

    private static int octets16(byte[] octets, int index) {
        return (octets[index] & 0xFF) << 8 | octets[index + 1] & 0xFF;
    }
}
