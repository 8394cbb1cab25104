package org.pabal.mail;

/// What is said of an attempt, to a client or in a bounce.
///
/// @param code an SMTP reply code, 200 to 599 (RFC 5321 §4.2)
/// @param enhanced an enhanced status code such as `5.1.1` (RFC 3463), empty where there is none
/// @param text one plain sentence without CR or LF
public record Status(int code, String enhanced, String text) {

    public Status {
        if (code < 200 || code > 599) {
            throw new IllegalArgumentException("status code " + code + ": expected 200 to 599");
        }
        text = oneLine(text);
    }

    /// Looked for first: there are several texts in each delivery, and hardly ever a line end in
    /// one.
    static String oneLine(String text) {
        return text.indexOf('\r') < 0 && text.indexOf('\n') < 0
                ? text
                : text.replaceAll("[\\r\\n]+", " ");
    }

    public boolean permanent() {
        return code >= 500;
    }

    @Override
    public String toString() {
        return enhanced.isEmpty() ? code + " " + text : code + " " + enhanced + " " + text;
    }
}
