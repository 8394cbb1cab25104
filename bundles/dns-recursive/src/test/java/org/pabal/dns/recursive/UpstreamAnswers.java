package org.pabal.dns.recursive;

import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Section;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;

/// What servers say in the tests of [NetworkUpstream], and what is asked there.
final class UpstreamAnswers {

    static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-11-23T00:00:00Z"));

    private UpstreamAnswers() {}

    static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /// Of which servers are asked.
    static final Name ZONE = name("example.org");

    static Question question(String name) {
        return new Question(name(name), Type.A);
    }

    static Request request() {
        return Request.of(Request.Wish.NOTHING, Request.Trace.NONE);
    }

    static Message message(byte[] octets) {
        try {
            return new Message(octets);
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /// An empty answer to a query, with its id and its question.
    static Message to(byte[] query) {
        Message asked = message(query);
        Message answer = new Message(asked.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.addRecord(asked.getQuestion(), Section.QUESTION);
        return answer;
    }

    /// An answer with one address.
    static Message address(byte[] query) {
        Message answer = to(query);
        answer.addRecord(
                new ARecord(
                        answer.getQuestion().getName(),
                        DClass.IN,
                        300,
                        InetAddress.ofLiteral("192.0.2.1")),
                Section.ANSWER);
        return answer;
    }

    static List<byte[]> octets(Message... messages) {
        return Arrays.stream(messages).map(m -> m.toWire(0xFFFF)).toList();
    }

    static Message rcode(byte[] query, int rcode) {
        Message answer = to(query);
        answer.getHeader().setRcode(rcode);
        return answer;
    }
}
