package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.pabal.dns.ZoneFreshness;
import org.xbill.DNS.Name;

import java.time.Instant;
import java.util.Optional;

/// What every [ZoneFreshness] does.
public interface ZoneFreshnessContract {

    Name EXAMPLE = Name.fromConstantString("example.org.");
    Name ODD = Name.fromConstantString("odd\\.dot\\032x.Example.org.");
    Instant NOON = Instant.parse("2026-11-01T12:00:00Z");

    /// One that knows nothing.
    ZoneFreshness freshness() throws Exception;

    /// The same after a restart; empty when it keeps nothing.
    default Optional<ZoneFreshness> reopened() throws Exception {
        return Optional.empty();
    }

    @Test
    default void remembersTheLastConfirmationOfEachZone() throws Exception {
        ZoneFreshness freshness = freshness();
        assertEquals(Optional.empty(), freshness.confirmed(EXAMPLE));
        freshness.confirm(EXAMPLE, NOON);
        freshness.confirm(ODD, NOON.plusSeconds(1));
        freshness.confirm(EXAMPLE, NOON.plusSeconds(2));
        assertEquals(Optional.of(NOON.plusSeconds(2)), freshness.confirmed(EXAMPLE));
        assertEquals(
                Optional.of(NOON.plusSeconds(1)),
                freshness.confirmed(Name.fromConstantString("ODD\\.dot\\032x.example.org.")));
    }

    @Test
    default void forgetsWhatItIsToldToForget() throws Exception {
        ZoneFreshness freshness = freshness();
        freshness.confirm(EXAMPLE, NOON);
        freshness.forget(EXAMPLE);
        freshness.forget(ODD);
        assertEquals(Optional.empty(), freshness.confirmed(EXAMPLE));
    }

    @Test
    default void survivesARestart() throws Exception {
        ZoneFreshness before = freshness();
        before.confirm(EXAMPLE, NOON);
        before.confirm(ODD, NOON);
        before.forget(EXAMPLE);
        before.confirm(ODD, NOON.plusSeconds(7));
        Optional<ZoneFreshness> after = reopened();
        if (after.isPresent()) {
            assertEquals(Optional.empty(), after.get().confirmed(EXAMPLE));
            assertEquals(Optional.of(NOON.plusSeconds(7)), after.get().confirmed(ODD));
        }
    }
}
