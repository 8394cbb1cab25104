package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.pabal.smtp.client.Login;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

class RoutesTest {

    private static Routes routes(String... keysAndValues) {
        Map<String, Object> properties = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        Settings settings = Settings.of(properties);
        Routes routes = Routes.of(settings);
        settings.noOthers();
        return routes;
    }

    private static NextHop.Server plain(String host, int port) {
        return new NextHop.Server(host, port, false, Optional.empty());
    }

    @Test
    void goesByMxWhenNothingIsSaid() {
        assertEquals(new NextHop.Exchangers("example.org", 25), routes().to("Example.org"));
        assertEquals(
                new NextHop.Exchangers("[192.0.2.25]", 2525),
                routes("remote-port", "2525").to("[192.0.2.25]"));
    }

    @Test
    void prefersTheNearestRouteThenTheSmartHost() {
        Routes routes =
                routes(
                        "routes",
                        "example.org=mx.example.net:2525, .example.org = below.example.net,"
                                + " .sub.example.org=[2001:db8::1]:26, example.com=lmtp:127.0.0.1",
                        "smart-host",
                        "out.example.net");
        assertEquals(plain("mx.example.net", 2525), routes.to("EXAMPLE.ORG"));
        assertEquals(plain("mx.example.net", 2525), routes.to("example.org."));
        assertEquals(plain("below.example.net", 25), routes.to("a.example.org"));
        assertEquals(plain("below.example.net", 25), routes.to("sub.example.org"));
        assertEquals(plain("2001:db8::1", 26), routes.to("a.b.sub.example.org"));
        assertEquals(plain("out.example.net", 25), routes.to("notexample.org"));
        assertEquals(
                new NextHop.Server("127.0.0.1", 24, true, Optional.empty()),
                routes.to("example.com"));
        assertEquals("lmtp:127.0.0.1:24", routes.to("example.com").name());
    }

    @Test
    void signsInAtTheSmartHostOnTheSubmissionPort() {
        Routes routes =
                routes(
                        "smart-host", "Mail.Example.net",
                        "smart-host-login", "node",
                        "smart-host-password", "secret");
        assertEquals(
                new NextHop.Server(
                        "mail.example.net", 587, false, Optional.of(new Login("node", "secret"))),
                routes.to("example.org"));
        assertFalse(routes.toString().contains("secret"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "routes|example.org",
                "routes|example.org=",
                "routes|=mx.example.net",
                "routes|*=mx.example.net",
                "routes|example.org=mx.example.net:0",
                "routes|example.org=mx.example.net:65536",
                "routes|example.org=2001:db8::1",
                "routes|example.org=[mx.example.net]",
                "routes|example.org=[12345::1]",
                "routes|example.org=http://mx.example.net",
                "routes|example.org=a.example, Example.org=b.example",
                "smart-host|two hosts",
                "smart-host|lmtp:mx.example.net",
                "smart-host|mx.example.net:smtp",
                "smart-host-login|node",
                "smart-host-password|secret",
                "remote-port|0",
                "remote-port|smtp",
            })
    void refusesWhatItCannotUseAndNamesTheKey(String key, String value) {
        BadSetting bad = assertThrows(BadSetting.class, () -> routes(key, value));
        assertTrue(bad.getMessage().contains(": " + key + " = "), bad::getMessage);
        assertTrue(bad.getMessage().contains("for example"), bad::getMessage);
        if (key.equals("smart-host-password")) {
            assertFalse(bad.getMessage().contains("= secret:"), bad::getMessage);
        }
    }

    @Test
    void refusesALoginWithoutASmartHost() {
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () -> routes("smart-host-login", "a", "smart-host-password", "hidden-one"));
        assertTrue(bad.getMessage().contains("smart-host beside it"), bad::getMessage);
        assertFalse(bad.getMessage().contains("hidden-one"), bad::getMessage);
    }
}
