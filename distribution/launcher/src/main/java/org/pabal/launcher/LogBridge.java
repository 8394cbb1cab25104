package org.pabal.launcher;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.ServiceReference;
import org.osgi.util.tracker.ServiceTracker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Carries what the framework and its services log to the node's log. Without it a bundle that does
/// not resolve would drop in silence.
///
/// The types of the OSGi log service come from a bundle, so they are reached by reflection: putting
/// them on the module path as well would make two of each.
final class LogBridge implements FrameworkListener, InvocationHandler {

    private static final String BAD_SETTING = "org.pabal.settings.BadSetting: ";
    private static final String UNRESOLVED =
            BundleException.class.getName() + ": Unable to resolve ";
    private static final Pattern PACKAGE =
            Pattern.compile(
                    "osgi\\.wiring\\.package;\\s*\\(&?\\(?osgi\\.wiring\\.package=([\\w.]+)\\)([^;\\]]*)");
    private static final Pattern LEAST = Pattern.compile("\\(version>=([\\w.]+)\\)");
    private static final Pattern REQUIREMENT =
            Pattern.compile("missing requirement \\[[^\\]]*(?:\\([^)]*\\))?\\] ([^\\[\\n]+)");
    /// What the framework says when a component could not be made. Why not has been said by the
    /// component, in a line of its own; these come once for each that waits for it.
    private static final Pattern CONSEQUENCE =
            Pattern.compile(
                    "Service factory returned null\\..*"
                            + "|.*Could not get service from ref .*"
                            + "|.*Unable to get service for reference .*"
                            + "|.*Service not available from service registry .*",
                    Pattern.DOTALL);

    private static final long REPEAT_NANOS = 2_000_000_000L;

    private final BundleContext context;
    private final Consumer<String> badSettings;
    private final ServiceTracker<Object, Object> reader;
    private String lastBadSetting = "";
    private long lastBadSettingAt;

    /// @param badSettings told of each setting that stopped a bundle
    LogBridge(BundleContext context, Consumer<String> badSettings) {
        this.context = context;
        this.badSettings = badSettings;
        this.reader =
                new ServiceTracker<>(context, "org.osgi.service.log.LogReaderService", null) {
                    @Override
                    public Object addingService(ServiceReference<Object> reference) {
                        Object service = super.addingService(reference);
                        listen(reference.getBundle(), service);
                        return service;
                    }
                };
    }

    void open() {
        context.addFrameworkListener(this);
        reader.open();
    }

    /// What an administrator reads when a bundle could not be started: the missing package, if that
    /// is the reason.
    static Optional<String> missing(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String thrown = thrown(cause);
            if (thrown.startsWith(UNRESOLVED)) {
                return Optional.of(missing(thrown));
            }
        }
        return Optional.empty();
    }

    private static String missing(String message) {
        // A chain of bundles is told from the outermost to the one that lacks something: the last
        // one counts.
        int end = message.indexOf(" Unresolved requirements:"); // says the outermost again
        Matcher matcher = PACKAGE.matcher(end < 0 ? message : message.substring(0, end));
        String found = "";
        while (matcher.find()) {
            Matcher least = LEAST.matcher(matcher.group(2));
            found =
                    "package "
                            + matcher.group(1)
                            + (least.find() ? ", version " + least.group(1) + " or newer" : "");
        }
        if (found.isEmpty()) {
            Matcher requirement = REQUIREMENT.matcher(message);
            found = requirement.find() ? requirement.group(1).strip() : Lines.single(message);
        }
        return "does not resolve: missing " + found;
    }

    /// The setting that stopped something, if that is the reason.
    static Optional<String> badSetting(Throwable failure) {
        int depth = 0;
        for (Throwable cause = failure; cause != null && depth < 32; cause = cause.getCause()) {
            String thrown = thrown(cause);
            if (thrown.startsWith(BAD_SETTING)) {
                return Optional.of(Lines.single(thrown.substring(BAD_SETTING.length())));
            }
            depth++;
        }
        return Optional.empty();
    }

    /// An exception as it was thrown: `org.example.Lost: the message`.
    ///
    /// Classes belong to bundles, so they are told by name; and the log service puts an exception
    /// of its own in the place of one whose class may go away, with the name in the message.
    static String thrown(Throwable failure) {
        return failure.getClass().getName().equals("org.apache.felix.log.LogException")
                ? String.valueOf(failure.getMessage())
                : failure.toString();
    }

    @Override
    public void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.ERROR || event.getType() == FrameworkEvent.WARNING) {
            log(
                    event.getBundle(),
                    event.getType() == FrameworkEvent.ERROR ? "ERROR" : "WARN",
                    "",
                    event.getThrowable());
        }
    }

    private void listen(Bundle provider, Object service) {
        try {
            Class<?> listenerType = provider.loadClass("org.osgi.service.log.LogListener");
            Class<?> readerType = provider.loadClass("org.osgi.service.log.LogReaderService");
            Object listener =
                    Proxy.newProxyInstance(
                            listenerType.getClassLoader(), new Class<?>[] {listenerType}, this);
            readerType.getMethod("addLogListener", listenerType).invoke(service, listener);
        } catch (ReflectiveOperationException e) {
            LoggerFactory.getLogger(LogBridge.class)
                    .error("the log of the framework cannot be read", e);
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments)
            throws ReflectiveOperationException {
        return switch (method.getName()) {
            case "logged" -> {
                logged(method.getParameterTypes()[0], arguments[0]);
                yield null;
            }
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(this);
            default -> "the node's log";
        };
    }

    private void logged(Class<?> type, Object entry) throws ReflectiveOperationException {
        String logger = String.valueOf(type.getMethod("getLoggerName").invoke(entry));
        String level = type.getMethod("getLogLevel").invoke(entry).toString();
        // What happened to bundles and services stands in the log by its cause already; errors of
        // the framework came as events.
        if (!logger.startsWith("Events.") && !level.equals("DEBUG") && !level.equals("TRACE")) {
            log(
                    (Bundle) type.getMethod("getBundle").invoke(entry),
                    level,
                    String.valueOf(type.getMethod("getMessage").invoke(entry)),
                    (Throwable) type.getMethod("getException").invoke(entry));
        }
    }

    private void log(Bundle bundle, String level, String message, Throwable failure) {
        String source =
                bundle == null || bundle.getSymbolicName() == null
                        ? "framework"
                        : bundle.getSymbolicName();
        Logger logger = LoggerFactory.getLogger(source);
        Optional<String> setting = badSetting(failure);
        if (setting.isPresent()) {
            if (isNew(setting.get())) {
                logger.error(setting.get());
                badSettings.accept(setting.get());
            }
            return;
        }
        Optional<String> missing = missing(failure);
        if (missing.isPresent()) {
            logger.error((message.isEmpty() ? "bundle " + source : message) + ": " + missing.get());
            return;
        }
        String text = message.isEmpty() && failure != null ? Lines.reason(failure) : message;
        if (CONSEQUENCE.matcher(text).matches()) {
            logger.debug(text, failure);
            return;
        }
        switch (level) {
            case "ERROR" -> logger.error(text, failure);
            case "WARN" -> logger.warn(text, failure);
            default -> logger.info(text, failure);
        }
    }

    /// The same complaint arrives more than once: from the constructor, and from whoever called it.
    private synchronized boolean isNew(String setting) {
        long now = System.nanoTime();
        boolean repeated = setting.equals(lastBadSetting) && now - lastBadSettingAt < REPEAT_NANOS;
        lastBadSetting = setting;
        lastBadSettingAt = now;
        return !repeated;
    }
}
