package org.pabal.itests.houserules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The rules of the house that can be seen in the sources: standards that are cited are in the
/// index, and nobody has to guess what a folder is for.
class SourcesTest {

    private static final Pattern CITED = Pattern.compile("RFC (\\d+)");
    private static final Pattern INDEXED =
            Pattern.compile("RFC (\\d+)  (Yes|Partial|Planned|No)  \\S.*");
    private static final List<String> README_SECTIONS =
            List.of("Name", "Description", "Settings", "Shell commands", "Example", "Standards");

    private final Path sources = Part.sources();
    private final Path index = sources.resolve("platform/rfc/index.txt");

    @Test
    void everyCitedRfcIsInTheIndex() throws IOException {
        Set<Integer> indexed = Set.copyOf(indexed());
        Map<Integer, String> missing = new TreeMap<>();
        for (Path file : files("platform", "bundles", "distribution", "itests")) {
            if (file.toString().matches(".*\\.(java|md|dialogue|c|txt)") && !file.equals(index)) {
                Matcher cited = CITED.matcher(Files.readString(file));
                while (cited.find()) {
                    int number = Integer.parseInt(cited.group(1));
                    if (!indexed.contains(number)) {
                        missing.putIfAbsent(number, sources.relativize(file).toString());
                    }
                }
            }
        }
        assertEquals(Map.of(), missing, "add a line to platform/rfc/index.txt");
    }

    @Test
    void indexIsSortedAndNamesEachRfcOnce() throws IOException {
        List<Integer> numbers = indexed();
        assertEquals(List.copyOf(new TreeSet<>(numbers)), numbers);
    }

    @TestFactory
    Stream<DynamicTest> bundleHasAReadmeWithItsSections() {
        return Part.folders("bundles").stream()
                .map(
                        bundle ->
                                DynamicTest.dynamicTest(
                                        nameOf(bundle),
                                        () -> {
                                            Path readme = bundle.resolve("README.md");
                                            assertTrue(
                                                    Files.exists(readme),
                                                    nameOf(bundle) + ": README.md is missing");
                                            List<String> sections =
                                                    Files.readAllLines(readme).stream()
                                                            .filter(line -> line.startsWith("#"))
                                                            .map(
                                                                    line ->
                                                                            line.replaceFirst(
                                                                                            "#+ *",
                                                                                            "")
                                                                                    .strip())
                                                            .filter(README_SECTIONS::contains)
                                                            .toList();
                                            assertEquals(
                                                    README_SECTIONS,
                                                    sections,
                                                    nameOf(bundle) + ": sections of README.md");
                                        }));
    }

    @TestFactory
    Stream<DynamicTest> packageSaysWhatItIsFor() throws IOException {
        Map<Path, List<String>> packages = new TreeMap<>();
        for (Path file : files("platform", "bundles", "distribution", "itests")) {
            if (file.toString().contains("src/main/java/") && file.toString().endsWith(".java")) {
                packages.computeIfAbsent(file.getParent(), folder -> new ArrayList<>())
                        .add(file.getFileName().toString());
            }
        }
        packages.values().removeIf(files -> files.equals(List.of("module-info.java")));
        return packages.entrySet().stream()
                .map(
                        entry ->
                                DynamicTest.dynamicTest(
                                        nameOf(entry.getKey()),
                                        () -> {
                                            assertTrue(
                                                    entry.getValue().contains("package-info.java"),
                                                    nameOf(entry.getKey())
                                                            + ": package-info.java is missing");
                                            String info =
                                                    Files.readString(
                                                            entry.getKey()
                                                                    .resolve("package-info.java"));
                                            String told =
                                                    info.lines()
                                                            .takeWhile(
                                                                    line -> line.startsWith("///"))
                                                            .map(line -> line.substring(3).strip())
                                                            .reduce("", (a, b) -> a + " " + b)
                                                            .strip();
                                            assertTrue(
                                                    told.split("[.!?:](\\s+|$)").length >= 3,
                                                    nameOf(entry.getKey())
                                                            + ": expected three sentences (what,"
                                                            + " for whom, where to start): "
                                                            + told);
                                        }));
    }

    private String nameOf(Path folder) {
        return sources.relativize(folder).toString();
    }

    private List<Integer> indexed() throws IOException {
        List<Integer> numbers = new ArrayList<>();
        for (String line : Files.readAllLines(index)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                Matcher matcher = INDEXED.matcher(line);
                assertTrue(
                        matcher.matches(),
                        "platform/rfc/index.txt: expected `RFC 5321  Yes  Title`, found: " + line);
                numbers.add(Integer.parseInt(matcher.group(1)));
            }
        }
        return numbers;
    }

    private List<Path> files(String... folders) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String folder : folders) {
            Files.walkFileTree(
                    sources.resolve(folder),
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(
                                Path directory, BasicFileAttributes attributes) {
                            return directory.getFileName().toString().equals("target")
                                    ? FileVisitResult.SKIP_SUBTREE
                                    : FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFile(
                                Path file, BasicFileAttributes attributes) {
                            files.add(file);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        }
        return files;
    }
}
