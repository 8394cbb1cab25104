package org.pabal.launcher;

import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// What a node knows of itself, from `etc/pabal.properties`.
///
/// @param host the name that the node goes by, e.g. in a greeting
/// @param domain the domain that a login without one means
/// @param address where listeners listen; empty means all addresses of the machine
/// @param offset added to every standard port
record NodeSettings(String host, String domain, Optional<String> address, int offset) {

    // RFC 1123 §2.1 and RFC 5891: letters (of any script), digits, hyphens; the whole at most 253
    // characters.
    private static final Pattern NAME =
            Pattern.compile(
                    "(?=.{1,253}$)[\\p{L}\\p{N}]([\\p{L}\\p{M}\\p{N}-]{0,61}[\\p{L}\\p{M}\\p{N}])?"
                        + "(\\.[\\p{L}\\p{N}]([\\p{L}\\p{M}\\p{N}-]{0,61}[\\p{L}\\p{M}\\p{N}])?)*");
    private static final Pattern ADDRESS =
            Pattern.compile("[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\\w+)?");
    private static final int MOST_OFFSET = 60_000;

    /// Reads the settings of a node and refuses what it does not know.
    static NodeSettings read(NodeDirectory directory) throws Trouble {
        Properties values = new Properties();
        try (Reader reader = Files.newBufferedReader(directory.settings())) {
            values.load(reader);
        } catch (IOException | IllegalArgumentException e) {
            throw new Trouble(
                    "etc/pabal.properties: cannot be read: "
                            + Lines.reason(e)
                            + "; expected lines like host = mail.example.org");
        }
        Set<String> known = new TreeSet<>(Set.of("host", "domain", "address", "offset"));
        for (String key : new TreeSet<>(values.stringPropertyNames())) {
            if (!known.contains(key)) {
                throw new Trouble(
                        "etc/pabal.properties: "
                                + key
                                + ": no such setting; expected one of "
                                + String.join(", ", known)
                                + ", for example host = mail.example.org");
            }
        }
        return checked(
                "etc/pabal.properties: %s = ",
                values.getProperty("host", ""),
                values.getProperty("domain", ""),
                Optional.ofNullable(values.getProperty("address"))
                        .map(String::strip)
                        .filter(a -> !a.isEmpty()),
                values.getProperty("offset", "0"));
    }

    /// Makes settings of what was typed.
    ///
    /// @param where how a complaint begins; `%s` stands for the setting
    static NodeSettings checked(
            String where, String host, String domain, Optional<String> address, String offset)
            throws Trouble {
        String checkedHost = name(where, "host", host.strip(), "mail.example.org");
        String checkedDomain = name(where, "domain", domain.strip(), "example.org");
        if (address.isPresent() && !isAddress(address.get())) {
            throw bad(
                    where, "address", address.get(), "an IP address of this machine", "192.0.2.1");
        }
        String digits = offset.strip();
        if (!digits.matches("\\d{1,5}") || Integer.parseInt(digits) > MOST_OFFSET) {
            throw bad(where, "offset", offset, "a whole number from 0 to " + MOST_OFFSET, "1000");
        }
        return new NodeSettings(checkedHost, checkedDomain, address, Integer.parseInt(digits));
    }

    /// As they are written to `etc/pabal.properties`.
    String text() {
        return """
        # Who this node is. Read when it starts. The listeners have files of their own beside this one.
        host = %s
        domain = %s
        %s
        offset = %d
        """
                .formatted(
                        host,
                        domain,
                        address.map(a -> "address = " + a)
                                .orElse("# address = 192.0.2.1   (all, when left out)"),
                        offset);
    }

    private static boolean isAddress(String text) {
        if (!ADDRESS.matcher(text).matches()) {
            return false;
        }
        try {
            return InetAddress.getByName(text)
                    != null; // digits and colons only: no name is looked up
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static String name(String where, String key, String value, String example)
            throws Trouble {
        if (!NAME.matcher(value).matches()) {
            throw bad(where, key, value, "a domain name", example);
        }
        return value;
    }

    private static Trouble bad(
            String where, String key, String value, String expected, String example) {
        boolean typed = where.startsWith("--");
        return new Trouble(
                where.formatted(key)
                        + (value.isEmpty() ? "(nothing)" : value)
                        + ": expected "
                        + expected
                        + ", for example "
                        + (typed ? "--" + key + " " : key + " = ")
                        + example,
                typed ? Trouble.USAGE : 1);
    }
}
