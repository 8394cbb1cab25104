package org.pabal.launcher;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.LayoutBase;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/// One event, one line: time, level, where, what; and behind a bar the exception with the few
/// frames that tell where it happened.
final class LineLayout extends LayoutBase<ILoggingEvent> {

    private static final int FRAMES = 6;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSXXX")
                    .withZone(ZoneId.systemDefault());

    @Override
    public String doLayout(ILoggingEvent event) {
        StringBuilder line = new StringBuilder(160);
        TIME.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), line);
        line.append(' ').append(event.getLevel().levelStr);
        line.append(" ".repeat(Math.max(1, 6 - event.getLevel().levelStr.length())));
        line.append(shortened(event.getLoggerName())).append(": ");
        line.append(Lines.single(String.valueOf(event.getFormattedMessage())));
        String before = " | ";
        for (IThrowableProxy cause = event.getThrowableProxy();
                cause != null;
                cause = cause.getCause()) {
            line.append(before).append(Lines.single(text(cause)));
            StackTraceElementProxy[] frames = cause.getStackTraceElementProxyArray();
            for (int i = 0; i < Math.min(FRAMES, frames.length); i++) {
                StackTraceElement frame = frames[i].getStackTraceElement();
                line.append(i == 0 ? " at " : " < ")
                        .append(shortened(frame.getClassName()))
                        .append('.');
                line.append(frame.getMethodName()).append(':').append(frame.getLineNumber());
            }
            before = " caused by ";
        }
        return line.append('\n').toString();
    }

    private static String text(IThrowableProxy cause) {
        return cause instanceof ThrowableProxy known
                ? LogBridge.thrown(known.getThrowable())
                : cause.getClassName() + ": " + cause.getMessage();
    }

    private static String shortened(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
