package org.pabal.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.settings.BadSetting;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

class ListenerSettingsTest {

    // S27: nothing listens off loopback unless somebody wrote so
    @Test
    void listensOnLoopbackByDefault() {
        assertTrue(Given.settings().address().getAddress().isLoopbackAddress());
    }

    @Test
    void protocolAloneIsEnough() {
        ListenerSettings settings = Given.settings();
        assertEquals(Duration.ofMinutes(5), settings.patience());
        assertEquals(Duration.ofSeconds(30), settings.protocolWait());
        assertEquals(Duration.ofSeconds(5), settings.grace());
        assertEquals(ListenerSettings.Tls.NONE, settings.tls());
        assertEquals(0, settings.address().getPort());
    }

    @Test
    void namesTheMissingProtocol() {
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () ->
                                ListenerSettings.from(
                                        "x",
                                        Map.of("service.pid", "org.pabal.listener~x"),
                                        Path.of("")));
        assertEquals(
                "org.pabal.listener~x.cfg: protocol is missing: expected for example protocol ="
                        + " smtp",
                bad.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "address, localhost",
        "address, 192.0.2.256",
        "port, 65536",
        "port, smtp",
        "transport, sctp",
        "tls, yes",
        "tls, starttls",
        "proxy-from, 192.0.2.0/33",
        "proxy-from, example.org",
        "max-connections, 0",
        "grace, 5",
        "colour, blue",
        "protocol, *)(x=y"
    })
    void refusesWhatCannotBeUsedAndShowsAnExample(String key, String value) {
        BadSetting bad = assertThrows(BadSetting.class, () -> Given.settings(key, value));
        assertTrue(bad.getMessage().startsWith("org.pabal.listener~test.cfg: "), bad.getMessage());
        assertTrue(bad.getMessage().contains("expected"), bad.getMessage());
    }

    @Test
    void refusesTlsOnDatagrams() {
        assertThrows(BadSetting.class, () -> Given.settings("transport", "udp", "tls", "implicit"));
    }

    @Test
    void patienceNeedsNoNewSocketButThePortDoes() {
        ListenerSettings settings = Given.settings("port", "1025");
        assertTrue(
                settings.sameSockets(
                        Given.settings("port", "1025", "patience", "1 s", "max-connections", "3")));
        assertFalse(settings.sameSockets(Given.settings("port", "1026")));
        assertFalse(settings.sameSockets(Given.settings("port", "1025", "transport", "both")));
    }

    @Test
    void takenPortIsExplainedInOneLineWithAnExample() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Exception refused =
                    assertThrows(
                            IOException.class,
                            () ->
                                    OpenListener.open(
                                            Given.settings("port", "" + other.getLocalPort())));
            assertTrue(
                    refused.getMessage()
                            .matches(
                                    "listener test: cannot listen on 127.0.0.1 port \\d+: Address"
                                        + " already in use; expected a free port, for example port"
                                        + " = \\d+"),
                    refused.getMessage());
        }
    }

    @Test
    void strangeAddressIsExplained() {
        Exception refused =
                assertThrows(
                        IOException.class,
                        () -> OpenListener.open(Given.settings("address", "192.0.2.1")));
        assertTrue(
                refused.getMessage().contains("expected an address of this machine"),
                refused.getMessage());
    }

    @Test
    void bothTransportsShareThePortThatTheSystemChose() throws Exception {
        OpenListener both = OpenListener.open(Given.settings("transport", "both"));
        try {
            assertEquals(
                    both.streams().orElseThrow().address(),
                    both.datagrams().orElseThrow().address());
            assertFalse(both.accepting());
        } finally {
            both.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.0/24, 192.0.2.255, true",
        "192.0.2.0/24, 192.0.3.0, false",
        "192.0.2.128/25, 192.0.2.127, false",
        "192.0.2.1, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.2, false",
        "0.0.0.0/0, 198.51.100.1, true",
        "0.0.0.0/0, 2001:db8::1, false",
        "2001:db8::/33, 2001:db8:7fff::1, true",
        "2001:db8::/33, 2001:db8:8000::1, false",
        "::1, ::1, true"
    })
    void networkContains(String network, String address, boolean expected) {
        assertEquals(expected, Network.parse(network).contains(InetAddress.ofLiteral(address)));
    }

    // S8: per address, /32 and /56
    @Test
    void householdOfIpv6CountsAsOneClient() {
        Occupancy occupancy = new Occupancy();
        assertTrue(occupancy.enter(InetAddress.ofLiteral("2001:db8:1:100::1"), 2));
        assertTrue(occupancy.enter(InetAddress.ofLiteral("2001:db8:1:1ff::2"), 2));
        assertFalse(occupancy.enter(InetAddress.ofLiteral("2001:db8:1:1aa::3"), 2));
        assertTrue(occupancy.enter(InetAddress.ofLiteral("2001:db8:1:200::1"), 2));
        assertTrue(occupancy.enter(InetAddress.ofLiteral("192.0.2.1"), 1));
        assertFalse(occupancy.enter(InetAddress.ofLiteral("192.0.2.1"), 1));
        assertTrue(occupancy.enter(InetAddress.ofLiteral("192.0.2.2"), 1));
        occupancy.leave(InetAddress.ofLiteral("192.0.2.1"));
        assertTrue(occupancy.enter(InetAddress.ofLiteral("192.0.2.1"), 1));
    }
}
