package org.pabal.settings;

import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The settings of one bundle or listener, as Configuration Admin has them from a file in `etc/`.
///
/// Ask for each key once, then call [#noOthers()], which refuses keys that nobody asked for: a
/// misspelt key must not be a silent default. Every method throws [BadSetting] when the value does
/// not fit.
///
/// ```java
/// Settings settings = Settings.of(properties);
/// long maxOctets = settings.octets("max-size", 50_000_000);
/// Duration patience = settings.duration("patience", Duration.ofMinutes(5));
/// settings.noOthers();
/// ```
public final class Settings {

    private static final Pattern QUANTITY = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");

    private final String file;
    private final Map<String, ?> values;
    private final TreeSet<String> asked = new TreeSet<>();

    private Settings(String file, Map<String, ?> values) {
        this.file = file;
        this.values = values;
    }

    /// @param properties what Configuration Admin or Declarative Services handed over
    public static Settings of(Map<String, ?> properties) {
        return new Settings(fileName(properties), properties);
    }

    /// The name of a factory configuration: `smtp` for `org.pabal.listener~smtp.cfg`; empty for any
    /// other.
    public String instance() {
        int tilde = file.indexOf('~');
        return tilde < 0 ? "" : file.substring(tilde + 1, file.length() - ".cfg".length());
    }

    public Optional<String> text(String key) {
        asked.add(key);
        return Optional.ofNullable(values.get(key)).map(Settings::joined).filter(v -> !v.isEmpty());
    }

    public String text(String key, String fallback) {
        return text(key).orElse(fallback);
    }

    /// A value that must be there.
    public String required(String key, String example) {
        return text(key)
                .orElseThrow(
                        () ->
                                new BadSetting(
                                        file
                                                + ": "
                                                + key
                                                + " is missing: expected for example "
                                                + key
                                                + " = "
                                                + example));
    }

    public boolean flag(String key, boolean fallback) {
        return text(key)
                .map(
                        v ->
                                switch (v.toLowerCase(Locale.ROOT)) {
                                    case "true", "yes", "on" -> true;
                                    case "false", "no", "off" -> false;
                                    default -> throw bad(key, v, "true or false", "true");
                                })
                .orElse(fallback);
    }

    public long number(String key, long fallback, long least, long most) {
        return text(key)
                .map(
                        v -> {
                            if (!v.matches("\\d{1,18}")
                                    || Long.parseLong(v) < least
                                    || Long.parseLong(v) > most) {
                                throw bad(
                                        key,
                                        v,
                                        "a whole number from " + least + " to " + most,
                                        "" + fallback);
                            }
                            return Long.parseLong(v);
                        })
                .orElse(fallback);
    }

    /// A size: `50 MB`, `64 KB`, `1 GB` (powers of ten, as RFC 1870 counts) or plain octets.
    public long octets(String key, long fallback) {
        return text(key)
                .map(
                        v -> {
                            Matcher m = QUANTITY.matcher(v);
                            long unit =
                                    !m.matches()
                                            ? 0
                                            : switch (m.group(2).toUpperCase(Locale.ROOT)) {
                                                case "", "B" -> 1;
                                                case "KB", "K" -> 1_000;
                                                case "MB", "M" -> 1_000_000;
                                                case "GB", "G" -> 1_000_000_000;
                                                default -> 0;
                                            };
                            return times(key, v, m, unit, "a size in octets", "50 MB");
                        })
                .orElse(fallback);
    }

    /// A length of time: `500 ms`, `30 s`, `5 m`, `4 h`, `5 d`.
    public Duration duration(String key, Duration fallback) {
        return text(key)
                .map(
                        v -> {
                            Matcher m = QUANTITY.matcher(v);
                            long unit =
                                    !m.matches()
                                            ? 0
                                            : switch (m.group(2).toLowerCase(Locale.ROOT)) {
                                                case "ms" -> 1;
                                                case "s" -> 1_000;
                                                case "m", "min" -> 60_000;
                                                case "h" -> 3_600_000;
                                                case "d" -> 86_400_000;
                                                default -> 0;
                                            };
                            return Duration.ofMillis(
                                    times(
                                            key,
                                            v,
                                            m,
                                            unit,
                                            "a length of time with its unit (ms, s, m, h, d)",
                                            "5 m"));
                        })
                .orElse(fallback);
    }

    /// One of a few words, in any case; the answer is in lower case.
    public String choice(String key, String fallback, String... words) {
        String value = text(key, fallback).toLowerCase(Locale.ROOT);
        if (!List.of(words).contains(value)) {
            throw bad(key, value, "one of " + String.join(", ", words), fallback);
        }
        return value;
    }

    /// Values parted by commas; empty when there are none.
    public List<String> list(String key) {
        return text(key).stream()
                .flatMap(v -> Arrays.stream(v.split(",")))
                .map(String::strip)
                .filter(v -> !v.isEmpty())
                .toList();
    }

    /// What a doorway throws when a value is well-formed but cannot be used.
    public BadSetting bad(String key, Object value, String expected, String example) {
        return new BadSetting(
                file
                        + ": "
                        + key
                        + " = "
                        + value
                        + ": expected "
                        + expected
                        + ", for example "
                        + key
                        + " = "
                        + example);
    }

    /// Why a file that a setting names cannot be read, in words: the message of such an exception
    /// is often the file's name and nothing else.
    public static String why(Exception trouble) {
        return switch (trouble) {
            case NoSuchFileException missing -> "there is no such file";
            case AccessDeniedException denied -> "permission denied";
            default -> String.valueOf(trouble.getMessage());
        };
    }

    /// Refuses every key that was not asked for.
    public void noOthers() {
        for (String key : values.keySet()) {
            if (!asked.contains(key) && !belongsToTheFramework(key)) {
                throw new BadSetting(
                        file
                                + ": "
                                + key
                                + ": no such setting; expected one of "
                                + String.join(", ", asked)
                                + closest(key));
            }
        }
    }

    private long times(
            String key, String value, Matcher matcher, long unit, String expected, String example) {
        if (unit == 0) {
            throw bad(key, value, expected, example);
        }
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
        } catch (ArithmeticException e) {
            throw bad(key, value, expected, example);
        }
    }

    private String closest(String key) {
        String letters = key.replaceAll("[^A-Za-z]", "").toLowerCase(Locale.ROOT);
        return asked.stream()
                .filter(
                        a ->
                                a.replace("-", "").equals(letters)
                                        || a.startsWith(key)
                                        || key.startsWith(a))
                .findFirst()
                .map(a -> ", for example " + a + " instead of " + key)
                .orElse("");
    }

    /// Also the properties that a component is registered with, which Declarative Services mixes
    /// in.
    private static boolean belongsToTheFramework(String key) {
        return key.startsWith("service.")
                || key.startsWith("component.")
                || key.startsWith("felix.fileinstall.")
                || key.startsWith("osgi.")
                || key.startsWith("pabal.")
                || key.startsWith(".")
                || key.startsWith("org.apache.felix.configadmin.")
                || key.equals("objectClass");
    }

    private static String joined(Object value) {
        if (value instanceof Object[] many) {
            return Arrays.stream(many).map(Object::toString).collect(Collectors.joining(","));
        }
        if (value instanceof Collection<?> many) {
            return many.stream().map(Object::toString).collect(Collectors.joining(","));
        }
        return value.toString().strip();
    }

    private static String fileName(Map<String, ?> properties) {
        Object pid = properties.get("service.pid");
        if (pid instanceof Collection<?> many && !many.isEmpty()) {
            pid = many.iterator().next();
        } else if (pid instanceof Object[] many && many.length > 0) {
            pid = many[0];
        }
        return (pid == null ? "settings" : pid) + ".cfg";
    }
}
