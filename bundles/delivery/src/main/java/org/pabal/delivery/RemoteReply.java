package org.pabal.delivery;

import org.pabal.mail.Status;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What another host said, as far as an outcome tells: in the form that the client's replies make
/// their outcomes of.
///
/// @param host its name, or its address in brackets
/// @param reply code, enhanced code where there was one, and text
record RemoteReply(String host, Status reply) {

    private static final String CODES =
            "(?<code>[2-5][0-9]{2})(?: (?<enhanced>[245]\\.[0-9]{1,3}\\.[0-9]{1,3}))?";
    private static final String WHERE = "(?<host>[^ ]{1,255}?)(?: \\[[^ \\]]+])?(?::[0-9]+)?";

    /// Within a sentence of ours too: `554 5.4.7 not delivered …: 451 4.7.1 mx.example.org
    /// [192.0.2.25]:25 said: greylisted`.
    private static final Pattern SAID =
            Pattern.compile(CODES + " " + WHERE + " said: (?<text>.*)", Pattern.DOTALL);

    private static final Pattern TOOK =
            Pattern.compile(WHERE + " " + CODES + "(?: (?<text>.*))?", Pattern.DOTALL);

    private static final Pattern HOST = Pattern.compile(WHERE);

    /// Why a message waits or failed, when another host said so; empty when it is a finding of our
    /// own.
    static Optional<RemoteReply> in(Status why) {
        Matcher said = SAID.matcher(why.toString());
        return said.find() ? Optional.of(of(said)) : Optional.empty();
    }

    /// Who took a message, from [org.pabal.mail.Outcome.Delivered]; empty when it was no other
    /// host.
    static Optional<RemoteReply> in(String where) {
        Matcher took = TOOK.matcher(where);
        return took.matches() ? Optional.of(of(took)) : Optional.empty();
    }

    /// The host of an [org.pabal.mail.Attempt]; empty for `mailbox bob@example.org`.
    static Optional<String> host(String where) {
        Matcher host = HOST.matcher(where);
        return host.matches() ? Optional.of(host.group("host")) : Optional.empty();
    }

    private static RemoteReply of(Matcher found) {
        return new RemoteReply(
                found.group("host"),
                new Status(
                        Integer.parseInt(found.group("code")),
                        Optional.ofNullable(found.group("enhanced")).orElse(""),
                        Optional.ofNullable(found.group("text")).orElse("")));
    }
}
