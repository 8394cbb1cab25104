package org.pabal.smtp;

import org.pabal.mail.MailAddress;
import org.pabal.smtp.SmtpCommand.Wrong;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/// Reads one command line, RFC 5321 §4.1.2 with UTF-8 as RFC 6531 §3.3 allows. Works on any octets.
final class CommandParser {

    private static final String POSTMASTER = "postmaster";

    private CommandParser() {}

    static SmtpCommand parse(byte[] line) {
        Optional<String> text = text(line);
        if (text.isEmpty()) {
            return wrong(SmtpReply.syntax("control characters, or not UTF-8"));
        }
        // RFC 5321 §4.1.1: blanks at the end are tolerated
        String command = text.get().stripTrailing();
        int blank = command.indexOf(' ');
        String verb = (blank < 0 ? command : command.substring(0, blank)).toUpperCase(Locale.ROOT);
        String rest = blank < 0 ? "" : command.substring(blank + 1).stripLeading();
        if (line.length
                > (verb.equals("AUTH") ? SmtpLimits.AUTH_OCTETS : SmtpLimits.COMMAND_OCTETS) - 2) {
            return wrong(SmtpReply.LINE_TOO_LONG);
        }
        return switch (verb) {
            case "EHLO", "HELO", "LHLO" -> hello(verb, rest);
            case "MAIL" -> mail(rest);
            case "RCPT" -> rcpt(rest);
            case "DATA" -> alone(rest, new SmtpCommand.Data());
            case "BDAT" -> bdat(rest);
            case "RSET" -> alone(rest, new SmtpCommand.Rset());
            case "NOOP" -> new SmtpCommand.Noop();
            case "QUIT" -> alone(rest, new SmtpCommand.Quit());
            case "HELP" -> new SmtpCommand.Help();
            case "VRFY" ->
                    rest.isEmpty()
                            ? wrong(SmtpReply.syntax("VRFY whom?"))
                            : new SmtpCommand.Verify();
            case "STARTTLS" -> alone(rest, new SmtpCommand.StartTls());
            case "AUTH" -> auth(rest);
            // RFC 5321 §7.3 leaves EXPN to the site; §F.1 and §F.6 have the others in the past
            case "EXPN", "TURN", "ETRN", "SEND", "SOML", "SAML" -> wrong(SmtpReply.NOT_SUPPORTED);
            // a web page that makes a browser talk to us must not get far with what it smuggles in
            case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT" ->
                    new Wrong(SmtpReply.NO_MAIL_CLIENT, true);
            default -> wrong(SmtpReply.UNKNOWN_COMMAND);
        };
    }

    /// The line in characters; empty when it has control characters (security rows S11, S12) or is
    /// not UTF-8.
    static Optional<String> text(byte[] line) {
        boolean ascii = true;
        for (byte octet : line) {
            if (octet >= 0 && octet < ' ' || octet == 127) {
                return Optional.empty();
            }
            ascii &= octet >= 0;
        }
        if (ascii) {
            return Optional.of(new String(line, StandardCharsets.ISO_8859_1));
        }
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
            return text.chars().noneMatch(Character::isISOControl)
                    ? Optional.of(text)
                    : Optional.empty();
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    private static SmtpCommand alone(String rest, SmtpCommand command) {
        return rest.isEmpty() ? command : wrong(SmtpReply.NO_PARAMETERS);
    }

    /// RFC 5321 §4.1.1.1 wants a domain or an address literal. Machines name themselves in other
    /// ways as well, which hurts nobody as long as it can stand in a Received field.
    private static SmtpCommand hello(String verb, String name) {
        boolean good = !name.isEmpty() && name.length() <= 255;
        for (int i = 0; good && i < name.length(); i++) {
            char c = name.charAt(i);
            good =
                    c >= 'a' && c <= 'z'
                            || c >= 'A' && c <= 'Z'
                            || c >= '0' && c <= '9'
                            || "-._:[]".indexOf(c) >= 0;
        }
        return good
                ? new SmtpCommand.Hello(verb, name)
                : wrong(SmtpReply.syntax(verb + " and your host's name"));
    }

    private static SmtpCommand mail(String rest) {
        Path path = path(rest, "FROM:");
        if (!path.found) {
            return wrong(SmtpReply.syntax("MAIL FROM:<address>"));
        }
        Optional<MailAddress> sender = MailAddress.parse(path.inside);
        if (sender.isEmpty() && !path.inside.isEmpty()) {
            return wrong(new SmtpReply(501, "5.1.7", "the sender is no address"));
        }
        EsmtpParameters parameters = EsmtpParameters.ofMail(rest.substring(path.end));
        return parameters
                .refusal()
                .<SmtpCommand>map(CommandParser::wrong)
                .orElse(new SmtpCommand.Mail(sender, parameters.size(), parameters.kept()));
    }

    private static SmtpCommand rcpt(String rest) {
        Path path = path(rest, "TO:");
        if (!path.found) {
            return wrong(SmtpReply.syntax("RCPT TO:<address>"));
        }
        Optional<MailAddress> address = MailAddress.parse(path.inside);
        if (address.isEmpty() && !path.inside.equalsIgnoreCase(POSTMASTER)) {
            return wrong(new SmtpReply(501, "5.1.3", "the recipient is no address"));
        }
        EsmtpParameters parameters = EsmtpParameters.ofRcpt(rest.substring(path.end));
        return parameters
                .refusal()
                .<SmtpCommand>map(CommandParser::wrong)
                .orElse(new SmtpCommand.Rcpt(address, parameters.kept()));
    }

    /// @param inside what stands in the brackets, without a source route
    /// @param end where the parameters begin
    private record Path(boolean found, String inside, int end) {
        static final Path NONE = new Path(false, "", 0);
    }

    /// Finds `FROM:<...>`. Blanks before the bracket are no SMTP, but common and harmless.
    private static Path path(String text, String prefix) {
        if (!text.regionMatches(true, 0, prefix, 0, prefix.length())) {
            return Path.NONE;
        }
        int open = prefix.length();
        while (open < text.length() && text.charAt(open) == ' ') {
            open++;
        }
        if (open == text.length() || text.charAt(open) != '<') {
            return Path.NONE;
        }
        boolean quoted = false;
        for (int i = open + 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quoted && c == '\\') {
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == '>' && !quoted) {
                boolean apart = i + 1 == text.length() || text.charAt(i + 1) == ' ';
                return apart
                        ? new Path(true, withoutRoute(text.substring(open + 1, i)), i + 1)
                        : Path.NONE;
            }
        }
        return Path.NONE;
    }

    /// RFC 5321 §4.1.1.3 and appendix C: a source route is accepted and ignored. A route that is
    /// none stays, and makes the address wrong.
    private static String withoutRoute(String inside) {
        int colon = inside.indexOf(':');
        if (!inside.startsWith("@") || colon < 0) {
            return inside;
        }
        for (String hop : inside.substring(0, colon).split(",", -1)) {
            if (!hop.startsWith("@") || MailAddress.parse("x" + hop).isEmpty()) {
                return inside;
            }
        }
        return inside.substring(colon + 1);
    }

    private static SmtpCommand bdat(String rest) {
        boolean last = rest.regionMatches(true, Math.max(0, rest.length() - 5), " LAST", 0, 5);
        String size = last ? rest.substring(0, rest.length() - 5).strip() : rest;
        // how much follows cannot be told: no way on from here
        return number(size)
                .<SmtpCommand>map(octets -> new SmtpCommand.Bdat(octets, last))
                .orElse(new Wrong(SmtpReply.syntax("BDAT size [LAST]"), true));
    }

    private static SmtpCommand auth(String rest) {
        int blank = rest.indexOf(' ');
        String mechanism = (blank < 0 ? rest : rest.substring(0, blank)).toUpperCase(Locale.ROOT);
        Optional<String> initial =
                blank < 0 ? Optional.empty() : Optional.of(rest.substring(blank + 1));
        // RFC 4422 §3.1
        boolean good =
                !mechanism.isEmpty()
                        && mechanism.length() <= 20
                        && mechanism
                                .chars()
                                .allMatch(
                                        c ->
                                                c >= 'A' && c <= 'Z'
                                                        || c >= '0' && c <= '9'
                                                        || c == '-'
                                                        || c == '_');
        return good
                ? new SmtpCommand.Auth(mechanism, initial)
                : wrong(SmtpReply.syntax("AUTH mechanism [response]"));
    }

    /// RFC 1870 §4: up to 20 digits. What is more than a `long` can hold is as much as it can hold:
    /// too much.
    static Optional<Long> number(String digits) {
        if (digits.isEmpty()
                || digits.length() > 20
                || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Optional.empty();
        }
        return Optional.of(digits.length() > 18 ? Long.MAX_VALUE : Long.parseLong(digits));
    }

    private static Wrong wrong(SmtpReply reply) {
        return new Wrong(reply, false);
    }
}
