package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.Dialogue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;

class Pop3ServerTest {

    private static final Dialogue HELLO =
            Dialogue.of(
                    """
                    S: +OK mx.example.test POP3 ready
                    C: USER bob
                    S~ \\+OK .*
                    C: PASS pabal
                    S~ \\+OK .*
                    C: QUIT
                    S: +OK goodbye
                    -- close
                    """);

    private final House house = new House();

    @Test
    void startsStopsAndStartsAgain() throws Exception {
        for (Map<String, Object> settings :
                List.<Map<String, Object>>of(Map.of(), Map.of("expire", "1 d"))) {
            for (int i = 0; i < 2; i++) {
                Pop3Server server = server(settings);
                HELLO.play(server);
                server.stop();
            }
        }
        assertEquals(2, house.messages(House.BOB).size());
    }

    @Test
    void doesNotStartWithASettingThatNobodyKnows() {
        assertThrows(BadSetting.class, () -> server(Map.of("keep", "yes")));
    }

    private Pop3Server server(Map<String, Object> settings) {
        BundleContext context =
                (BundleContext)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {BundleContext.class},
                                (self, method, arguments) ->
                                        arguments[0].equals("pabal.host")
                                                ? "mx.example.test"
                                                : null);
        return new Pop3Server(
                context, house.directory, house.limits, house.store, house.clock, settings);
    }
}
