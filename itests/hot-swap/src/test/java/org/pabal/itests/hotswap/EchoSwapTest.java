package org.pabal.itests.hotswap;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.pabal.itests.hotswap.echo.EchoActivator;
import org.pabal.protocol.Listener;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// House rule 1, proved with the smallest protocol before anything rests on it: sockets outlive
/// protocols.
@Timeout(180)
class EchoSwapTest {

    private static final int UPDATES = Integer.getInteger("pabal.swaps", 40);
    private static final int CLIENTS = 8;

    private final AtomicLong conversations = new AtomicLong();
    private final AtomicLong goodbyes = new AtomicLong();
    private final AtomicLong answers = new AtomicLong();
    private final Queue<String> refused = new ConcurrentLinkedQueue<>();
    private final Queue<String> failed = new ConcurrentLinkedQueue<>();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final AtomicLongArray seen = new AtomicLongArray(CLIENTS);
    private volatile boolean over;
    private TestFramework framework;
    private InetSocketAddress address;

    @BeforeEach
    void start(@TempDir Path storage) throws Exception {
        framework =
                new TestFramework(
                        storage, "org.pabal.settings", "org.pabal.protocol", "org.pabal.transport");
        framework.configure(
                "org.pabal.listener", "echo", Map.of("protocol", "echo", "transport", "both"));
        framework.reference(Listener.class.getName(), "(" + Listener.NAME + "=echo)");
        address = address();
    }

    @AfterEach
    void stop() throws Exception {
        framework.close();
    }

    private InetSocketAddress address() throws ReflectiveOperationException {
        Object listener =
                framework.service(Listener.class.getName(), "(" + Listener.NAME + "=echo)");
        return (InetSocketAddress)
                ((Optional<?>) TestFramework.ask(listener, Listener.class, "address"))
                        .orElseThrow();
    }

    private static InputStream echo(int version) throws IOException {
        return TestFramework.bundle(
                EchoActivator.class,
                "org.pabal.echo",
                version + ".0.0",
                "org.osgi.framework,org.pabal.protocol");
    }

    @Test
    void noConnectionIsRefusedAndNoAnswerIsWrongWhileTheProtocolIsReplaced() throws Exception {
        Bundle echo = framework.context().installBundle("echo", echo(1));
        echo.start();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            int client = i;
            Runnable work = client < 2 ? () -> ask(client) : () -> talk(client);
            clients.add(Thread.ofPlatform().start(work));
        }
        long begin = System.nanoTime();
        for (int version = 2; version <= UPDATES + 1; version++) {
            echo.update(echo(version));
            awaitClientsToSee(version);
        }
        over = true;
        for (Thread client : clients) {
            client.join();
        }
        System.out.printf(
                "hot-swap of echo: %d updates in %.1f s, %d conversations, %d answers, %d ended"
                        + " with the goodbye; refused %d, failed %d, wrong %d%n",
                UPDATES,
                (System.nanoTime() - begin) / 1e9,
                conversations.get(),
                answers.get(),
                goodbyes.get(),
                refused.size(),
                failed.size(),
                wrong.size());
        assertAll(
                () -> assertEquals(List.of(), List.copyOf(refused), "refused connections"),
                () ->
                        assertEquals(
                                List.of(),
                                List.copyOf(failed),
                                "conversations that were cut without a goodbye"),
                () -> assertEquals(List.of(), List.copyOf(wrong), "wrong answers"),
                () ->
                        assertTrue(
                                goodbyes.get() > 0,
                                "no conversation was cut short, so nothing was shown"));
    }

    private void awaitClientsToSee(int version) throws InterruptedException {
        for (int client = 0; client < CLIENTS; client++) {
            while (seen.get(client) < version && failed.isEmpty() && refused.isEmpty()) {
                Thread.onSpinWait();
                Thread.sleep(1);
            }
        }
    }

    /// A client of datagrams: each question has to be answered, also when it was sent while nobody
    /// was there.
    private void ask(int client) {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(address);
            socket.setSoTimeout(20_000);
            for (int number = 0; !over; number++) {
                byte[] question =
                        ("question " + client + "." + number).getBytes(StandardCharsets.US_ASCII);
                socket.send(new DatagramPacket(question, question.length));
                DatagramPacket answer = new DatagramPacket(new byte[100], 100);
                socket.receive(answer);
                check(
                        client,
                        new String(question, StandardCharsets.US_ASCII),
                        new String(
                                answer.getData(),
                                0,
                                answer.getLength(),
                                StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            failed.add("datagram: " + e);
        }
    }

    /// A client of streams: talks in conversations of twenty lines, and takes a goodbye at any
    /// point for what it is.
    private void talk(int client) {
        for (int number = 0; !over; number++) {
            try (Socket socket = new Socket()) {
                socket.setSoTimeout(20_000);
                socket.connect(address);
                conversations.incrementAndGet();
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(
                                        socket.getInputStream(), StandardCharsets.US_ASCII));
                for (int i = 0; i < 20; i++) {
                    String line = "line " + client + "." + number + "." + i;
                    say(socket, line);
                    String answer = in.readLine();
                    if (answer == null) {
                        failed.add("the connection ended without a goodbye");
                        return;
                    }
                    if (answer.startsWith("421 ")) {
                        goodbyes.incrementAndGet();
                        break;
                    }
                    check(client, line, answer);
                }
            } catch (ConnectException e) {
                refused.add(e.toString());
                return;
            } catch (IOException e) {
                failed.add("stream: " + e);
                return;
            }
        }
    }

    /// Says a line. When the server has said goodbye at that moment, the line goes nowhere and the
    /// answer tells.
    private static void say(Socket socket, String line) {
        try {
            socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // The read that follows finds the goodbye, or fails the test.
            Thread.onSpinWait();
        }
    }

    private void check(int client, String question, String answer) {
        String[] parts = answer.split(" ", 2);
        if (parts.length == 2 && parts[0].matches("\\d+\\.0\\.0") && parts[1].equals(question)) {
            answers.incrementAndGet();
            seen.accumulateAndGet(
                    client,
                    Long.parseLong(parts[0].substring(0, parts[0].indexOf('.'))),
                    Math::max);
        } else {
            wrong.add(question + " -> " + answer);
        }
    }

    @Test
    void idleConversationHearsTheGoodbyeFromTheBundleThatLeaves() throws Exception {
        Bundle echo = framework.context().installBundle("echo", echo(1));
        echo.start();
        try (Socket idle = new Socket(address.getAddress(), address.getPort())) {
            idle.setSoTimeout(20_000);
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    idle.getInputStream(), StandardCharsets.US_ASCII));
            say(idle, "here");
            assertEquals("1.0.0 here", in.readLine());
            echo.stop();
            assertEquals("421 echo is being replaced, come again", in.readLine());
        }
        ServiceReference<?> listener =
                framework.reference(Listener.class.getName(), "(" + Listener.NAME + "=echo)");
        assertEquals(false, listener.getProperty(Listener.ACCEPTING));
        try (Socket waiting = new Socket(address.getAddress(), address.getPort())) {
            waiting.setSoTimeout(20_000);
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    waiting.getInputStream(), StandardCharsets.US_ASCII));
            say(waiting, "anybody?");
            echo.start();
            assertEquals("1.0.0 anybody?", in.readLine());
        }
        assertEquals(true, listener.getProperty(Listener.ACCEPTING));
    }

    @Test
    void stoppedTransportLeavesNothingBehindAndStartsAgain() throws Exception {
        Bundle echo = framework.context().installBundle("echo", echo(1));
        echo.start();
        Bundle transport = framework.bundle("org.pabal.transport");
        for (int i = 0; i < 3; i++) {
            address = address();
            try (Socket open = new Socket(address.getAddress(), address.getPort())) {
                open.setSoTimeout(20_000);
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(
                                        open.getInputStream(), StandardCharsets.US_ASCII));
                say(open, "x");
                assertEquals("1.0.0 x", in.readLine());
                transport.stop();
                assertEquals("421 echo is being replaced, come again", in.readLine());
            }
            assertThrows(
                    IOException.class,
                    () -> new Socket(address.getAddress(), address.getPort()).close());
            assertFalse(
                    Thread.getAllStackTraces().keySet().stream()
                            .anyMatch(thread -> thread.getName().startsWith("listener echo")));
            transport.start();
            framework.reference(Listener.class.getName(), "(" + Listener.NAME + "=echo)");
        }
    }

    @Test
    void badSettingIsShownAtTheListenerAndMendedWhileRunning() throws Exception {
        framework.configure(
                "org.pabal.listener", "other", Map.of("protocol", "echo", "prot", "25"));
        ServiceReference<?> other =
                framework.reference(Listener.class.getName(), "(" + Listener.NAME + "=other)");
        assertEquals(
                "org.pabal.listener~other.cfg: prot: no such setting",
                other.getProperty(Listener.FAILURE).toString().replaceAll(";.*", ""));
        framework.configure("org.pabal.listener", "other", Map.of("protocol", "echo"));
        framework.reference(
                Listener.class.getName(),
                "(&(" + Listener.NAME + "=other)(!(" + Listener.FAILURE + "=*)))");
        framework.configure(
                "org.pabal.listener",
                "third",
                Map.of("protocol", "echo", "port", "" + address.getPort()));
        ServiceReference<?> third =
                framework.reference(Listener.class.getName(), "(" + Listener.NAME + "=third)");
        assertTrue(
                third.getProperty(Listener.FAILURE).toString().contains("Address already in use"));
    }

    @Test
    void settingsThatDoNotTouchTheSocketLeaveItsConnectionsAlone() throws Exception {
        framework.context().installBundle("echo", echo(1)).start();
        try (Socket open = new Socket(address.getAddress(), address.getPort())) {
            open.setSoTimeout(20_000);
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    open.getInputStream(), StandardCharsets.US_ASCII));
            say(open, "x");
            assertEquals("1.0.0 x", in.readLine());
            framework.configure(
                    "org.pabal.listener",
                    "echo",
                    Map.of(
                            "protocol",
                            "echo",
                            "transport",
                            "both",
                            "max-connections-per-address",
                            "1"));
            String line = "";
            while (!line.startsWith("421 too many connections from your address")) {
                try (Socket second = new Socket(address.getAddress(), address.getPort())) {
                    second.setSoTimeout(20_000);
                    say(second, "y");
                    line =
                            new BufferedReader(
                                            new InputStreamReader(
                                                    second.getInputStream(),
                                                    StandardCharsets.US_ASCII))
                                    .readLine();
                }
            }
            say(open, "z");
            assertEquals("1.0.0 z", in.readLine());
        }
    }

    @Test
    void shellListsTheListeners() throws Exception {
        Object shell =
                framework.service(
                        "org.pabal.transport.TransportShell",
                        "(&(osgi.command.scope=listener)(osgi.command.function=list))");
        List<?> lines = (List<?>) shell.getClass().getMethod("list").invoke(shell);
        assertEquals(2, lines.size());
        assertTrue(
                lines.get(1)
                        .toString()
                        .matches(
                                "echo +127\\.0\\.0\\.1:\\d+ +echo +both +none +0 +waiting for"
                                        + " protocol echo"),
                lines.toString());
    }
}
