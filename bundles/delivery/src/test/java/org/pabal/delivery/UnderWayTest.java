package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.testkit.MovableClock;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

class UnderWayTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final MovableClock clock = new MovableClock(NOON);
    private final UnderWay underWay = new UnderWay(1_000, clock);

    @Test
    void domainHasATenthOfWhatIsFree() {
        assertEquals(91, fill("a").size());
        assertEquals(82, fill("b").size());
    }

    @Test
    void domainsThatAreFullLeaveRoomForOthers() {
        int all = 0;
        for (int i = 0; i < 40; i++) {
            int more = fill("dead" + i).size();
            assertTrue(more > 0, "there is room for domain " + i);
            all += more;
        }
        assertTrue(all < 1_000, all + " of 1000 are taken");
    }

    @Test
    void whereNothingMovesMailComesBackLaterAndOneAfterTheOther() {
        fill("a");
        clock.advance(Duration.ofSeconds(3));
        Instant now = clock.instant();
        assertEquals(Optional.of(now.plusMillis(10_000)), turnedAway("a"));
        assertEquals(Optional.of(now.plusMillis(10_010)), turnedAway("a"));
        assertEquals(Optional.of(now.plusMillis(10_020)), turnedAway("a"));
        assertFalse(underWay.crowded());
        for (int i = 0; i < 100_000; i++) {
            turnedAway("a");
        }
        assertEquals(Optional.of(now.plusSeconds(300)), turnedAway("a"), "but not too late");
    }

    @Test
    void whereMailMovesItComesBackWithinMoments() {
        List<UnderWay.Passage> inside = fill("a");
        clock.advance(Duration.ofSeconds(30));
        Instant now = clock.instant();
        turnedAway("a");
        inside.getFirst().close();
        assertEquals(Optional.empty(), turnedAway("a"), "there is room for one");
        assertEquals(Optional.of(now.plusMillis(100)), turnedAway("a"));
        assertTrue(underWay.crowded());
        clock.advance(Duration.ofMillis(100));
        assertFalse(underWay.crowded());
        clock.advance(Duration.ofSeconds(10));
        assertEquals(Optional.of(clock.instant().plusSeconds(10)), turnedAway("a"));
    }

    /// A burst for one host must not wait ten seconds because its first message is not there yet.
    @Test
    void whatHasJustBegunCountsAsMoving() {
        fill("a");
        assertTrue(underWay.crowded());
        assertTrue(turnedAway("a").orElseThrow().isBefore(NOON.plusMillis(110)));
    }

    @Test
    void messageForTwoDomainsGoesWhereThereIsRoom() {
        fill("a");
        try (UnderWay.Passage passage = underWay.passage()) {
            assertTrue(passage.enter(Set.of("a", "b")).isPresent());
            assertEquals(Set.of("b"), passage.open());
        }
    }

    @Test
    void isEmptyWhenTheLastHasLeft() throws InterruptedException {
        assertTrue(underWay.awaitEmpty(Duration.ZERO));
        List<UnderWay.Passage> inside = fill("a");
        assertFalse(underWay.awaitEmpty(Duration.ZERO));
        Thread.ofVirtual().start(() -> inside.forEach(UnderWay.Passage::close));
        assertTrue(underWay.awaitEmpty(Duration.ofSeconds(30)));
    }

    private List<UnderWay.Passage> fill(String domain) {
        List<UnderWay.Passage> inside = new ArrayList<>();
        while (true) {
            UnderWay.Passage passage = underWay.passage();
            if (passage.enter(Set.of(domain)).isPresent()) {
                return inside;
            }
            inside.add(passage);
        }
    }

    private Optional<Instant> turnedAway(String domain) {
        return underWay.passage().enter(Set.of(domain));
    }
}
