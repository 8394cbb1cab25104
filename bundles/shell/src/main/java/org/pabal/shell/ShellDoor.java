package org.pabal.shell;

import org.apache.felix.service.command.CommandProcessor;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The door for `pabal shell`: a unix domain socket `run/shell.sock` in the node's directory.
///
/// There is no port at all, on loopback either (security row S27): who may enter is decided by the
/// file system, and that lets in the owner of the node alone.
@Component(
        service = ShellDoor.class,
        immediate = true,
        property = "pabal.shell=open",
        configurationPid = "org.pabal.shell",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ShellDoor {

    private static final Logger log = LoggerFactory.getLogger(ShellDoor.class);

    /// `sun_path` has room for 108 octets on Linux and 104 elsewhere, one of them a NUL.
    private static final int LONGEST_PATH = 100;

    private final CommandProcessor processor;
    private final int maxSessions;
    private final Path link;
    private final Path socket;
    private final ServerSocketChannel server;
    private final Thread accepting;
    private final Set<ShellSession> sessions = ConcurrentHashMap.newKeySet();

    @Activate
    public ShellDoor(
            BundleContext context,
            @Reference CommandProcessor processor,
            Map<String, Object> properties)
            throws IOException {
        this(home(context), processor, Settings.of(properties));
    }

    ShellDoor(Path home, CommandProcessor processor, Settings settings) throws IOException {
        this.processor = processor;
        this.maxSessions = (int) settings.number("max-sessions", 8, 1, 1_000);
        settings.text(
                "pabal.shell"); // our own service property, by which the launcher sees that the
        // door is open
        settings.noOthers();
        Path directory = home.resolve("run");
        makePrivate(directory);
        this.link = directory.resolve("shell.sock");
        Files.deleteIfExists(
                link); // left by a node that was killed; a running one holds the lock of the
        // directory
        this.socket = fits(link) ? link : elsewhere();
        this.server = open();
        this.accepting = Thread.ofVirtual().name("shell").start(this::accept);
    }

    @Deactivate
    public void close() throws InterruptedException {
        closeQuietly();
        accepting.join();
        for (ShellSession session : sessions) {
            session.close();
        }
        for (ShellSession session : sessions) {
            session.join();
        }
        delete(link);
        delete(socket);
        if (!socket.equals(link)) {
            delete(socket.getParent());
        }
    }

    private ServerSocketChannel open() throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            // The directory lets nobody else in while the socket still has the permissions that
            // bind gave it.
            channel.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            if (!socket.equals(link)) {
                Files.createSymbolicLink(link, socket);
            }
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void accept() {
        while (true) {
            try {
                SocketChannel channel = server.accept();
                if (sessions.size() >= maxSessions) {
                    ShellSession.refuse(
                            channel,
                            "there are " + maxSessions + " shell sessions already (max-sessions)");
                } else {
                    ShellSession session = new ShellSession(channel, processor, sessions::remove);
                    sessions.add(session);
                    session.start();
                }
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                log.error(
                        "run/shell.sock accepts no more: {}; update the bundle org.pabal.shell",
                        e.getMessage());
                return;
            }
        }
    }

    private void closeQuietly() {
        try {
            server.close();
        } catch (IOException e) {
            log.warn("run/shell.sock: {}", e.getMessage());
        }
    }

    private static Path home(BundleContext context) {
        String home = context.getProperty("pabal.home");
        return Path.of(home == null ? "" : home).toAbsolutePath();
    }

    private static boolean fits(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length <= LONGEST_PATH;
    }

    /// In a directory too deep for a socket, `run/shell.sock` is a link to one in a short directory
    /// of our own.
    private static Path elsewhere() throws IOException {
        Path directory =
                Files.createTempDirectory(
                        "pabal",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
        return directory.resolve("shell.sock");
    }

    private static void makePrivate(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            log.warn("{} stays behind: {}", path, e.getMessage());
        }
    }
}
