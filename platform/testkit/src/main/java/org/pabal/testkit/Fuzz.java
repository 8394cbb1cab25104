package org.pabal.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Throws bent input at whatever reads octets from strangers.
///
/// Starts from the files of a folder, every one of which is tried as it is, `crash-…` of former
/// runs included; then bends and joins them until the time is over. An input that makes the target
/// slow is bent further. What goes wrong is kept in the folder as `crash-HASH`, so that the next
/// run begins with it.
///
/// | system property | default | what it is |
/// | --- | --- | --- |
/// | `pabal.fuzz.seconds` | 20 | how long, after the files of the folder |
/// | `pabal.fuzz.seed` | see below | printed at the beginning; the same number bends the same way |
/// | `pabal.fuzz.limit` | 10 | seconds that one input may take |
///
/// A build does not go on for long and always bends the same way, so that it says the same of the
/// same code. Who gives it more than ten seconds looks for what nobody has found yet: the seed is
/// then another each time.
public final class Fuzz {

    private static final int SECONDS_OF_A_BUILD = 10;
    private static final int MAX_OCTETS = 65_536;
    private static final int MAX_POOL = 512;
    private static final byte[][] ALWAYS_INTERESTING =
            Stream.of(
                            "\r\n",
                            "\r",
                            "\n",
                            "\0",
                            "\r\n.\r\n",
                            "\n.\n",
                            "\r.\r",
                            "\\",
                            "\"",
                            "<",
                            ">",
                            "(",
                            ")",
                            "{",
                            "}",
                            "[",
                            "]",
                            "=",
                            "%",
                            "*",
                            ":",
                            ";",
                            ",",
                            " ",
                            "\t",
                            "-1",
                            "0",
                            "9223372036854775807",
                            "18446744073709551616",
                            "4294967295",
                            "4294967296",
                            "2147483648",
                            "\u00ff\u00ff",
                            "\u00c0\u000c",
                            "\u0080",
                            "\u00ed\u00a0\u0080",
                            "\u00c0\u0080")
                    .map(token -> token.getBytes(StandardCharsets.ISO_8859_1))
                    .toArray(byte[][]::new);

    /// What is tested: throws when something is wrong. What may be thrown by right it catches
    /// itself.
    @FunctionalInterface
    public interface Target {
        void accept(byte[] input) throws Exception;
    }

    private final Path corpus;
    private final Target target;
    private final Random random;
    private final Duration limit;
    private final List<byte[]> pool = new ArrayList<>();
    private final List<byte[]> tokens = new ArrayList<>(Arrays.asList(ALWAYS_INTERESTING));
    private final SynchronousQueue<byte[]> toTry = new SynchronousQueue<>();
    private final SynchronousQueue<Object> tried = new SynchronousQueue<>();
    private long slowestNanos;

    private Fuzz(Path corpus, Target target, long seed, Duration limit) {
        this.corpus = corpus;
        this.target = target;
        this.random = new Random(seed);
        this.limit = limit;
    }

    /// @param corpus a folder with at least one file, such as `src/test/resources/fuzz/smtp`
    /// @throws AssertionError when an input made the target throw or take too long; the message
    ///     names the file of the input
    public static void run(Path corpus, Target target) throws Exception {
        run(corpus, Duration.ofSeconds(Long.getLong("pabal.fuzz.seconds", 20)), target);
    }

    /// The same with a duration of its own.
    public static void run(Path corpus, Duration duration, Target target) throws Exception {
        boolean search = Long.getLong("pabal.fuzz.seconds", 0) > SECONDS_OF_A_BUILD;
        long seed = Long.getLong("pabal.fuzz.seed", search ? new Random().nextLong() : 1);
        Duration limit = Duration.ofSeconds(Long.getLong("pabal.fuzz.limit", 10));
        new Fuzz(corpus, target, seed, limit).run(duration, seed);
    }

    private void run(Duration duration, long seed) throws Exception {
        List<Path> files = files();
        System.out.printf(
                "fuzz %s: %d files, %d s, -Dpabal.fuzz.seed=%d%n",
                corpus.getFileName(), files.size(), duration.toSeconds(), seed);
        Thread worker =
                Thread.ofPlatform().name("fuzz " + corpus.getFileName()).daemon().start(this::work);
        try {
            for (Path file : files) {
                byte[] input = Files.readAllBytes(file);
                attempt(input, worker);
                harvest(input);
                pool.add(input);
            }
            slowestNanos = Math.max(slowestNanos, 1_000_000);
            long inputs = 0;
            long end = System.nanoTime() + duration.toNanos();
            while (System.nanoTime() < end) {
                byte[] input = bent();
                long nanos = attempt(input, worker);
                inputs++;
                if (nanos > 2 * slowestNanos) {
                    slowestNanos = nanos;
                    keep(input);
                }
            }
            System.out.printf(
                    "fuzz %s: %d inputs, slowest %d ms%n",
                    corpus.getFileName(), inputs, slowestNanos / 1_000_000);
        } finally {
            worker.interrupt();
            worker.join(limit);
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(corpus)) {
            List<Path> sorted = files.filter(Files::isRegularFile).sorted().toList();
            if (sorted.isEmpty()) {
                throw new IOException(corpus + ": holds no file to begin with");
            }
            return sorted;
        }
    }

    /// Tries one input on the worker thread and answers how long it took.
    private long attempt(byte[] input, Thread worker) throws Exception {
        long start = System.nanoTime();
        toTry.put(input);
        Object result = tried.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
        long nanos = System.nanoTime() - start;
        if (result instanceof Throwable thrown) {
            throw new AssertionError(
                    "an input made the target throw; it is " + kept(input, thrown), thrown);
        }
        if (!Boolean.TRUE.equals(result)) {
            Throwable where = new Throwable("where it was after " + limit.toSeconds() + " s");
            where.setStackTrace(worker.getStackTrace());
            throw new AssertionError("an input took too long; it is " + kept(input, where), where);
        }
        return nanos;
    }

    private void work() {
        try {
            while (true) {
                byte[] input = toTry.take();
                Object result = Boolean.TRUE;
                try {
                    target.accept(input.clone());
                } catch (InterruptedException e) {
                    throw e;
                } catch (Throwable thrown) {
                    result = thrown;
                }
                tried.put(result);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Writes the input to the folder and how it went to the standard output.
    private Path kept(byte[] input, Throwable thrown) throws IOException, NoSuchAlgorithmException {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(input);
        Path file = corpus.resolve("crash-" + HexFormat.of().formatHex(hash, 0, 6));
        Files.write(file, input);
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace));
        System.out.println("fuzz: " + file + "\n" + trace);
        return file;
    }

    private void keep(byte[] input) {
        if (pool.size() < MAX_POOL) {
            pool.add(input);
        } else {
            pool.set(random.nextInt(MAX_POOL), input);
        }
    }

    /// Words and numbers of a seed are what the target knows: they are put where they do not
    /// belong.
    private void harvest(byte[] seed) {
        String text = new String(seed, StandardCharsets.ISO_8859_1);
        TreeSet<String> words = new TreeSet<>(Arrays.asList(text.split("[^A-Za-z0-9_.@+-]+", 500)));
        words.addAll(Arrays.asList(text.split("(?<=\n)", 200)));
        for (String word : words) {
            if (!word.isEmpty() && word.length() <= 200 && tokens.size() < 4_000) {
                tokens.add(word.getBytes(StandardCharsets.ISO_8859_1));
            }
        }
    }

    private byte[] bent() {
        byte[] input = pool.get(random.nextInt(pool.size()));
        int times = 1 << random.nextInt(5);
        for (int i = 0; i < times; i++) {
            input = bentOnce(input);
        }
        return input.length > MAX_OCTETS ? Arrays.copyOf(input, MAX_OCTETS) : input;
    }

    private byte[] bentOnce(byte[] input) {
        int at = input.length == 0 ? 0 : random.nextInt(input.length);
        int end = Math.min(input.length, at + 1 + random.nextInt(Math.max(1, input.length / 2)));
        byte[] token = tokens.get(random.nextInt(tokens.size()));
        byte[] other = pool.get(random.nextInt(pool.size()));
        return switch (random.nextInt(10)) {
            case 0 -> flipped(input, at, 1 << random.nextInt(8));
            case 1 -> flipped(input, at, random.nextInt(256));
            case 2 -> Arrays.copyOf(input, at);
            case 3 -> joined(input, 0, at, input, end, input.length);
            case 4 -> joined(input, 0, end, input, at, input.length);
            case 5 -> joined(input, 0, at, other, random.nextInt(other.length + 1), other.length);
            case 6, 7 -> inserted(input, at, token);
            case 8 -> inserted(joined(input, 0, at, input, end, input.length), at, token);
            default -> inserted(input, at, repeated(Arrays.copyOfRange(input, at, end)));
        };
    }

    private static byte[] flipped(byte[] input, int at, int bits) {
        byte[] flipped = input.clone();
        if (flipped.length > 0) {
            flipped[at] ^= (byte) bits;
        }
        return flipped;
    }

    private byte[] repeated(byte[] part) {
        int times = 1 << random.nextInt(12);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < times && all.size() < MAX_OCTETS; i++) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] inserted(byte[] input, int at, byte[] what) {
        return joined(joined(input, 0, at, what, 0, what.length), input, at, input.length);
    }

    private static byte[] joined(byte[] a, int fromA, int toA, byte[] b, int fromB, int toB) {
        return joined(Arrays.copyOfRange(a, fromA, toA), b, fromB, toB);
    }

    private static byte[] joined(byte[] a, byte[] b, int fromB, int toB) {
        byte[] all = Arrays.copyOf(a, a.length + toB - fromB);
        System.arraycopy(b, fromB, all, a.length, toB - fromB);
        return all;
    }
}
