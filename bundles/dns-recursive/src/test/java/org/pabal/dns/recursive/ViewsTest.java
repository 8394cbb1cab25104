package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.settings.BadSetting;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class ViewsTest {

    private static ViewSettings view(String name, String networks, String... more) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("service.pid", "org.pabal.dns.view~" + name);
        properties.put("networks", networks);
        for (int i = 0; i < more.length; i += 2) {
            properties.put(more[i], more[i + 1]);
        }
        return new ViewSettings(properties, Path.of("."));
    }

    private static ByteBuffer address(String text) {
        return ByteBuffer.wrap(InetAddress.ofLiteral(text).getAddress());
    }

    private static final Views<String> VIEWS =
            Views.of(
                    "main",
                    List.of(
                            view("zoo", "192.0.2.0/24, 2001:db8::/32"),
                            view("lab", "192.0.2.0/24, 192.0.2.128/25, 2001:db8:1::/48"),
                            view("boss", "192.0.2.129, 2001:db8:1::7"),
                            view("all", "10.0.0.0/8")),
                    ViewSettings::name);

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, lab",
        "192.0.2.128, lab",
        "192.0.2.129, boss",
        "192.0.3.1, main",
        "10.1.2.3, all",
        "127.0.0.1, main",
        "2001:db8:2::1, zoo",
        "2001:db8:1::1, lab",
        "2001:db8:1::7, boss",
        "2001:db9::1, main",
        "::1, main"
    })
    void theSmallestNetworkAroundAClientCounts(String client, String expected) {
        assertEquals(expected, VIEWS.serving(address(client)));
    }

    @Test
    void withoutViewsEverybodyHasTheMainOne() {
        assertEquals("main", Views.of("main").serving(address("192.0.2.1")));
        List<String> all = new ArrayList<>();
        VIEWS.each(all::add);
        assertEquals(List.of("main", "all", "boss", "lab", "zoo"), all);
        assertEquals("main", VIEWS.main());
    }

    /// What serves one view: the routes of its settings and a memory of its own, which is a map.
    private static final class Served implements Recursor {

        private final Routes routes;
        private final Map<Question, Finding> memory = new HashMap<>();

        Served(RouteSettings settings) {
            routes = new ConfiguredRoutes(settings, Optional::empty);
        }

        @Override
        public Answer answer(Question question, Request request) {
            return new Answer(question, List.of(memory.computeIfAbsent(question, this::look)));
        }

        private Finding look(Question question) {
            return routes.route(question) instanceof Route.Forward forward
                    ? FindingsByRoutes.records(
                            question.name().toString(),
                            question.type(),
                            60,
                            Security.INSECURE,
                            // whoever is asked has himself for an answer
                            forward.servers().getFirst().toString())
                    : FindingsByRoutes.failure(question.name().toString(), question.type());
        }
    }

    private static String ask(Views<Served> views, String client) {
        Question question = new Question(Name.fromConstantString("www.example.org."), Type.A);
        return views.serving(address(client))
                .answer(question, Request.of(Request.Wish.NOTHING, Request.Trace.NONE))
                .records()
                .getFirst()
                .first()
                .rdataToString();
    }

    /// Security row D28.
    @Test
    void whatWasFoundForSomeIsNeverToldToOthers() {
        Views<Served> views =
                Views.of(
                        new Served(view("-", "::/0", "forward", ". 198.51.100.1").routes()),
                        List.of(
                                view("guests", "192.0.2.0/24", "forward", ". 198.51.100.2"),
                                view("staff", "192.0.2.16/28", "forward", ". 198.51.100.3")),
                        settings -> new Served(settings.routes()));
        for (int round = 0; round < 2; round++) {
            assertEquals("198.51.100.3", ask(views, "192.0.2.17"));
            assertEquals("198.51.100.2", ask(views, "192.0.2.1"));
            assertEquals("198.51.100.1", ask(views, "203.0.113.1"));
        }
        List<Map<Question, Finding>> memories = new ArrayList<>();
        views.each(served -> memories.add(served.memory));
        assertEquals(3, memories.size());
        memories.forEach(memory -> assertEquals(1, memory.size()));
    }

    /// Security row D28.
    @Test
    void twoViewsCannotHaveTheSameMemory() {
        Object shared = new Object();
        Object main = new Object();
        List<ViewSettings> two = List.of(view("a", "192.0.2.0/25"), view("b", "192.0.2.128/25"));
        assertThrows(IllegalStateException.class, () -> Views.of(main, two, settings -> shared));
        assertThrows(IllegalStateException.class, () -> Views.of(main, two, settings -> main));
    }

    @Test
    void aViewHasTheKeysOfTheMainFile() {
        ViewSettings view =
                view(
                        "guests",
                        "192.0.2.0/24",
                        "forward",
                        ". 192.0.2.53",
                        "stub",
                        "example.org 192.0.2.54",
                        "local-zones",
                        "corp.example.org",
                        "not-special",
                        "home.arpa",
                        "dns64",
                        "64:ff9b::/96",
                        "rebinding-protection",
                        "yes",
                        "private-names",
                        "home.example.org");
        assertEquals("guests", view.name());
        assertEquals(2, view.routes().elsewhere().size());
        assertEquals(1, view.routes().localZones().size());
        assertEquals(Optional.of(Nat64Prefix.WELL_KNOWN), view.dns64().prefix());
        assertTrue(view.rebinding().protection());
    }

    @ParameterizedTest
    @CsvSource({
        "networks, 192.0.2.0/33, networks = 192.0.2.0/33: expected networks",
        "networks, guests, networks = guests: expected networks",
        "networks, '', networks is missing",
        "cache-size, 10 MB, cache-size: no such setting",
        "dns64, yes, dns64 = yes: expected an IPv6 prefix",
        "private-names, a..b, private-names = a..b: expected names",
        "forward, example.org, forward = example.org: expected ZONE ADDRESS"
    })
    void badSettingsAreRefused(String key, String value, String expected) {
        String message =
                assertThrows(BadSetting.class, () -> view("guests", "192.0.2.0/24", key, value))
                        .getMessage();
        assertTrue(message.startsWith("org.pabal.dns.view~guests.cfg: " + expected), message);
    }
}
