package org.pabal.dns.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// RFC 9018, its vectors and its clock; RFC 7873 §5.2.
class ServerCookiesTest {

    private static final String SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    private static final String GOOD = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    private static final int MADE = 1559731985;
    private static final String CLIENT = "198.51.100.100";

    private static ServerCookies cookies(String... secrets) {
        return new ServerCookies(Stream.of(secrets).map(ServerCookies.Secret::parse).toList());
    }

    private static ByteBuffer address(String text) {
        return ByteBuffer.wrap(InetAddress.ofLiteral(text).getAddress());
    }

    private static int check(ServerCookies cookies, String cookie, String client, int now) {
        byte[] octets = HexFormat.of().parseHex(cookie);
        byte[] space = new byte[ServerCookies.SCRATCH];
        return cookies.check(octets, 0, octets.length, space, 0, address(client), now);
    }

    private static String answer(ServerCookies cookies, String cookie, String client, int now) {
        byte[] octets = HexFormat.of().parseHex(cookie);
        byte[] space = new byte[ServerCookies.SCRATCH];
        ByteBuffer out = ByteBuffer.allocate(ServerCookies.LENGTH);
        int verdict = check(cookies, cookie, client, now);
        cookies.put(octets, 0, verdict, space, 0, address(client), now, out);
        return HexFormat.of().formatHex(out.array());
    }

    /// RFC 9018 appendix A.1 to A.4
    @ParameterizedTest
    @CsvSource({
        "2464c4abcf10c957, 198.51.100.100, 1559731985, e5e973e5a6b2a43f48e7dc849e37bfcf,"
                + " 2464c4abcf10c957010000005cf79f111f8130c3eee29480",
        "2464c4abcf10c957010000005cf79f111f8130c3eee29480, 198.51.100.100, 1559734385,"
                + " e5e973e5a6b2a43f48e7dc849e37bfcf,"
                + " 2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
        "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5, 203.0.113.203, 1559734700,"
                + " e5e973e5a6b2a43f48e7dc849e37bfcf,"
                + " fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
        "22681ab97d52c298010000005cf7c57926556bd0934c72f8,"
                + " 2001:db8:220:1:59de:d0f4:8769:82b8, 1559741961,"
                + " 445536bcd2513298075a5d379663c962,"
                + " 22681ab97d52c298010000005cf7c609a6bb79d16625507a",
    })
    void makesTheCookiesOfTheAppendix(
            String cookie, String client, int now, String secret, String expected) {
        assertEquals(expected, answer(cookies(secret), cookie, client, now));
    }

    /// RFC 9018 appendix A.3: reserved octets of another server are part of what is hashed
    @Test
    void believesCookiesOfOtherServersOfTheSameSecret() {
        assertEquals(
                ServerCookies.GOOD,
                check(
                        cookies(SECRET),
                        "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
                        "203.0.113.203",
                        0x5cf78f71 + 10));
    }

    /// RFC 9018 appendix A.4, §5: the older secret is believed, and its cookies are renewed
    @Test
    void believesTheSecretBefore() {
        String old = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
        String client = "2001:db8:220:1:59de:d0f4:8769:82b8";
        ServerCookies rolledOver =
                cookies("445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715");
        assertEquals(ServerCookies.AGEING, check(rolledOver, old, client, 1559741961));
        assertEquals(
                "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
                answer(rolledOver, old, client, 1559741961));
        assertEquals(
                ServerCookies.BAD,
                check(cookies("445536bcd2513298075a5d379663c962"), old, client, 1559741961));
    }

    /// RFC 9018 §4.3: an hour back, five minutes ahead, renewed after half an hour
    @ParameterizedTest
    @CsvSource({
        "0, 5",
        "1799, 5",
        "1800, 4",
        "3600, 4",
        "3601, 3",
        "-300, 5",
        "-301, 3",
        "1000000, 3"
    })
    void agesWithTime(int seconds, int verdict) {
        assertEquals(verdict, check(cookies(SECRET), GOOD, CLIENT, MADE + seconds));
    }

    @Test
    void sendsAYoungCookieBackAsItIs() {
        assertEquals(GOOD, answer(cookies(SECRET), GOOD, CLIENT, MADE + 100));
        assertNotEquals(GOOD, answer(cookies(SECRET), GOOD, CLIENT, MADE + 1800));
    }

    /// Security row D14: bound to the client's address, its half, the time and the secret
    @Test
    void believesNothingThatWasAltered() {
        byte[] octets = HexFormat.of().parseHex(GOOD);
        for (int bit = 0; bit < 8 * octets.length; bit++) {
            byte[] altered = octets.clone();
            altered[bit / 8] ^= (byte) (1 << bit % 8);
            String cookie = HexFormat.of().formatHex(altered);
            assertEquals(
                    ServerCookies.BAD, check(cookies(SECRET), cookie, CLIENT, MADE), "bit " + bit);
        }
        assertEquals(ServerCookies.BAD, check(cookies(SECRET), GOOD, "198.51.100.101", MADE));
        assertEquals(ServerCookies.BAD, check(cookies(SECRET), GOOD, "2001:db8::1", MADE));
        assertEquals(
                ServerCookies.BAD,
                check(cookies("00000000000000000000000000000000"), GOOD, CLIENT, MADE));
    }

    /// RFC 7873 §5.2.2
    @Test
    void knowsLengths() {
        for (int length = 0; length < 100; length++) {
            int expected =
                    length == 8
                            ? ServerCookies.CLIENT_ONLY
                            : length < 16 || length > 40
                                    ? ServerCookies.MALFORMED
                                    : ServerCookies.BAD;
            assertEquals(expected, check(cookies(SECRET), "00".repeat(length), CLIENT, MADE));
        }
    }

    /// RFC 7873 §7.1
    @Test
    void rollsItsOwnSecretEveryDay() {
        ServerCookies own = new ServerCookies(List.of(), new Random(1));
        int day = 86_400;
        String first = answer(own, "2464c4abcf10c957", CLIENT, MADE);
        String late = answer(own, "2464c4abcf10c957", CLIENT, MADE + day - 1);
        assertEquals(ServerCookies.GOOD, check(own, first, CLIENT, MADE + 1));
        assertEquals(ServerCookies.GOOD, check(own, late, CLIENT, MADE + day - 1));
        assertEquals(ServerCookies.AGEING, check(own, late, CLIENT, MADE + day + 1));
        String next = answer(own, "2464c4abcf10c957", CLIENT, MADE + 2 * day + 1);
        assertEquals(ServerCookies.GOOD, check(own, next, CLIENT, MADE + 2 * day + 2));
        assertNotEquals(
                first.substring(32), answer(own, "2464c4abcf10c957", CLIENT, MADE).substring(32));
    }
}
