package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.Zone;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneStore;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/// Transfers over TLS, RFC 9103: only from the server that the administrator named.
class TransferOverTlsTest {

    private static final Name ORIGIN = Node.name("example.org");
    private static final Zone ZONE =
            MemoryZone.of("example.org", Node.SOA + "@ NS ns1\nns1 A 192.0.2.53\n");

    /// Of `ns1.example.org`, signed by itself.
    private static final String TRUST = "src/test/resources/tls/primary.pem";

    private final List<String> protocols = new CopyOnWriteArrayList<>();
    private final MemoryZoneStore store = new MemoryZoneStore();
    private SSLServerSocket listener;

    @BeforeEach
    void listen() throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = getClass().getResourceAsStream("/tls/primary.p12")) {
            keys.load(file, "example".toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
        managers.init(keys, "example".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        listener =
                (SSLServerSocket)
                        context.getServerSocketFactory()
                                .createServerSocket(0, 9, InetAddress.getLoopbackAddress());
        SSLParameters parameters = listener.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"dot"});
        listener.setSSLParameters(parameters);
        Thread.ofVirtual().start(this::serve);
    }

    @AfterEach
    void close() throws IOException {
        listener.close();
    }

    private void serve() {
        try {
            while (true) {
                Socket socket = listener.accept();
                Thread.ofVirtual().start(() -> converse((SSLSocket) socket));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void converse(SSLSocket socket) {
        try (socket) {
            Optional<byte[]> query = DnsFraming.read(socket.getInputStream());
            protocols.add(
                    socket.getSession().getProtocol() + " " + socket.getApplicationProtocol());
            while (query.isPresent()) {
                List<byte[]> answers =
                        ScriptedPrimary.serving(ZONE).answer(new Message(query.get())).toList();
                for (byte[] answer : answers) {
                    DnsFraming.write(socket.getOutputStream(), answer);
                }
                query = DnsFraming.read(socket.getInputStream());
            }
        } catch (IOException e) {
            // The other side has gone.
        }
    }

    @Test
    void zoneComesOverTls() throws IOException {
        assertTrue(refresh("ns1.example.org", "tls-trust", TRUST) instanceof Refresh.Newer);
        assertTrue(refresh("ns1.example.org", "tls-trust", TRUST) instanceof Refresh.Current);
        assertEquals(List.of("TLSv1.3 dot", "TLSv1.3 dot"), protocols);
        assertEquals(1, store.find(ORIGIN).orElseThrow().serial());
    }

    @Test
    void serverOfAnotherNameIsRefused() {
        assertThrows(SSLException.class, () -> refresh("ns2.example.org", "tls-trust", TRUST));
        assertTrue(store.find(ORIGIN).isEmpty());
    }

    @Test
    void certificateThatNobodyVouchesForIsRefused() {
        assertThrows(SSLException.class, () -> refresh("ns1.example.org"));
        assertTrue(store.find(ORIGIN).isEmpty());
    }

    private Refresh refresh(String host, String... settings) throws IOException {
        Map<String, Object> all = new HashMap<>();
        all.put("zones", "example.org");
        all.put("primaries", "127.0.0.1@" + listener.getLocalPort() + " tls " + host);
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], Path.of(settings[i + 1]).toAbsolutePath().toString());
        }
        ZoneSources sources = new ZoneSettings(all).sources();
        return new PrimaryTransfers(store, name -> Optional.empty())
                .refresh(ORIGIN, sources, sources.primaries().getFirst(), () -> true);
    }
}
