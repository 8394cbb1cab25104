package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// Which server is asked first, and which not at all.
class ServerMemoryTest {

    private static final Name ZONE = UpstreamAnswers.ZONE;
    private static final Server ONE = server(1);
    private static final Server TWO = server(2);
    private static final Server THREE = server(3);

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-23T00:00:00Z"));
    private final ServerMemory memory =
            new ServerMemory(clock, address -> true, new Random(20261123));

    private static Server server(int number) {
        return new Server(
                UpstreamAnswers.name("ns" + number + ".example.org"),
                new InetSocketAddress("192.0.2." + number, 53));
    }

    private void heard(Server server, long millis) {
        memory.heard(server.address(), Optional.of(Duration.ofMillis(millis)));
    }

    private void silent(Server server, int times) {
        for (int i = 0; i < times; i++) {
            memory.silent(server.address(), ZONE, System.nanoTime());
        }
    }

    private List<Server> order() {
        return memory.order(ZONE, List.of(ONE, TWO, THREE));
    }

    private Set<Server> firsts() {
        Set<Server> firsts = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            firsts.add(order().getFirst());
        }
        return firsts;
    }

    @Test
    void unknownServersAllGetAChance() {
        assertEquals(Set.of(ONE, TWO, THREE), firsts());
    }

    @Test
    void serversOfTheFastBandTakeTurnsAndSlowOnesFollow() {
        heard(ONE, 20);
        heard(TWO, 60);
        heard(THREE, 120);
        assertEquals(Set.of(ONE, TWO), firsts());
        assertEquals(THREE, order().getLast());
    }

    @Test
    void slowServerIsUnknownAgainAfterAQuarterOfAnHour() {
        heard(ONE, 20);
        heard(THREE, 500);
        clock.advance(Duration.ofMinutes(16));
        heard(ONE, 20);
        assertTrue(firsts().contains(THREE));
    }

    @Test
    void silentServersComeAfterSlowOnes() {
        heard(ONE, 1);
        heard(TWO, 900);
        heard(THREE, 2);
        silent(ONE, 1);
        assertEquals(List.of(THREE, TWO, ONE), order());
        heard(ONE, 1);
        assertEquals(Set.of(ONE, THREE), firsts());
    }

    @Test
    void deadServerIsLeftAloneAndProbedByOne() {
        heard(TWO, 10);
        silent(ONE, Remembered.DEAD_AFTER);
        assertEquals(ONE, order().getLast());
        assertFalse(memory.admits(ONE.address(), ZONE));
        clock.advance(Duration.ofSeconds(6));
        assertTrue(memory.admits(ONE.address(), ZONE));
        assertFalse(memory.admits(ONE.address(), ZONE)); // one is enough
        silent(ONE, 1);
        clock.advance(Duration.ofSeconds(6));
        assertFalse(memory.admits(ONE.address(), ZONE)); // twice as long
        clock.advance(Duration.ofSeconds(5));
        assertTrue(memory.admits(ONE.address(), ZONE));
        heard(ONE, 10);
        assertTrue(memory.admits(ONE.address(), ZONE));
        assertTrue(memory.admits(ONE.address(), ZONE));
    }

    @Test
    void deadServerIsProbedAfterTwoMinutesAtLast() {
        heard(TWO, 10);
        silent(ONE, 60);
        clock.advance(Duration.ofSeconds(119));
        assertFalse(memory.admits(ONE.address(), ZONE));
        clock.advance(Duration.ofSeconds(1));
        assertTrue(memory.admits(ONE.address(), ZONE));
    }

    /// Many servers say nothing of zones that they do not serve, and anybody can have one that is
    /// delegated to them: that must not keep them from being asked of their own.
    @Test
    void serverThatIsSilentOfAStrangersZoneIsAskedOfItsOwn() {
        Name own = UpstreamAnswers.name("example.net");
        heard(TWO, 10);
        silent(ONE, 60);
        assertFalse(memory.admits(ONE.address(), ZONE));
        assertTrue(memory.admits(ONE.address(), own));
        assertTrue(memory.admits(ONE.address(), own));
        memory.silent(ONE.address(), own, System.nanoTime());
        assertFalse(memory.admits(ONE.address(), own));
        memory.spoke(ONE.address(), own);
        assertTrue(memory.admits(ONE.address(), own));
        assertFalse(memory.admits(ONE.address(), ZONE));
    }

    @Test
    void questionsThatAreOutTogetherCountOnce() {
        heard(TWO, 10);
        long began = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            memory.silent(ONE.address(), ZONE, began);
        }
        assertEquals(1, memory.of(ONE.address()).pace().failures());
    }

    @Test
    void nobodyIsDeadWhenOurOwnLineIs() {
        for (int i = 0; i < 20; i++) {
            silent(ONE, 1);
        }
        assertEquals(20, memory.of(ONE.address()).pace().failures());
        assertTrue(memory.admits(ONE.address(), ZONE));
    }

    @Test
    void lameServerIsLastForThatZoneAndThatTime() {
        heard(ONE, 1);
        heard(TWO, 500);
        heard(THREE, 900);
        memory.lame(ONE.address(), ZONE, Duration.ofMinutes(10));
        assertEquals(List.of(TWO, THREE, ONE), order());
        assertEquals(
                ONE,
                memory.order(UpstreamAnswers.name("example.net"), List.of(THREE, ONE)).getFirst());
        assertEquals(
                ONE,
                memory.order(UpstreamAnswers.name("EXAMPLE.org"), List.of(THREE, ONE)).getLast());
        clock.advance(Duration.ofMinutes(11));
        assertEquals(ONE, order().getFirst());
    }

    @Test
    void addressesWithoutARouteAreLeftOut() {
        Server six =
                new Server(
                        Name.root, new InetSocketAddress(InetAddress.ofLiteral("2001:db8::1"), 53));
        ServerMemory four =
                new ServerMemory(
                        clock, address -> !(address instanceof Inet6Address), new Random(1));
        assertEquals(List.of(ONE), four.order(ZONE, List.of(six, ONE)));
        assertFalse(new Ipv6Route(UpstreamSettings.Ipv6.NO).leadsTo(six.address().getAddress()));
        assertTrue(new Ipv6Route(UpstreamSettings.Ipv6.YES).leadsTo(six.address().getAddress()));
        assertTrue(new Ipv6Route(UpstreamSettings.Ipv6.AUTO).leadsTo(InetAddress.ofLiteral("::1")));
    }

    /// Security row D30.
    @Test
    void tableDoesNotGrow() {
        for (int i = 0; i < 50_000; i++) {
            memory.heard(
                    new InetSocketAddress("10.0." + i / 250 + "." + (1 + i % 250), 53),
                    Optional.of(Duration.ofMillis(5)));
        }
        assertTrue(memory.size() <= 10_000, "" + memory.size());
        assertTrue(memory.size() > 9_900, "" + memory.size());
    }

    @Test
    void whatIsUsedIsNotForgotten() {
        heard(ONE, 7);
        for (int i = 0; i < 50_000; i++) {
            memory.heard(
                    new InetSocketAddress("10.0." + i / 250 + "." + (1 + i % 250), 53),
                    Optional.empty());
            memory.of(ONE.address());
        }
        assertTrue(memory.of(ONE.address()).pace().roundTrip().known());
    }

    @Test
    void patienceFollowsTheRoundTrip() {
        RoundTrip trip = RoundTrip.UNKNOWN;
        assertEquals(RoundTrip.GUESS, trip.patience(0));
        assertEquals(RoundTrip.GUESS.multipliedBy(2), trip.patience(1));
        assertEquals(RoundTrip.MOST, trip.patience(9));
        for (int i = 0; i < 50; i++) {
            trip = trip.with(Duration.ofMillis(10));
        }
        assertEquals(RoundTrip.LEAST, trip.patience(0));
        for (int i = 0; i < 50; i++) {
            trip = trip.with(Duration.ofMillis(i % 2 == 0 ? 300 : 500));
        }
        assertTrue(trip.patience(0).toMillis() > 600, trip.toString());
        assertTrue(trip.smoothed().toMillis() > 350, trip.toString());
    }

    @Test
    void lineTellsWhatIsKnown() {
        assertEquals("192.0.2.1 never measured", memory.line(ONE.address()));
        heard(ONE, 12);
        memory.speaks(ONE.address(), Dialect.PLAIN);
        memory.foldsCase(ONE.address());
        assertEquals("192.0.2.1 12 ms ±6, no EDNS, folds case", memory.line(ONE.address()));
        clock.advance(Duration.ofMinutes(16));
        assertEquals("192.0.2.1 12 ms ±6", memory.line(ONE.address()));
    }

    /// One FORMERR of a server that speaks EDNS, from whatever machine behind its address, does not
    /// make its signed zones bogus.
    @Test
    void aServerThatHasAnsweredWithEdnsIsAskedWithIt() {
        memory.answersEdns(ONE.address());
        memory.speaks(ONE.address(), Dialect.PLAIN);
        assertEquals(Dialect.EDNS, memory.of(ONE.address()).manners().dialect(clock.instant()));
        memory.speaks(TWO.address(), Dialect.PLAIN);
        assertEquals(Dialect.PLAIN, memory.of(TWO.address()).manners().dialect(clock.instant()));
    }
}
