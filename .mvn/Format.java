import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.StringWrapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Formats the Java sources: google-java-format in its AOSP style, 100 columns.
///
/// google-java-format 1.35.0 takes a Markdown comment (`///`) for an ordinary line comment and
/// breaks a long one with `//`, which ends the doc comment. So these lines are put aside before it
/// formats, and wrapped here afterwards.
///
/// ```
/// Format check ROOT    names the files that are not formatted; exit status 1 when there are any
/// Format fix ROOT      formats them
/// Format fix FILE…     formats these
/// ```
public final class Format {

    private static final int COLUMNS = 100;
    private static final int MOST_PASSES = 6;
    private static final String FIX = "mvn -q -N -Pformat process-sources";
    private static final Pattern SHIELD = Pattern.compile("/// @@(\\d+)@@");
    private static final Pattern LIST_ITEM = Pattern.compile("(\\s*)([-*+]|\\d+[.)])(\\s+).*");
    private static final Pattern STARTS_ANEW =
            Pattern.compile("\\s*(([-*+]|\\d+[.)])\\s.*|[@#|>].*|```.*|~~~.*)?");

    private static final Formatter FORMATTER =
            new Formatter(
                    JavaFormatterOptions.builder()
                            .style(JavaFormatterOptions.Style.AOSP)
                            .formatJavadoc(false)
                            .build());

    private Format() {}

    public static void main(String[] arguments) throws IOException {
        boolean fix = arguments[0].equals("fix");
        List<Path> files = new ArrayList<>();
        for (int i = 1; i < arguments.length; i++) {
            files.addAll(sources(Path.of(arguments[i])));
        }
        List<String> wrong = new ArrayList<>();
        for (Path file : files) {
            String before = Files.readString(file);
            try {
                String after = format(before);
                if (!after.equals(before)) {
                    wrong.add(file.toString());
                    if (fix) {
                        Files.writeString(file, after);
                    }
                }
            } catch (FormatterException e) {
                wrong.add(
                        file
                                + ": cannot be parsed: "
                                + e.getMessage().lines().findFirst().orElse(""));
                fix = false;
            }
        }
        wrong.forEach(
                file ->
                        System.out.println(
                                (arguments[0].equals("fix") ? "formatted " : "not formatted: ")
                                        + file));
        if (!fix && !wrong.isEmpty()) {
            System.out.println(
                    wrong.size()
                            + " of "
                            + files.size()
                            + " files are not formatted; to format them: "
                            + FIX);
            System.exit(1);
        }
    }

    private static List<Path> sources(Path root) throws IOException {
        if (Files.isRegularFile(root)) {
            return List.of(root);
        }
        Path base = root.toAbsolutePath().normalize();
        List<Path> found = new ArrayList<>();
        for (String top : List.of(".mvn", "platform", "bundles", "distribution", "itests")) {
            if (Files.isDirectory(base.resolve(top))) {
                try (Stream<Path> files = Files.walk(base.resolve(top))) {
                    files.filter(f -> f.toString().endsWith(".java"))
                            .filter(f -> !base.relativize(f).toString().matches("(.*/)?target/.*"))
                            .sorted()
                            .forEach(found::add);
                }
            }
        }
        return found;
    }

    /// google-java-format breaks a long string in one pass and indents the pieces in the next: so
    /// until nothing changes.
    static String format(String text) throws FormatterException {
        String before = text;
        String after = once(text);
        for (int passes = 1; passes < MOST_PASSES && !after.equals(before); passes++) {
            before = after;
            after = once(after);
        }
        return after;
    }

    private static String once(String text) throws FormatterException {
        List<String> put = new ArrayList<>();
        String formatted = FORMATTER.formatSourceAndFixImports(shield(text, put));
        formatted = StringWrapper.wrap(formatted, FORMATTER);
        return wrap(unshield(formatted, put));
    }

    private static String shield(String text, List<String> put) {
        StringBuilder shielded = new StringBuilder();
        boolean inText = false;
        for (String line : text.split("\n", -1)) {
            String bare = line.strip();
            if (!inText && bare.startsWith("///") && bare.length() > 40) {
                shielded.append("/// @@").append(put.size()).append("@@\n");
                put.add(bare);
            } else {
                shielded.append(line).append('\n');
                inText ^= (line.split("\"\"\"", -1).length - 1) % 2 == 1;
            }
        }
        shielded.setLength(shielded.length() - 1);
        return shielded.toString();
    }

    private static String unshield(String text, List<String> put) {
        return SHIELD.matcher(text)
                .replaceAll(m -> Matcher.quoteReplacement(put.get(Integer.parseInt(m.group(1)))));
    }

    /// Wraps the `///` lines; what is cut off goes to the beginning of the next line of the same
    /// paragraph.
    private static String wrap(String text) {
        List<String> wrapped = new ArrayList<>();
        boolean inText = false;
        boolean fenced = false;
        String carry = "";
        String carryIndent = "";
        String carryMargin = "";
        for (String line : text.split("\n", -1)) {
            boolean comment = !inText && line.strip().startsWith("///");
            String margin = comment ? line.substring(0, line.indexOf("///")) : "";
            String body = comment ? line.strip().substring(3) : "";
            if (!carry.isEmpty()) {
                if (comment && !STARTS_ANEW.matcher(body).matches()) {
                    line = margin + "///" + carryIndent + carry + " " + body.strip();
                    body = line.strip().substring(3);
                } else {
                    wrapped.addAll(pieces(carryMargin, carryIndent + carry, carryIndent));
                }
                carry = "";
            }
            if (!comment) {
                fenced = false;
                inText ^= (line.split("\"\"\"", -1).length - 1) % 2 == 1;
                wrapped.add(line);
                continue;
            }
            if (body.strip().startsWith("```") || body.strip().startsWith("~~~")) {
                fenced = !fenced;
            }
            if (fenced || line.length() <= COLUMNS || body.strip().startsWith("|")) {
                wrapped.add(line);
                continue;
            }
            carryIndent = continuation(body);
            carryMargin = margin;
            List<String> pieces = pieces(margin, body, carryIndent);
            String last = pieces.removeLast();
            wrapped.addAll(pieces);
            if (pieces.isEmpty()) {
                // One word that is too long.
                wrapped.add(last);
            } else {
                carry = last.strip().substring(3).strip();
            }
        }
        return String.join("\n", wrapped);
    }

    /// A text in lines of at most 100 columns, as far as words allow.
    private static List<String> pieces(String margin, String body, String indent) {
        List<String> pieces = new ArrayList<>();
        String next = margin + "///" + body;
        while (next.length() > COLUMNS) {
            int least = margin.length() + 3 + indent.length() + 1;
            int cut = next.lastIndexOf(' ', COLUMNS);
            while (cut > least && STARTS_ANEW.matcher(next.substring(cut + 1)).matches()) {
                // What follows would be taken for a list, a tag, a heading.
                cut = next.lastIndexOf(' ', cut - 1);
            }
            if (cut <= least) {
                break;
            }
            pieces.add(next.substring(0, cut).stripTrailing());
            next = margin + "///" + indent + next.substring(cut + 1);
        }
        pieces.add(next);
        return pieces;
    }

    /// What a continuation of a line begins with: below the text of a list item, four columns in
    /// for a tag.
    private static String continuation(String body) {
        Matcher item = LIST_ITEM.matcher(body);
        if (item.matches()) {
            return " ".repeat(item.start(3) + item.group(3).length());
        }
        String indent = body.substring(0, body.length() - body.stripLeading().length());
        return body.strip().startsWith("@") ? indent + "    " : indent.isEmpty() ? " " : indent;
    }
}
