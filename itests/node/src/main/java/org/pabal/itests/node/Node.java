package org.pabal.itests.node;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A node of the built image: `pabal init`, `run`, `shell`, and the two ways to end it.
///
/// The image is found by the system property `pabal.image`. Ports are the system's choice, so that
/// many may run at once.
public final class Node implements AutoCloseable {

    private static final Path IMAGE =
            Path.of(System.getProperty("pabal.image")).toAbsolutePath().normalize();
    private static final long PATIENCE_SECONDS = 60;

    private final Path directory;
    private final Map<String, String> environment = new TreeMap<>();
    private Path image = IMAGE;
    private volatile Process process;
    private final StringBuffer output = new StringBuffer();

    private Node(Path directory) {
        this.directory = directory;
    }

    /// Makes a node for `example.test` in a directory that is not there yet. Settings can be
    /// changed before [#start()].
    public static Node init(Path directory) throws IOException, InterruptedException {
        return init(directory, "example.test", "mx.example.test");
    }

    public static Node init(Path directory, String domain, String host)
            throws IOException, InterruptedException {
        Result result =
                pabal(
                        List.of(
                                "init",
                                directory.toString(),
                                "--domain",
                                domain,
                                "--host",
                                host,
                                "--address",
                                "127.0.0.1"));
        if (result.exit != 0) {
            throw new IOException("pabal init: exit " + result.exit + ": " + result.output);
        }
        Node node = new Node(directory);
        for (Path listener : node.listenerFiles()) {
            node.set(listener.getFileName().toString(), "port", "0");
        }
        return node;
    }

    /// Has the node run with the clock of `itests/clock`, whose jar the system property
    /// `pabal.clock` names: the machine's time and so many seconds more as the answered file says.
    /// Before [#start()].
    public Path withClock() throws IOException {
        Path clocked = directory.resolveSibling(directory.getFileName() + "-image");
        Files.createDirectories(clocked.resolve("bin"));
        Files.createDirectory(clocked.resolve("bundles"));
        for (String part : List.of("runtime", "lib")) {
            Files.createSymbolicLink(clocked.resolve(part), IMAGE.resolve(part));
        }
        Files.copy(
                IMAGE.resolve("bin/pabal"),
                clocked.resolve("bin/pabal"),
                StandardCopyOption.COPY_ATTRIBUTES);
        try (Stream<Path> jars = Files.list(IMAGE.resolve("bundles"))) {
            for (Path jar : jars.toList()) {
                Files.createSymbolicLink(
                        clocked.resolve("bundles").resolve(jar.getFileName()), jar);
            }
        }
        // Not with a name of ours: so it starts before all that want the time.
        Files.createSymbolicLink(
                clocked.resolve("bundles/itests-clock.jar"),
                Path.of(System.getProperty("pabal.clock")).toAbsolutePath().normalize());
        image = clocked;
        Path offset = Files.writeString(clocked.resolve("offset"), "0");
        environment.put("DNS_TEST_OFFSET_FILE", offset.toString());
        return offset;
    }

    /// Runs the node and returns when it has printed `ready`.
    public void start() throws IOException, InterruptedException {
        output.setLength(0);
        ProcessBuilder builder =
                new ProcessBuilder(
                                image.resolve("bin/pabal").toString(), "run", directory.toString())
                        .redirectErrorStream(true)
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(environment);
        process = builder.start();
        CountDownLatch ready = new CountDownLatch(1);
        Process started = process;
        Thread.ofVirtual()
                .start(
                        () -> {
                            collect(
                                    started,
                                    output,
                                    line -> {
                                        if (line.equals("ready")) {
                                            ready.countDown();
                                        }
                                    });
                            ready.countDown();
                        });
        if (!ready.await(PATIENCE_SECONDS, TimeUnit.SECONDS) || !process.isAlive()) {
            throw new IOException("node is not ready; it said:\n" + output);
        }
    }

    /// Kills the process as the kernel does when it is out of memory.
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /// Asks the process to end, and tells how it did.
    public int stop() throws IOException, InterruptedException {
        process.destroy();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            threads(process.toHandle());
            process.destroyForcibly().waitFor();
            throw new IOException("node did not stop; it said:\n" + output);
        }
        return process.exitValue();
    }

    @Override
    public void close() throws IOException {
        if (process != null && process.isAlive()) {
            try {
                stop();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                process.destroyForcibly();
            }
        }
        if (!image.equals(IMAGE)) {
            forget(image);
        }
    }

    /// Takes the links of an image of our own away, so that nobody who cleans up follows them.
    private static void forget(Path image) throws IOException {
        try (Stream<Path> files = Files.walk(image)) {
            for (Path file : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(file);
            }
        }
    }

    public Path directory() {
        return directory;
    }

    /// What the node printed since it was started.
    public String output() {
        return output.toString();
    }

    public ProcessHandle handle() {
        return process.toHandle();
    }

    /// Where a listener listens, asked at the node's shell.
    public InetSocketAddress address(String listener) throws IOException, InterruptedException {
        String list = shell("listener:list");
        Matcher line =
                Pattern.compile("(?m)^\\s*" + Pattern.quote(listener) + "\\s+(\\S+):(\\d+)\\b")
                        .matcher(list);
        if (!line.find()) {
            throw new IOException("no listener " + listener + " in:\n" + list);
        }
        return new InetSocketAddress(
                InetAddress.getByName(line.group(1)), Integer.parseInt(line.group(2)));
    }

    /// Where a listener came to listen when the node was started, as its log says: for those who
    /// start it often and have no time to ask.
    public InetSocketAddress addressAtStart(String listener) throws IOException {
        Matcher line =
                Pattern.compile("listener " + Pattern.quote(listener) + ": open on (\\S+):(\\d+) ")
                        .matcher(output);
        if (!line.find()) {
            throw new IOException("no listener " + listener + " was opened:\n" + output);
        }
        return new InetSocketAddress(
                InetAddress.getByName(line.group(1)), Integer.parseInt(line.group(2)));
    }

    /// Runs one command at the node's shell; its failure is an exception.
    public String shell(String... command) throws IOException, InterruptedException {
        Result result = tryShell(command);
        if (result.exit != 0) {
            throw new IOException(
                    String.join(" ", command) + ": exit " + result.exit + ": " + result.output);
        }
        return result.output;
    }

    /// Runs one command at the node's shell.
    public Result tryShell(String... command) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("shell", directory.toString()));
        arguments.addAll(List.of(command));
        return pabal(
                arguments,
                () -> {
                    try {
                        threads(handle());
                    } catch (IOException | InterruptedException e) {
                        output.append(e);
                    }
                    return "the node said:\n" + output;
                });
    }

    /// Returns when nothing is in the queue any more.
    public void awaitEmptyQueue() throws IOException, InterruptedException {
        String list = "";
        for (int tries = 0; tries < 100; tries++) {
            list = shell("queue:list");
            if (!list.contains("@")) {
                return;
            }
        }
        throw new IOException("the queue does not become empty:\n" + list);
    }

    /// Sets a key in one of the files of `etc/`, or adds it.
    public void set(String file, String key, String value) throws IOException {
        Path path = directory.resolve("etc").resolve(file);
        String text = Files.exists(path) ? Files.readString(path) : "";
        Pattern line = Pattern.compile("(?m)^[ \\t]*" + Pattern.quote(key) + "[ \\t]*=.*$");
        String setting = key + " = " + value;
        String next =
                line.matcher(text).find()
                        ? line.matcher(text).replaceFirst(Matcher.quoteReplacement(setting))
                        : text + "\n" + setting + "\n";
        Path temporary = path.resolveSibling("." + file + ".new");
        Files.writeString(temporary, next);
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rw-------"));
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
    }

    /// How a command of `pabal` ended.
    public record Result(int exit, String output) {}

    /// Runs `pabal` with arguments to its end, which has to come within a minute.
    public static Result pabal(List<String> arguments) throws IOException, InterruptedException {
        return pabal(arguments, () -> "");
    }

    private static Result pabal(List<String> arguments, Supplier<String> more)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(IMAGE.resolve("bin/pabal").toString()));
        command.addAll(arguments);
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .start();
        StringBuffer output = new StringBuffer();
        Thread reader = Thread.ofVirtual().start(() -> collect(process, output, line -> {}));
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            String threads = threads(process.toHandle());
            process.destroyForcibly().waitFor();
            throw new IOException(
                    "pabal %s: not done after %d s; it said:\n%s%s%s"
                            .formatted(
                                    String.join(" ", arguments),
                                    PATIENCE_SECONDS,
                                    output,
                                    threads,
                                    more.get()));
        }
        reader.join();
        return new Result(process.exitValue(), output.toString());
    }

    /// Has a virtual machine write what its threads do to its standard output, where we collect it.
    private static String threads(ProcessHandle virtualMachine)
            throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-QUIT", "" + virtualMachine.pid()).start().waitFor();
        virtualMachine.onExit().completeOnTimeout(virtualMachine, 2, TimeUnit.SECONDS).join();
        return "(asked for its threads)\n";
    }

    /// The image under test.
    public static Path image() {
        return IMAGE;
    }

    private List<Path> listenerFiles() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("etc"))) {
            return files.filter(f -> f.getFileName().toString().startsWith("org.pabal.listener~"))
                    .toList();
        }
    }

    private static void collect(Process from, StringBuffer output, Consumer<String> heard) {
        try (BufferedReader lines = from.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                output.append(line).append('\n');
                heard.accept(line);
            }
        } catch (IOException e) {
            output.append("(output ended: ").append(e.getMessage()).append(")\n");
        }
    }
}
