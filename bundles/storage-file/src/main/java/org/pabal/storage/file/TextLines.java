package org.pabal.storage.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The lines of a file that people edit too. What we do not understand stays as it is, octet for
/// octet.
///
/// @param raw a character an octet, so that no line is lost for not being UTF-8
record TextLines(List<String> raw) {

    TextLines {
        raw = List.copyOf(raw);
    }

    static TextLines read(Path file) throws IOException {
        String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        List<String> lines = new ArrayList<>(List.of(text.split("\n", -1)));
        if (lines.getLast().isEmpty()) {
            lines.removeLast();
        }
        return new TextLines(lines);
    }

    byte[] octets() {
        StringBuilder text = new StringBuilder();
        raw.forEach(line -> text.append(line).append('\n'));
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    /// The words of a line: parted by blanks, but not inside quotes; up to a word that begins with
    /// `#`. Empty when the line is not UTF-8.
    Optional<List<String>> words(int index) {
        String line = raw.get(index);
        if (line.chars().allMatch(c -> c < 128)) {
            return Optional.of(split(line));
        }
        try {
            byte[] octets = line.getBytes(StandardCharsets.ISO_8859_1);
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
            return Optional.of(split(text.startsWith("\uFEFF") ? text.substring(1) : text));
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /// With one more line at the end.
    TextLines and(String line) {
        List<String> next = new ArrayList<>(raw);
        next.add(encoded(line));
        return new TextLines(next);
    }

    /// With a line in place of another. A remark at the end of the old one stays.
    TextLines with(int index, String line) {
        List<String> next = new ArrayList<>(raw);
        String remark = remark(raw.get(index));
        next.set(index, encoded(line) + (remark.isEmpty() ? "" : " " + remark));
        return new TextLines(next);
    }

    TextLines without(int index) {
        List<String> next = new ArrayList<>(raw);
        next.remove(index);
        return new TextLines(next);
    }

    private static List<String> split(String text) {
        List<String> words = new ArrayList<>();
        for (int at = wordFrom(text, 0); at < text.length() && text.charAt(at) != '#'; ) {
            int end = wordEnd(text, at);
            words.add(text.substring(at, end));
            at = wordFrom(text, end);
        }
        return words;
    }

    private static String remark(String text) {
        int at = wordFrom(text, 0);
        while (at < text.length() && text.charAt(at) != '#') {
            at = wordFrom(text, wordEnd(text, at));
        }
        return text.substring(at);
    }

    private static int wordFrom(String text, int from) {
        int at = from;
        while (at < text.length() && blank(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static int wordEnd(String text, int from) {
        boolean quoted = false;
        int at = from;
        for (; at < text.length() && (quoted || !blank(text.charAt(at))); at++) {
            char c = text.charAt(at);
            if (c == '"') {
                quoted = !quoted;
            } else if (c == '\\' && quoted) {
                at++;
            }
        }
        return Math.min(at, text.length());
    }

    private static boolean blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
    }

    private static String encoded(String line) {
        return new String(line.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }
}
