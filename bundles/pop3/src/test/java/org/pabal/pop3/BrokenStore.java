package org.pabal.pop3;

import org.pabal.mail.Content;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.UidSet;
import org.pabal.testkit.MemoryMailboxStore;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// A store in memory whose parts can be broken by name, and that notes what was expunged.
final class BrokenStore {

    /// Names of methods of the store, its mailboxes and contents (`open`, `expunge`, `content`,
    /// `read`) that fail from now on.
    final Set<String> broken = ConcurrentHashMap.newKeySet();

    final List<UidSet> expunged = new CopyOnWriteArrayList<>();
    final List<String> changes = new CopyOnWriteArrayList<>();

    final MailboxStore store = (MailboxStore) proxy(MailboxStore.class, new MemoryMailboxStore());

    private Object proxy(Class<?> type, Object target) {
        InvocationHandler handler =
                (self, method, arguments) -> {
                    if (broken.contains(method.getName())) {
                        throw new IOException("broken by a test: " + method.getName());
                    }
                    if (method.getName().equals("expunge")) {
                        expunged.add((UidSet) arguments[0]);
                    }
                    if (Set.of("flag", "append", "copy", "move").contains(method.getName())) {
                        changes.add(method.getName());
                    }
                    try {
                        return wrapped(method.invoke(target, arguments));
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                };
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    private Object wrapped(Object result) {
        return switch (result) {
            case Optional<?> some when some.isPresent() && some.get() instanceof Mailbox mailbox ->
                    Optional.of(proxy(Mailbox.class, mailbox));
            case Optional<?> some when some.isPresent() && some.get() instanceof Content content ->
                    Optional.of(breaking(content));
            case null, default -> result;
        };
    }

    /// Gives half of its octets, then breaks when `read` is broken.
    private Content breaking(Content content) {
        return new Content() {
            @Override
            public long size() {
                return content.size();
            }

            @Override
            public InputStream open() throws IOException {
                if (!broken.contains("read")) {
                    return content.open();
                }
                byte[] octets = content.open().readAllBytes();
                return new FilterInputStream(
                        new ByteArrayInputStream(octets, 0, octets.length / 2)) {
                    @Override
                    public int read(byte[] into, int offset, int length) throws IOException {
                        int read = super.read(into, offset, length);
                        if (read < 0) {
                            throw new IOException("broken by a test: read");
                        }
                        return read;
                    }
                };
            }
        };
    }
}
