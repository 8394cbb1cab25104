package org.pabal.launcher;

import java.io.Console;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/// `pabal`: what an administrator types.
public final class Main {

    private static final String USAGE =
            """
            pabal quickstart [DIR]    makes a node for example.test with alice and bob (password: pabal), on loopback,
                                      standard ports + 1000, and runs it; DIR is ./pabal-node when left out
            pabal init DIR --domain D --host H [--address A] [--offset N]
                                      makes a node for real
            pabal run DIR             runs a node in the foreground; prints `ready` when every listener accepts
            pabal shell DIR [COMMAND...]
                                      one command of a running node's shell, or, without COMMAND, a session
            pabal --help              this

            Examples: pabal init /var/pabal --domain example.org --host mail.example.org
                      pabal shell /var/pabal account:add bob@example.org
            """;
    private static final String EXAMPLE =
            "expected quickstart, init, run, shell or --help, for example pabal quickstart"
                    + " ./pabal-node";

    private Main() {}

    public static void main(String[] words) {
        int status;
        try {
            status = command(new ArrayList<>(Arrays.asList(words)));
        } catch (Trouble e) {
            System.err.println("pabal: " + e.getMessage());
            status = e.exitStatus;
        } catch (IOException e) {
            System.err.println("pabal: " + Lines.reason(e));
            status = 1;
        } catch (InterruptedException e) {
            status = 1;
        }
        System.exit(status);
    }

    private static int command(List<String> words)
            throws Trouble, IOException, InterruptedException {
        if (words.isEmpty()) {
            throw new Trouble("no command; " + EXAMPLE, Trouble.USAGE);
        }
        String command = words.removeFirst();
        return switch (command) {
            case "quickstart" -> quickstart(words);
            case "init" -> init(words);
            case "run" -> run(directory(words, "run"));
            case "shell" -> shell(words);
            case "--help", "-h", "help" -> {
                System.out.print(USAGE);
                yield 0;
            }
            default -> throw new Trouble(command + ": no such command; " + EXAMPLE, Trouble.USAGE);
        };
    }

    private static int quickstart(List<String> words) throws Trouble, InterruptedException {
        if (words.size() > 1 || words.stream().anyMatch(w -> w.startsWith("-"))) {
            throw new Trouble(
                    "quickstart: expected at most a directory, for example pabal quickstart"
                            + " ./pabal-node",
                    Trouble.USAGE);
        }
        NodeDirectory directory =
                NodeDirectory.of(words.isEmpty() ? "pabal-node" : words.getFirst());
        if (!directory.exists()) {
            NewNode.make(
                    directory,
                    new NodeSettings(
                            "mail.example.test", "example.test", Optional.of("127.0.0.1"), 1000),
                    List.of(
                            "account:add alice@example.test pabal",
                            "account:add bob@example.test pabal"));
        }
        return run(directory);
    }

    private static int init(List<String> words) throws Trouble {
        Map<String, String> options = new TreeMap<>();
        List<String> rest = new ArrayList<>();
        Set<String> known = Set.of("--domain", "--host", "--address", "--offset");
        while (!words.isEmpty()) {
            String word = words.removeFirst();
            int equals = word.indexOf('=');
            String key = word.startsWith("--") && equals > 0 ? word.substring(0, equals) : word;
            if (!word.startsWith("-")) {
                rest.add(word);
            } else if (!known.contains(key)) {
                throw new Trouble(
                        "init: "
                                + key
                                + ": no such option; expected --domain, --host, --address or"
                                + " --offset, for example --domain example.org",
                        Trouble.USAGE);
            } else if (key.equals(word) && words.isEmpty()) {
                throw new Trouble("init: " + key + ": a value is missing", Trouble.USAGE);
            } else {
                options.put(
                        key.substring(2),
                        key.equals(word) ? words.removeFirst() : word.substring(equals + 1));
            }
        }
        if (rest.size() != 1 || !options.containsKey("domain") || !options.containsKey("host")) {
            throw new Trouble(
                    "init: expected a directory, a domain and a host name, for example "
                            + "pabal init /var/pabal --domain example.org --host mail.example.org",
                    Trouble.USAGE);
        }
        NodeSettings settings =
                NodeSettings.checked(
                        "--%s ",
                        options.get("host"),
                        options.get("domain"),
                        Optional.ofNullable(options.get("address")),
                        options.getOrDefault("offset", "0"));
        NodeDirectory directory = NodeDirectory.of(rest.getFirst());
        NewNode.make(directory, settings, List.of());
        System.out.println(
                directory.home() + ": made; start it with pabal run " + directory.home());
        return 0;
    }

    private static int run(NodeDirectory directory) throws Trouble, InterruptedException {
        directory.check();
        NodeSettings settings = NodeSettings.read(directory);
        directory.lock();
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        PrintStream output = System.out; // the shell puts another in its place later
        LogSetup.open(
                directory, terminal ? OutputStream.nullOutputStream() : LogSetup.standardOutput());

        // A virtual machine that a signal ends exits with 128 + its number. A node that was asked
        // to stop and did has
        // succeeded, so the last thing that is done is to leave with a status of our own.
        AtomicInteger status = new AtomicInteger();
        AtomicReference<Node> running = new AtomicReference<>();
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    Node node = running.getAndSet(null);
                                    if (node != null) {
                                        node.stop();
                                    }
                                    LogSetup.close();
                                    System.err.flush();
                                    Runtime.getRuntime().halt(status.get());
                                },
                                "stop"));
        try {
            Node node = Node.of(directory, settings);
            running.set(node);
            node.start(Image.own(), terminal);
            node.announce(output);
            if (terminal) {
                node.openShell();
            }
            node.await();
            return 0;
        } catch (Trouble e) {
            status.set(e.exitStatus);
            throw e;
        }
    }

    private static int shell(List<String> words) throws Trouble, IOException {
        if (words.isEmpty()) {
            throw new Trouble(
                    "shell: expected the directory of a node, for example pabal shell ./pabal-node"
                            + " lb",
                    Trouble.USAGE);
        }
        NodeDirectory directory = NodeDirectory.of(words.removeFirst());
        if (!directory.exists()) {
            directory.check();
        }
        try (ShellClient shell = ShellClient.connect(directory)) {
            if (words.isEmpty()) {
                return shell.interactive(directory);
            }
            ShellClient.End end = shell.execute(ShellClient.commandLine(words), System.out);
            if (end.status() != 0) {
                System.err.println("pabal: " + end.reason());
            }
            return end.status();
        }
    }

    private static NodeDirectory directory(List<String> words, String command) throws Trouble {
        if (words.size() != 1 || words.getFirst().startsWith("-")) {
            throw new Trouble(
                    command
                            + ": expected the directory of a node, for example pabal "
                            + command
                            + " ./pabal-node",
                    Trouble.USAGE);
        }
        return NodeDirectory.of(words.getFirst());
    }
}
