package org.pabal.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.service.command.Descriptor;
import org.junit.jupiter.api.Test;
import org.pabal.mail.MailAddress;
import org.pabal.testkit.MemoryDirectory;
import org.pabal.testkit.MemoryMailboxStore;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.time.Duration;
import java.util.List;

class ShellsTest {

    @Test
    void everyCommandHasADescriptionAndAnExample() {
        for (Class<?> shell :
                List.of(
                        DomainShell.class,
                        AccountShell.class,
                        AliasShell.class,
                        MailboxShell.class,
                        NodeShell.class)) {
            for (Method method : shell.getDeclaredMethods()) {
                if (Modifier.isPublic(method.getModifiers())) {
                    String text = method.getAnnotation(Descriptor.class).value();
                    assertTrue(text.contains(". Example: "), method.toString());
                    for (Parameter parameter : method.getParameters()) {
                        assertTrue(
                                parameter.isAnnotationPresent(Descriptor.class),
                                parameter.toString());
                    }
                }
            }
        }
    }

    @Test
    void mailboxesAreListedInNumbers() throws Exception {
        MemoryDirectory directory = new MemoryDirectory("example.org");
        MailAddress bob = MailAddress.parse("bob@example.org").orElseThrow();
        directory.addAccount(bob, "pabal".toCharArray());
        MemoryMailboxStore store = new MemoryMailboxStore();
        store.create(bob, "Archive");
        MailboxShell shell = new MailboxShell(directory, store);
        assertEquals(
                List.of(
                        "INBOX  0 messages, 0 unseen, 0 octets",
                        "Archive  0 messages, 0 unseen, 0 octets"),
                shell.list("bob@example.org"));
        assertEquals(
                "eve@example.org: no such account; account:list shows all",
                assertThrows(IllegalArgumentException.class, () -> shell.list("eve@example.org"))
                        .getMessage());
    }

    @Test
    void anAliasNeedsATarget() {
        AliasShell shell = new AliasShell(new MemoryDirectory("example.org"));
        assertThrows(IllegalArgumentException.class, () -> shell.add("sales@example.org"));
    }

    @Test
    void timeIsToldInItsTwoLargestUnits() {
        assertEquals("0 m 9 s", NodeShell.words(Duration.ofSeconds(9)));
        assertEquals("2 h 3 m", NodeShell.words(Duration.ofSeconds(7_390)));
        assertEquals("3 d 4 h", NodeShell.words(Duration.ofHours(76)));
    }
}
