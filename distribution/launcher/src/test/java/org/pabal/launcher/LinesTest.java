package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;

import org.junit.jupiter.api.Test;

import java.util.List;

class LinesTest {

    @Test
    void oneEventIsOneLine() {
        // Security row S12: a stranger's text cannot begin a line of its own in the log.
        LoggerContext context = new LoggerContext();
        LoggingEvent event =
                new LoggingEvent(
                        "",
                        context.getLogger("org.pabal.smtp.SmtpSession"),
                        Level.WARN,
                        "hello {}",
                        new IllegalStateException("two\nlines", new RuntimeException("inner\r\n")),
                        new Object[] {"a\r\nERROR b\u001b[2J"});
        String line = new LineLayout().doLayout(event);
        assertEquals(1, line.chars().filter(c -> c < 32).count(), line);
        assertEquals(line.length() - 1, line.indexOf('\n'));
        String text = line.substring(line.indexOf(' ') + 1);
        String expected =
                "WARN  SmtpSession: hello a\\r"
                        + "\\n"
                        + "ERROR b\\u001b[2J | java.lang.IllegalStateException: two\\n"
                        + "lines at LinesTest.";
        assertEquals(expected, text.substring(0, expected.length()));
    }

    @Test
    void wordsBecomeACommandLineThatMeansTheSame() {
        assertEquals("lb | grep x", ShellClient.commandLine(List.of("lb | grep x")));
        assertEquals(
                "account:add 'bob@example.org' 'a $b'",
                ShellClient.commandLine(List.of("account:add", "bob@example.org", "a $b")));
        assertEquals("echo '' 'it'\\''s'", ShellClient.commandLine(List.of("echo", "", "it's")));
    }
}
