package org.pabal.itests.houserules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.Set;
import java.util.TreeSet;

/// A rule that finds nothing because it looks nowhere would be worse than none.
class RulesAreSharpTest {

    /// Looks at the clock in each way that there is, and in two that are allowed.
    static final class LooksAtTheClock {
        Object[] all() {
            return new Object[] {
                Instant.now(),
                System.currentTimeMillis(),
                new Date(),
                LocalDate.now(ZoneOffset.UTC),
                Clock.systemUTC(),
                InstantSource.system()
            };
        }

        Object[] allowed(InstantSource clock) {
            return new Object[] {
                clock.instant(),
                System.nanoTime(),
                new Date(0),
                Instant.now(clock.withZone(ZoneOffset.UTC))
            };
        }
    }

    @Test
    void everyLookAtTheClockIsSeen() throws IOException {
        Set<String> seen = new TreeSet<>();
        for (var entry : model(LooksAtTheClock.class).constantPool()) {
            if (entry instanceof MemberRefEntry member && BuiltJarsTest.readsClock(member)) {
                seen.add(member.owner().asInternalName() + "." + member.name() + member.type());
            }
        }
        assertEquals(6, seen.size(), seen.toString());
    }

    @Test
    void aMentionedTypeIsSeen() throws IOException {
        ClassModel model = model(BuiltJarsTest.class);
        assertTrue(BuiltJarsTest.mentions(model, "org/junit/jupiter/"));
        assertFalse(BuiltJarsTest.mentions(model, "org/pabal/smtp/"));
    }

    @Test
    void aVendorIsKnownByItsPackages() {
        assertEquals("org.xbill", BuiltJarsTest.vendor("org.xbill.DNS.utils"));
        assertEquals("org.apache.james", BuiltJarsTest.vendor("org.apache.james.mime4j.stream"));
    }

    private static ClassModel model(Class<?> type) throws IOException {
        try (InputStream in =
                type.getResourceAsStream("/" + type.getName().replace('.', '/') + ".class")) {
            return ClassFile.of().parse(in.readAllBytes());
        }
    }
}
