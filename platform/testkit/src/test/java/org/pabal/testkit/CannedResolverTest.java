package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Resolution;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

class CannedResolverTest {

    private final CannedResolver resolver =
            new CannedResolver(
                            """
                            example.org.     300 IN MX 10 mx.example.org.
                            mx.example.org.  300 IN A 192.0.2.25
                            www.example.org. 300 IN CNAME mx.example.org.
                            loop.example.    300 IN CNAME loop.example.
                            """)
                    .unavailable("slow.example.", "timed out");

    @Test
    void findsRecordsAndFollowsAliases() {
        Resolution.Found found =
                assertInstanceOf(Resolution.Found.class, ask("www.example.org.", Type.A));
        assertEquals(2, found.records().size());
        assertEquals(Type.A, found.records().getLast().getType());
    }

    @Test
    void tellsWhyThereIsNothing() {
        assertEquals(new Resolution.NoSuchRecord(false), ask("example.org.", Type.A));
        assertEquals(new Resolution.NoSuchName(false), ask("nothing.example.org.", Type.A));
        assertEquals(new Resolution.Unavailable("timed out"), ask("slow.example.", Type.MX));
        assertInstanceOf(Resolution.Unavailable.class, ask("loop.example.", Type.A));
    }

    private Resolution ask(String name, int type) {
        return resolver.resolve(Name.fromConstantString(name), type);
    }
}
