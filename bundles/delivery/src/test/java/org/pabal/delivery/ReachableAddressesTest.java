package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.Inet6Address;
import java.net.InetAddress;

class ReachableAddressesTest {

    private final ReachableAddresses world = new ReachableAddresses(false);
    private final ReachableAddresses laboratory = new ReachableAddresses(true);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8.8.8.8",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.1.1",
                "198.17.255.255",
                "198.20.0.0",
                "223.255.255.255",
                "2600::25",
                "2001:db7::1",
                "64:ff9b::808:808",
                "2002:808:808::1",
                "::8.8.8.8",
            })
    void letsMailOutIntoTheWorld(String address) {
        assertTrue(world.test(InetAddress.ofLiteral(address)));
        assertTrue(laboratory.test(InetAddress.ofLiteral(address)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.1",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.8",
                "192.0.2.25",
                "192.88.99.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "::1",
                "::ffff:127.0.0.1",
                "::127.0.0.1",
                "64:ff9b::7f00:1",
                "64:ff9b::10.1.2.3",
                "64:ff9b:1::8.8.8.8",
                "2002:7f00:1::1",
                "2002:c0a8:101::1",
                "2001:0:4136:e378:8000:63bf:80ff:fffe",
                "2001:db8::25",
                "3fff::1",
                "5f00::1",
                "fc00::1",
                "fdff::1",
                "fec0::1",
            })
    void letsMailToPrivateNetworksOnlyInALaboratory(String address) {
        assertFalse(world.test(InetAddress.ofLiteral(address)));
        assertTrue(laboratory.test(InetAddress.ofLiteral(address)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "0.1.2.3",
                "169.254.169.254",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::ffff:0.0.0.0",
                "::0.0.0.2",
                "::224.0.0.1",
                "64:ff9b::169.254.169.254",
                "2002:a9fe:a9fe::1",
                "100::1",
                "fe80::1",
                "ff02::1",
            })
    void neverLetsMailToWhatNoHostCanHave(String address) {
        assertFalse(world.test(InetAddress.ofLiteral(address)));
        assertFalse(laboratory.test(InetAddress.ofLiteral(address)));
    }

    @Test
    void seesThroughAMappedAddressThatJavaHasLeftAsItIs() throws Exception {
        byte[] octets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 127, 0, 0, 1};
        assertFalse(world.test(Inet6Address.getByAddress("", octets, 0)));
        octets[12] = 8;
        assertTrue(world.test(Inet6Address.getByAddress("", octets, 0)));
    }

    @Test
    void knowsItsOwnMachine() {
        assertTrue(ReachableAddresses.onThisMachine(InetAddress.getLoopbackAddress()));
        assertFalse(ReachableAddresses.onThisMachine(InetAddress.ofLiteral("192.0.2.25")));
    }
}
