package org.pabal.launcher;

import org.osgi.framework.Bundle;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.Optional;

/// Hands settings to the OSGi service of that name. By reflection, since its types belong to the
/// bundle.
final class ConfigurationAdmin implements SettingsFiles.Target {

    static final String SERVICE = "org.osgi.service.cm.ConfigurationAdmin";

    /// Any bundle may receive them.
    private static final String EVERYWHERE = "?";

    private final Object service;
    private final Method one;
    private final Method oneOfAKind;
    private final Method update;
    private final Method delete;

    /// @param provider whose class loader has the types
    ConfigurationAdmin(Bundle provider, Object service) throws ReflectiveOperationException {
        Class<?> admin = provider.loadClass(SERVICE);
        Class<?> configuration = provider.loadClass("org.osgi.service.cm.Configuration");
        this.service = service;
        this.one = admin.getMethod("getConfiguration", String.class, String.class);
        this.oneOfAKind =
                admin.getMethod(
                        "getFactoryConfiguration", String.class, String.class, String.class);
        this.update = configuration.getMethod("update", Dictionary.class);
        this.delete = configuration.getMethod("delete");
    }

    @Override
    public void put(String pid, Optional<String> instance, Map<String, String> settings)
            throws IOException {
        call(update, configuration(pid, instance), new Hashtable<>(settings));
    }

    @Override
    public void remove(String pid, Optional<String> instance) throws IOException {
        call(delete, configuration(pid, instance));
    }

    private Object configuration(String pid, Optional<String> instance) throws IOException {
        return instance.isPresent()
                ? call(oneOfAKind, service, pid, instance.get(), EVERYWHERE)
                : call(one, service, pid, EVERYWHERE);
    }

    private static Object call(Method method, Object target, Object... arguments)
            throws IOException {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw new IOException(Lines.reason(e.getCause()), e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
