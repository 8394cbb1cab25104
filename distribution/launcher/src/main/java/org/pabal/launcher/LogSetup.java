package org.pabal.launcher;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.joran.spi.JoranException;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeAndTimeBasedRollingPolicy;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.util.FileSize;

import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// Where log lines go: `log/pabal.log`, rolled daily and at 10 MB, kept for 30 days and 200 MB in
/// all; and to standard output when the node runs without a terminal. Set up in code, since reading
/// XML takes time at every start; who wants it otherwise puts a Logback file at `etc/logback.xml`.
public final class LogSetup extends ContextAwareBase implements Configurator {

    private static final String FILE_SIZE = "10MB";
    private static final int DAYS = 30;
    private static final String ALL_FILES = "200MB";

    /// Called by Logback when the first logger is asked for: says nothing until [#open] is called.
    @Override
    public ExecutionStatus configure(LoggerContext context) {
        context.getLogger("ROOT").setLevel(Level.OFF);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /// Begins to write.
    ///
    /// @param output where lines go as well, or [OutputStream#nullOutputStream()]
    static void open(NodeDirectory directory, OutputStream output) throws Trouble {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Path own = directory.etc().resolve("logback.xml");
        if (Files.exists(own)) {
            readFile(context, own, directory);
            return;
        }
        var root = context.getLogger("ROOT");
        root.setLevel(Level.INFO);
        root.addAppender(file(context, directory));
        var console = new OutputStreamAppender<ILoggingEvent>();
        console.setContext(context);
        console.setName("output");
        console.setEncoder(encoder(context));
        console.setOutputStream(output);
        console.start();
        root.addAppender(console);
    }

    /// Writes what is left and closes the file.
    static void close() {
        ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
    }

    private static RollingFileAppender<ILoggingEvent> file(
            LoggerContext context, NodeDirectory directory) throws Trouble {
        Path file = directory.log().resolve("pabal.log");
        try {
            if (!Files.exists(file)) {
                Files.createFile(
                        file,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
            } else if (!Files.isWritable(file)) {
                throw new IOException("permission denied");
            }
        } catch (IOException e) {
            throw new Trouble(
                    file
                            + ": cannot be written to ("
                            + Lines.reason(e)
                            + "); expected a file that this user owns");
        }
        var appender = new RollingFileAppender<ILoggingEvent>();
        appender.setContext(context);
        appender.setName("file");
        appender.setFile(file.toString());
        appender.setEncoder(encoder(context));
        var policy = new SizeAndTimeBasedRollingPolicy<ILoggingEvent>();
        policy.setContext(context);
        policy.setParent(appender);
        policy.setFileNamePattern(
                directory.log().resolve("pabal.%d{yyyy-MM-dd}.%i.log").toString());
        policy.setMaxFileSize(FileSize.valueOf(FILE_SIZE));
        policy.setMaxHistory(DAYS);
        policy.setTotalSizeCap(FileSize.valueOf(ALL_FILES));
        policy.start();
        appender.setRollingPolicy(policy);
        appender.setTriggeringPolicy(policy);
        appender.start();
        return appender;
    }

    private static LayoutWrappingEncoder<ILoggingEvent> encoder(LoggerContext context) {
        LineLayout layout = new LineLayout();
        layout.setContext(context);
        layout.start();
        var encoder = new LayoutWrappingEncoder<ILoggingEvent>();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setLayout(layout);
        encoder.start();
        return encoder;
    }

    private static void readFile(LoggerContext context, Path own, NodeDirectory directory)
            throws Trouble {
        try {
            context.reset();
            context.putProperty("pabal.home", directory.home().toString());
            JoranConfigurator configurator = new JoranConfigurator();
            configurator.setContext(context);
            configurator.doConfigure(own.toFile());
        } catch (JoranException e) {
            throw new Trouble("etc/logback.xml: cannot be read: " + Lines.reason(e));
        }
    }

    /// Standard output as it is now: the shell puts a stream of its own in its place later.
    static OutputStream standardOutput() {
        PrintStream output = System.out;
        return new OutputStream() {
            @Override
            public void write(int octet) {
                output.write(octet);
            }

            @Override
            public void write(byte[] octets, int from, int length) {
                output.write(octets, from, length);
                output.flush();
            }

            @Override
            public void close() {
                output.flush();
            }
        };
    }
}
