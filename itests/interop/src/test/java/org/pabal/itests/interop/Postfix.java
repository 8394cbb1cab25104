package org.pabal.itests.interop;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Debian's Postfix, an instance of its own on loopback: it takes mail for one domain into a
/// Maildir, and hands everything else to one host.
final class Postfix implements AutoCloseable {

    private final Path folder;
    private final String address;
    private final int port;

    private Postfix(Path folder, String address, int port) {
        this.folder = folder;
        this.address = address;
        this.port = port;
    }

    /// Skips the test where there is no Postfix, or where it could not be started.
    static void need() {
        Tool.need("postfix");
        boolean root = "root".equals(System.getProperty("user.name"));
        if (!root) {
            System.out.println("skipped: Postfix can only be started by root");
        }
        Assumptions.assumeTrue(root, "Postfix can only be started by root");
    }

    /// It is told of no interface but 127.0.0.1, since it believes in those only that the machine
    /// has by name; where it listens is said in master.cf.
    ///
    /// @param domain whose mail it takes
    /// @param relay where it hands other mail: `[127.0.0.2]:2525`
    /// @param settings lines of main.cf
    static Postfix start(
            Path folder, String address, int port, String domain, String relay, String settings)
            throws Exception {
        Path etc = Files.createDirectories(folder.resolve("etc"));
        Files.createDirectories(folder.resolve("spool"));
        Path data = Files.createDirectories(folder.resolve("data"));
        Path mail = Files.createDirectories(folder.resolve("mail"));
        openToAll(folder);
        run(folder, "chown", "postfix", data.toString());
        run(folder, "chown", "nobody", mail.toString());
        Files.writeString(
                etc.resolve("main.cf"),
                """
                compatibility_level = 3.6
                queue_directory = %1$s/spool
                data_directory = %1$s/data
                command_directory = /usr/sbin
                daemon_directory = /usr/lib/postfix/sbin
                maillog_file =
                myhostname = mx.%2$s
                mydestination =
                mynetworks = 127.0.0.0/8
                inet_interfaces = 127.0.0.1
                inet_protocols = ipv4
                smtp_bind_address = %3$s
                relayhost = %4$s
                alias_maps =
                virtual_mailbox_domains = %2$s
                virtual_mailbox_base = %1$s/mail
                virtual_mailbox_maps = static:box/
                virtual_uid_maps = static:65534
                virtual_gid_maps = static:65534
                virtual_minimum_uid = 100
                smtpd_peername_lookup = no
                smtpd_recipient_restrictions = permit_mynetworks, reject
                smtp_dns_support_level = disabled
                """
                                .formatted(folder, domain, address, relay)
                        + settings);
        Files.writeString(etc.resolve("master.cf"), master(address, port));
        run(folder, "postfix", "-c", etc.toString(), "start");
        Postfix postfix = new Postfix(folder, address, port);
        postfix.awaitGreeting();
        return postfix;
    }

    private static String master(String address, int port) {
        return """
        %s:%d inet n - n - - smtpd
        pickup unix n - n 60 1 pickup
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        error unix - - n - - error
        retry unix - - n - - error
        smtp unix - - n - - smtp
        virtual unix - n n - - virtual
        anvil unix - - n - 1 anvil
        scache unix - - n - 1 scache
        proxymap unix - - n - - proxymap
        tlsmgr unix - - n 1000? 1 tlsmgr
        showq unix n - n - - showq
        postlog unix-dgram n - n - 1 postlogd
        """
                .formatted(address, port);
    }

    /// Postfix's own users have to reach what is below; a test's folder is for its owner only.
    private static void openToAll(Path folder) throws IOException {
        for (Path each : List.of(folder, folder.toAbsolutePath().getParent())) {
            Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    private void awaitGreeting() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(address, port));
                if (socket.getInputStream().read() == '2') {
                    return;
                }
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw new IOException("Postfix does not answer", e);
                }
                Thread.onSpinWait();
            }
        }
    }

    /// The messages in its mailbox, as soon as there are so many.
    List<String> awaitMail(int number) throws Exception {
        Path folderOfNew = folder.resolve("mail/box/new");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (System.nanoTime() < end) {
            if (Files.isDirectory(folderOfNew)) {
                try (Stream<Path> files = Files.list(folderOfNew)) {
                    List<Path> there = files.sorted().toList();
                    if (there.size() >= number) {
                        return there.stream().map(Postfix::read).toList();
                    }
                }
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        throw new IOException("Postfix never had " + number + " messages");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Hands it a message as a program of its machine does.
    void submit(String from, String to, String message) throws Exception {
        Process sendmail =
                new ProcessBuilder(
                                "sendmail", "-C", folder.resolve("etc").toString(), "-f", from, to)
                        .redirectErrorStream(true)
                        .start();
        sendmail.getOutputStream().write(message.getBytes(StandardCharsets.UTF_8));
        sendmail.getOutputStream().close();
        String said = new String(sendmail.getInputStream().readAllBytes());
        if (sendmail.waitFor() != 0) {
            throw new IOException("sendmail: " + said);
        }
    }

    private static void run(Path folder, String... command) throws Exception {
        Tool.Result result = Tool.run(folder, Map.of(), List.of(command));
        if (result.exit() != 0) {
            throw new IOException(String.join(" ", command) + ": " + result.output());
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Tool.run(
                    folder,
                    Map.of(),
                    List.of("postfix", "-c", folder.resolve("etc").toString(), "stop"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
