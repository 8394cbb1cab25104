package org.pabal.transport;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/// Settings and files that tests begin with.
final class Given {

    static final Path TLS = Path.of("src/test/resources/tls");

    private Given() {}

    /// Settings of a listener on loopback for protocol `echo`, with these keys and values besides.
    static ListenerSettings settings(String... keysAndValues) {
        Map<String, String> properties =
                new HashMap<>(Map.of("protocol", "echo", "service.pid", "org.pabal.listener~test"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return ListenerSettings.from("test", properties, Path.of("").toAbsolutePath());
    }

    /// The same with TLS by a key of that kind: `ec`, `rsa` or `ed25519`.
    static ListenerSettings tlsSettings(String mode, String kind, String... keysAndValues) {
        String[] all =
                Stream.concat(
                                Stream.of(
                                        "tls", mode,
                                        "certificate",
                                                TLS.resolve(kind)
                                                        .resolve("certificate.pem")
                                                        .toString(),
                                        "key", TLS.resolve(kind).resolve("key.pem").toString()),
                                Stream.of(keysAndValues))
                        .toArray(String[]::new);
        return settings(all);
    }
}
