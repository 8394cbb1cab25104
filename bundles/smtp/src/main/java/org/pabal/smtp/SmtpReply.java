package org.pabal.smtp;

import org.pabal.mail.Status;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// What the client hears, RFC 5321 §4.2: one line.
///
/// @param code the reply code
/// @param enhanced the enhanced status code (RFC 2034), empty where RFC 2034 §4 has none
/// @param text one plain sentence; nothing of our insides
record SmtpReply(int code, String enhanced, String text) {

    // RFC 5321 §4.5.3.1.5: 512 octets with code and CR LF
    private static final int TEXT_LENGTH = 450;

    static final SmtpReply OK = new SmtpReply(250, "2.0.0", "ok");
    static final SmtpReply SENDER_OK = new SmtpReply(250, "2.1.0", "sender ok");
    static final SmtpReply RECIPIENT_OK = new SmtpReply(250, "2.1.5", "recipient ok");
    static final SmtpReply GO_AHEAD =
            new SmtpReply(354, "", "go ahead, end with a dot on a line by itself");
    static final SmtpReply BYE = new SmtpReply(221, "2.0.0", "goodbye");
    static final SmtpReply READY_FOR_TLS = new SmtpReply(220, "2.0.0", "ready to start TLS");
    static final SmtpReply CANNOT_VERIFY =
            new SmtpReply(252, "2.0.0", "not told here; send the mail and it will be tried");
    static final SmtpReply SIGNED_IN = new SmtpReply(235, "2.7.0", "signed in");

    static final SmtpReply NOT_NOW = new SmtpReply(451, "4.3.0", "cannot say now, try again later");
    static final SmtpReply NOT_STORED =
            new SmtpReply(452, "4.3.1", "could not store the message, try again later");
    static final SmtpReply TOO_MANY_RECIPIENTS =
            new SmtpReply(
                    452, "4.5.3", "too many recipients, send the message to the others by itself");
    static final SmtpReply SIGN_IN_LATER =
            new SmtpReply(454, "4.7.0", "cannot sign you in now, try again later");

    static final SmtpReply TIME_IS_UP =
            new SmtpReply(421, "4.4.2", "no more input came in time, goodbye");
    static final SmtpReply TOO_MANY_FAILURES =
            new SmtpReply(421, "4.7.0", "too many errors, goodbye");
    static final SmtpReply TOO_MANY_IDLE =
            new SmtpReply(421, "4.7.0", "too many commands without mail, goodbye");
    static final SmtpReply TOO_MANY_MESSAGES =
            new SmtpReply(421, "4.7.0", "enough messages for one connection, connect again");
    static final SmtpReply NO_MAIL_CLIENT =
            new SmtpReply(421, "4.7.0", "this is a mail server, goodbye");
    static final SmtpReply INTERNAL_TROUBLE =
            new SmtpReply(421, "4.3.0", "trouble here, try again later");

    static final SmtpReply UNKNOWN_COMMAND = new SmtpReply(500, "5.5.2", "no such command");
    static final SmtpReply LINE_TOO_LONG = new SmtpReply(500, "5.5.2", "line too long");
    static final SmtpReply AUTH_LINE_TOO_LONG = new SmtpReply(500, "5.5.6", "line too long");
    static final SmtpReply BROKEN_LINE =
            new SmtpReply(500, "5.5.2", "lines end with CR LF and hold no other CR, LF or NUL");
    static final SmtpReply NO_PARAMETERS =
            new SmtpReply(501, "5.5.4", "this command takes no parameters");
    static final SmtpReply NOT_BASE64 = new SmtpReply(501, "5.5.2", "not base64");
    static final SmtpReply SIGN_IN_MALFORMED =
            new SmtpReply(501, "5.5.2", "not as the mechanism wants it");
    static final SmtpReply CANCELLED = new SmtpReply(501, "5.7.0", "sign-in cancelled");
    static final SmtpReply NOT_SUPPORTED = new SmtpReply(502, "5.5.1", "not done here");
    static final SmtpReply TALKS_TOO_EARLY =
            new SmtpReply(554, "5.5.0", "you did not wait for the answer, goodbye");
    static final SmtpReply SIGN_IN_FIRST = new SmtpReply(530, "5.7.0", "sign in first");
    static final SmtpReply TLS_FIRST = new SmtpReply(538, "5.7.11", "start TLS before you sign in");
    static final SmtpReply REQUIRES_TLS =
            new SmtpReply(530, "5.7.10", "REQUIRETLS is for what came by TLS, start it first");
    static final SmtpReply NO_SUCH_MECHANISM =
            new SmtpReply(504, "5.5.4", "no such mechanism here");
    static final SmtpReply REJECTED = new SmtpReply(535, "5.7.8", "login or password is wrong");
    static final SmtpReply BROKEN_MESSAGE =
            new SmtpReply(
                    550,
                    "5.5.2",
                    "the message has a CR, LF or NUL that is no end of line; send lines that end"
                            + " with CR LF");
    static final SmtpReply TOO_BIG = new SmtpReply(552, "5.3.4", "the message is too big");
    static final SmtpReply HEADER_TOO_LONG =
            new SmtpReply(552, "5.3.4", "the header of the message is too long");
    static final SmtpReply NEEDS_SMTPUTF8 =
            new SmtpReply(553, "5.6.7", "this address needs the SMTPUTF8 parameter of MAIL");
    static final SmtpReply LOOP =
            new SmtpReply(
                    554, "5.4.6", "the message has come by too many hosts: it goes in a circle");
    static final SmtpReply NO_RECIPIENTS = new SmtpReply(554, "5.5.1", "no recipients");

    static final SmtpReply NO_SENDER =
            new SmtpReply(503, "5.5.1", "give the sender with MAIL first");

    /// A command at the wrong moment.
    static SmtpReply outOfOrder(String text) {
        return new SmtpReply(503, "5.5.1", text);
    }

    static SmtpReply syntax(String text) {
        return new SmtpReply(501, "5.5.2", text);
    }

    /// What a policy decided, in words that fit a reply whatever it wrote.
    static SmtpReply of(Status status) {
        boolean refusal = status.code() >= 400;
        String enhanced =
                status.enhanced().matches("[45]\\.\\d{1,3}\\.\\d{1,3}") ? status.enhanced() : "";
        return new SmtpReply(
                refusal ? status.code() : 550, refusal ? enhanced : "5.7.1", status.text());
    }

    /// What SASL has to say next, RFC 4954 §4.
    static SmtpReply challenge(byte[] octets) {
        return new SmtpReply(334, "", Base64.getEncoder().encodeToString(octets));
    }

    boolean failure() {
        return code >= 500;
    }

    void to(OutputStream out) throws IOException {
        out.write((this + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    /// Text without control characters and of bounded length, for replies and for the log (security
    /// rows S11, S12).
    static String plain(String text) {
        boolean clean = text.length() <= TEXT_LENGTH;
        for (int i = 0; clean && i < text.length(); i++) {
            clean = text.charAt(i) >= ' ' && text.charAt(i) < 127;
        }
        if (clean) {
            return text;
        }
        StringBuilder plain = new StringBuilder(Math.min(text.length(), TEXT_LENGTH));
        for (int i = 0; i < text.length() && plain.length() < TEXT_LENGTH; i++) {
            char c = text.charAt(i);
            boolean unfit =
                    Character.isISOControl(c) || c == 0x2028 || c == 0x2029 || bidirectional(c);
            plain.append(unfit ? '?' : c);
        }
        return plain.toString();
    }

    private static boolean bidirectional(char c) {
        return c >= 0x202A && c <= 0x202E || c >= 0x2066 && c <= 0x2069;
    }

    @Override
    public String toString() {
        return enhanced.isEmpty()
                ? code + " " + plain(text)
                : code + " " + enhanced + " " + plain(text);
    }
}
