package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

class NodeSettingsTest {

    @TempDir Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hosst = a.example\\n"
                    + "host = a.example | etc/pabal.properties: hosst: no such setting; expected"
                    + " one of address, domain, host, offset, for example host = mail.example.org",
                "domain = example.org                | etc/pabal.properties: host = (nothing):"
                        + " expected a domain name, for example host = mail.example.org",
                "host = a b\\n"
                    + "domain = example.org   | etc/pabal.properties: host = a b: expected a domain"
                    + " name, for example host = mail.example.org",
                "host = a\\n"
                    + "domain = b\\n"
                    + "offset = x  | etc/pabal.properties: offset = x: expected a whole number from"
                    + " 0 to 60000, for example offset = 1000",
                "host = a\\n"
                    + "domain = b\\n"
                    + "address = c | etc/pabal.properties: address = c: expected an IP address of"
                    + " this machine, for example address = 192.0.2.1",
                "host = \\\\u00zz                    | etc/pabal.properties: cannot be read:"
                    + " Malformed \\uxxxx encoding.; expected lines like host = mail.example.org",
            })
    void refusesInOneLine(String text, String expected) throws Exception {
        NodeDirectory node = write(text.replace("\\n", "\n").replace("\\\\", "\\"));
        assertEquals(
                expected, assertThrows(Trouble.class, () -> NodeSettings.read(node)).getMessage());
    }

    @Test
    void takesInternationalNames() throws Exception {
        NodeDirectory node = write("host = mail.bücher.example\ndomain = bücher.example\n");
        assertEquals(
                new NodeSettings("mail.bücher.example", "bücher.example", Optional.empty(), 0),
                NodeSettings.read(node));
    }

    private NodeDirectory write(String text) throws Exception {
        NodeDirectory node = NodeDirectory.of(directory.toString());
        Files.createDirectories(node.etc());
        Files.writeString(node.settings(), text);
        return node;
    }
}
