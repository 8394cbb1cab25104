package org.pabal.smtp.client;

import org.pabal.mail.Outcome;
import org.pabal.mail.Status;

import java.util.List;

/// What the other side said, RFC 5321 §4.2.
///
/// @param code 200 to 599
/// @param enhanced the enhanced status code of the last line (RFC 2034), empty where there is none
///     or where it contradicts the code
/// @param lines the text of each line, without code and enhanced code; printable, bounded
public record Reply(int code, String enhanced, List<String> lines) {

    private static final int MAX_TEXT = 2_000;

    public Reply {
        lines = List.copyOf(lines);
    }

    /// 2xx.
    public boolean ok() {
        return code / 100 == 2;
    }

    /// 4xx: not now.
    public boolean temporary() {
        return code / 100 == 4;
    }

    /// 5xx: never.
    public boolean permanent() {
        return code / 100 == 5;
    }

    /// All lines in one, cut where it becomes too long to be read.
    public String text() {
        String text = lines.size() == 1 ? lines.getFirst() : String.join(" ", lines);
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT) + "…";
    }

    public Status status() {
        return new Status(code, enhanced, text());
    }

    /// What it means for a recipient whose message, or whose address, it answers.
    ///
    /// @param where who said it: `mx.example.org [192.0.2.25]:25`
    /// @param reportsFollow see [Outcome.Delivered]
    public Outcome outcome(String where, boolean reportsFollow) {
        if (ok()) {
            return new Outcome.Delivered(where + " " + status(), reportsFollow);
        }
        // RFC 5321 §4.2.1: 3xx asks for more, and is no answer here
        Status said = new Status(code < 400 ? 451 : code, enhanced, where + " said: " + text());
        return permanent() ? new Outcome.Failed(said) : new Outcome.Deferred(said);
    }
}
