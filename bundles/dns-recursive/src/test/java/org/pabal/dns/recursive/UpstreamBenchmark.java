package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/// What an exchange over loopback costs, with the server's part measured apart: an echo that turns
/// QR on. Prints wall and processor time for each exchange.
///
/// `java … org.pabal.dns.recursive.UpstreamBenchmark [exchanges] [in flight]`
final class UpstreamBenchmark {

    private UpstreamBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        int exchanges = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100_000;
        int inFlight = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 16;
        DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        Thread echo = Thread.ofPlatform().daemon().start(() -> echo(socket));
        Server server =
                new Server(
                        Name.root,
                        new InetSocketAddress(
                                InetAddress.getLoopbackAddress(), socket.getLocalPort()));
        try (NetworkUpstream upstream =
                new NetworkUpstream(UpstreamSettings.DEFAULTS, UpstreamAnswers.CLOCK)) {
            for (int round = 0; round < 5; round++) {
                long cpu = processNanos();
                long began = System.nanoTime();
                int failed = round(upstream, server, exchanges, inFlight, round);
                System.out.printf(
                        "%,d exchanges, %d in flight: %.1f µs each, %.1f µs CPU each (server"
                                + " included), %d failed%n",
                        exchanges,
                        inFlight,
                        (System.nanoTime() - began) / 1e3 / exchanges,
                        (processNanos() - cpu) / 1e3 / exchanges,
                        failed);
            }
        }
        socket.close();
        echo.join();
    }

    private static int round(
            NetworkUpstream upstream, Server server, int exchanges, int inFlight, int round)
            throws InterruptedException {
        Semaphore places = new Semaphore(inFlight);
        AtomicInteger failed = new AtomicInteger();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < exchanges; i++) {
                Question question =
                        UpstreamAnswers.question("n" + i + ".r" + round + ".example.org");
                places.acquire();
                threads.execute(
                        () -> {
                            try {
                                upstream.ask(
                                        server,
                                        UpstreamAnswers.ZONE,
                                        question,
                                        false,
                                        UpstreamAnswers.request());
                            } catch (IOException e) {
                                failed.incrementAndGet();
                            } finally {
                                places.release();
                            }
                        });
            }
        }
        return failed.get();
    }

    private static void echo(DatagramSocket socket) {
        byte[] buffer = new byte[4096];
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        try {
            while (true) {
                packet.setLength(buffer.length);
                socket.receive(packet);
                buffer[2] |= (byte) 0x80;
                socket.send(packet);
            }
        } catch (IOException e) {
            // closed
        }
    }

    private static long processNanos() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    }
}
