package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.MailAddress;

import java.util.Map;
import java.util.Optional;

/// Command lines and what they mean.
final class SmtpCommandTest {

    private static SmtpCommand parse(String line) {
        return SmtpCommand.parse(line.getBytes(UTF_8));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "MAIL FROM:<a@example.org> | a@example.org",
                "mail from:<a@EXAMPLE.org>  | a@example.org",
                "MAIL FROM: <a@example.org> | a@example.org",
                "MAIL FROM:<\"a b>\\\"c\"@example.org> | \"a b>\\\"c\"@example.org",
                "MAIL FROM:<a@[IPv6:2001:db8::1]> | a@[ipv6:2001:db8::1]",
                "MAIL FROM:<@x.example,@y.example:a@example.org> | a@example.org",
                "MAIL FROM:<> | ''",
            })
    void readsSenders(String line, String sender) {
        SmtpCommand.Mail mail = (SmtpCommand.Mail) parse(line);
        assertEquals(sender, mail.sender().map(MailAddress::toString).orElse(""));
    }

    @Test
    void keepsParametersAsTheyCame() {
        assertEquals(
                new SmtpCommand.Mail(
                        MailAddress.parse("a@example.org"),
                        17,
                        Map.of(
                                "BODY",
                                "8BITMIME",
                                "RET",
                                "HDRS",
                                "ENVID",
                                "Qq+2B",
                                "SMTPUTF8",
                                "")),
                parse(
                        "MAIL FROM:<a@example.org> size=17  body=8bitmime RET=hdrs ENVID=Qq+2B"
                                + " smtputf8 AUTH=a+40b"));
        assertEquals(
                new SmtpCommand.Rcpt(
                        MailAddress.parse("b@example.org"),
                        Map.of("NOTIFY", "SUCCESS,FAILURE", "ORCPT", "rfc822;B+3Db@example.org")),
                parse(
                        "RCPT TO:<b@example.org> notify=success,failure"
                                + " ORCPT=rfc822;B+3Db@example.org"));
        assertEquals(
                new SmtpCommand.Rcpt(
                        MailAddress.parse("b@example.org"),
                        Map.of("NOTIFY", "NEVER", "ORCPT", "utf-8;ü\\x{20AC}@example.org")),
                parse("RCPT TO:<b@example.org> NOTIFY=NEVER ORCPT=utf-8;ü\\x{20AC}@example.org"));
        assertEquals(
                new SmtpCommand.Rcpt(Optional.empty(), Map.of()), parse("RCPT TO:<POSTmaster>"));
    }

    @ParameterizedTest
    @CsvSource({
        "HOLDFOR=999999999, HOLDFOR, 999999999",
        "holduntil=2026-11-22t10:00:00z, HOLDUNTIL, 2026-11-22T10:00:00Z",
        "HOLDUNTIL=2026-11-22T10:00:00.25-08:00, HOLDUNTIL, 2026-11-22T10:00:00.25-08:00",
        "by=+999999999;r, BY, 999999999;R",
        "BY=-999999999;nt, BY, -999999999;NT",
        "BY=0;N, BY, 0;N",
        "MT-Priority=-9, MT-PRIORITY, -9",
        "requiretls, REQUIRETLS, ''",
    })
    void readsTheTermsOfAMessage(String parameter, String keyword, String value) {
        SmtpCommand.Mail mail = (SmtpCommand.Mail) parse("MAIL FROM:<a@b.example> " + parameter);
        assertEquals(Map.of(keyword, value), mail.parameters());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "MAIL | 501 5.5.2",
                "MAIL FROM | 501 5.5.2",
                "MAIL FROM:a@example.org | 501 5.5.2",
                "MAIL TO:<a@example.org> | 501 5.5.2",
                "MAIL FROM:<a@example.org | 501 5.5.2",
                "MAIL FROM:<a@example.org>SIZE=1 | 501 5.5.2",
                "MAIL FROM:<a> | 501 5.1.7",
                "MAIL FROM:<a@> | 501 5.1.7",
                "MAIL FROM:<.a@example.org> | 501 5.1.7",
                "MAIL FROM:<a b@example.org> | 501 5.1.7",
                "MAIL FROM:<@:a@example.org> | 501 5.1.7",
                "MAIL FROM:<@x@y:a@example.org> | 501 5.1.7",
                "MAIL FROM:<postmaster> | 501 5.1.7",
                "MAIL FROM:<a@example.org> SIZE | 501 5.5.4",
                "MAIL FROM:<a@example.org> SIZE=-1 | 501 5.5.4",
                "MAIL FROM:<a@example.org> SIZE=123456789012345678901 | 501 5.5.4",
                "MAIL FROM:<a@example.org> ENVID= | 501 5.5.4",
                "MAIL FROM:<a@example.org> ENVID=+4 | 501 5.5.4",
                "MAIL FROM:<a@example.org> ENVID=+aa | 501 5.5.4",
                "MAIL FROM:<a@example.org> AUTH= | 501 5.5.4",
                "MAIL FROM:<a@example.org> RET=NONE | 501 5.5.4",
                "MAIL FROM:<a@example.org> = | 555 5.5.4",
                "MAIL FROM:<a@example.org> HOLDFOR | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDFOR=0 | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDFOR=-1 | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDFOR=1234567890 | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=tomorrow | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-22 | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-22T10:00:00 | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-22T10:00Z | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=2026-02-30T10:00:00Z | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-22T24:00:00Z | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=+12026-11-22T10:00:00Z | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-22T10:00:00+25:00 | 501 5.5.4",
                "MAIL FROM:<a@example.org> HOLDFOR=1 HOLDUNTIL=2026-11-22T10:00:00Z | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=120 | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=120; | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=;R | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=0;R | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=-1;RT | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=1;T | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=1;TR | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=1234567890;N | 501 5.5.4",
                "MAIL FROM:<a@example.org> BY=1.5;N | 501 5.5.4",
                "MAIL FROM:<a@example.org> MT-PRIORITY | 501 5.5.4",
                "MAIL FROM:<a@example.org> MT-PRIORITY=10 | 501 5.5.4",
                "MAIL FROM:<a@example.org> MT-PRIORITY=-0 | 501 5.5.4",
                "MAIL FROM:<a@example.org> MT-PRIORITY=+1 | 501 5.5.4",
                "MAIL FROM:<a@example.org> REQUIRETLS=yes | 501 5.5.4",
                "RCPT TO:<a@example.org> REQUIRETLS | 555 5.5.4",
                "MAIL FROM:<a@example.org> NOTIFY=NEVER | 555 5.5.4",
                "RCPT TO:<a@example.org> NOTIFY= | 501 5.5.4",
                "RCPT TO:<a@example.org> NOTIFY=SUCCESS, | 501 5.5.4",
                "RCPT TO:<a@example.org> NOTIFY=SOMETIMES | 501 5.5.4",
                "RCPT TO:<a@example.org> ORCPT=;a | 501 5.5.4",
                "RCPT TO:<a@example.org> ORCPT=rfc822;ü | 501 5.5.4",
                "RCPT TO:<a@example.org> ORCPT=r_c;a | 501 5.5.4",
                "DATA x | 501 5.5.4",
                "RSET x | 501 5.5.4",
                "QUIT x | 501 5.5.4",
                "STARTTLS x | 501 5.5.4",
                "BDAT | 501 5.5.2",
                "BDAT LAST | 501 5.5.2",
                "BDAT 1 FIRST | 501 5.5.2",
                "BDAT 1 2 | 501 5.5.2",
                "BDAT 123456789012345678901 | 501 5.5.2",
                "AUTH | 501 5.5.2",
                "AUTH A/B | 501 5.5.2",
                "'' | 500 5.5.2",
                "' NOOP' | 500 5.5.2",
                "ETRN x | 502 5.5.1",
                "MAILFROM:<a@example.org> | 500 5.5.2",
            })
    void saysWhatIsWrong(String line, String reply) {
        SmtpCommand.Wrong wrong = (SmtpCommand.Wrong) parse(line);
        assertEquals(reply, wrong.reply().code() + " " + wrong.reply().enhanced());
    }

    @ParameterizedTest
    @ValueSource(strings = {"BDAT 5", "bdat 05", "BDAT  5 "})
    void readsChunks(String line) {
        assertEquals(new SmtpCommand.Bdat(5, false), parse(line));
        assertEquals(new SmtpCommand.Bdat(5, true), parse(line.strip() + "  last"));
    }

    @Test
    void takesUtf8AndNothingElse() {
        assertTrue(
                SmtpCommand.parse(new byte[] {'N', 'O', 'O', 'P', ' ', (byte) 0xFF})
                        instanceof SmtpCommand.Wrong);
        assertTrue(parse("NOOP é") instanceof SmtpCommand.Noop);
    }
}
