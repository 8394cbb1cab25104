package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.read.ListAppender;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.ServiceException;
import org.osgi.framework.launch.Framework;
import org.pabal.settings.BadSetting;
import org.slf4j.LoggerFactory;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

@Timeout(60)
class LogBridgeTest {

    @TempDir Path directory;

    @Test
    void namesTheMissingPackage() throws Exception {
        Framework framework = TestBundles.framework(directory.resolve("cache"), Map.of());
        framework.start();
        try {
            Path jar =
                    TestBundles.write(
                            directory.resolve("a.jar"),
                            "org.example.a",
                            "1.0.0",
                            "com.example.lost;version=\"[1.2,2)\"");
            Bundle bundle = framework.getBundleContext().installBundle(jar.toUri().toString());
            BundleException failure = assertThrows(BundleException.class, bundle::start);
            assertEquals(
                    Optional.of(
                            "does not resolve: missing package com.example.lost, version 1.2.0 or"
                                    + " newer"),
                    LogBridge.missing(failure));
        } finally {
            framework.stop();
            framework.waitForStop(10_000);
        }
    }

    @Test
    void namesWhatTheInnermostBundleLacks() {
        BundleException failure =
                new BundleException(
                        "Unable to resolve a [7](R 7.0): missing requirement [a [7](R 7.0)]"
                            + " osgi.wiring.package; (osgi.wiring.package=b.api) [caused by: Unable"
                            + " to resolve b [8](R 8.0): missing requirement [b [8](R 8.0)]"
                            + " osgi.wiring.package; (osgi.wiring.package=c.api)] Unresolved"
                            + " requirements: [[a [7](R 7.0)] osgi.wiring.package;"
                            + " (osgi.wiring.package=b.api)]",
                        BundleException.RESOLVE_ERROR);
        assertTrue(
                LogBridge.missing(failure)
                        .orElseThrow()
                        .startsWith("does not resolve: missing package c.api"));
    }

    @Test
    void tellsABadSettingByTheNameOfItsClass() {
        Exception failure =
                new IllegalStateException(
                        new InvocationTargetException(
                                new BadSetting(
                                        "org.pabal.smtp.cfg: max-size = big: expected a size")));
        assertEquals(
                Optional.of("org.pabal.smtp.cfg: max-size = big: expected a size"),
                LogBridge.badSetting(failure));
        assertEquals(Optional.empty(), LogBridge.badSetting(new IllegalStateException("no")));
    }

    @Test
    void logsABadSettingOnceAndWithoutAStackTrace() throws Exception {
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        Logger root = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("ROOT");
        root.setLevel(Level.INFO);
        root.addAppender(lines);
        List<String> complaints = new ArrayList<>();
        Framework framework = TestBundles.framework(directory.resolve("cache"), Map.of());
        framework.init();
        try {
            BundleContext context = framework.getBundleContext();
            LogBridge bridge = new LogBridge(context, complaints::add);
            bridge.open();
            Exception failure =
                    new InvocationTargetException(new BadSetting("x.cfg: a = b: expected c"));
            bridge.frameworkEvent(
                    new FrameworkEvent(FrameworkEvent.ERROR, context.getBundle(), failure));
            bridge.frameworkEvent(
                    new FrameworkEvent(FrameworkEvent.ERROR, context.getBundle(), failure));
            Exception consequence =
                    new ServiceException(
                            "Service factory returned null. (Component: org.example.Stopped (7))");
            bridge.frameworkEvent(
                    new FrameworkEvent(FrameworkEvent.ERROR, context.getBundle(), consequence));
            assertEquals(List.of("x.cfg: a = b: expected c"), complaints);
            List<ILoggingEvent> told =
                    lines.list.stream()
                            .filter(e -> e.getFormattedMessage().contains("x.cfg"))
                            .toList();
            assertEquals(1, told.size());
            assertEquals(null, told.getFirst().getThrowableProxy());
            assertTrue(
                    lines.list.stream().noneMatch(e -> e.getFormattedMessage().contains("Stopped")),
                    "those who wait for it have nothing to add");
        } finally {
            root.detachAppender(lines);
            framework.stop();
            framework.waitForStop(10_000);
        }
    }

    @Test
    void hearsTheLogService() throws Exception {
        BlockingQueue<ILoggingEvent> lines = new LinkedBlockingQueue<>();
        AppenderBase<ILoggingEvent> appender =
                new AppenderBase<>() {
                    @Override
                    protected void append(ILoggingEvent event) {
                        lines.add(event);
                    }
                };
        appender.start();
        Logger root = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("ROOT");
        root.setLevel(Level.INFO);
        root.addAppender(appender);
        Framework framework =
                TestBundles.framework(
                        directory.resolve("cache"),
                        Map.of(
                                "felix.fileinstall.dir", directory.resolve("deploy").toString(),
                                "felix.fileinstall.tmpdir", directory.resolve("tmp").toString(),
                                "felix.fileinstall.noInitialDelay", "true",
                                "felix.fileinstall.disableNio2", "true",
                                "felix.fileinstall.log.level", "3"));
        framework.init();
        try {
            BundleContext context = framework.getBundleContext();
            new LogBridge(context, s -> {}).open();
            TestBundles.write(
                    directory.resolve("deploy/a.jar"),
                    "org.example.a",
                    "1.0.0",
                    "com.example.lost");
            for (String name :
                    List.of(
                            "org.apache.felix.log",
                            "org.apache.felix.configadmin",
                            "org.apache.felix.fileinstall")) {
                context.installBundle("reference:" + TestBundles.thirdParty(name).toUri()).start();
            }
            framework.start();
            List<String> told = new ArrayList<>();
            do {
                ILoggingEvent next = lines.poll(20, TimeUnit.SECONDS);
                assertNotNull(next, () -> "nothing more was logged after " + told);
                told.add(new LineLayout().doLayout(next));
            } while (!told.getLast().contains("missing package com.example.lost"));
        } finally {
            root.detachAppender(appender);
            framework.stop();
            framework.waitForStop(10_000);
        }
    }
}
