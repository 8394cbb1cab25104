package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

class Pop3CommandTest {

    static Stream<Arguments> lines() {
        return Stream.of(
                Arguments.of("QUIT", new Pop3Command.Quit()),
                Arguments.of("quit", new Pop3Command.Quit()),
                Arguments.of("Stat ", new Pop3Command.Stat()),
                Arguments.of("NOOP", new Pop3Command.Noop()),
                Arguments.of("RSET", new Pop3Command.Rset()),
                Arguments.of("CAPA", new Pop3Command.Capa()),
                Arguments.of("STLS", new Pop3Command.Stls()),
                Arguments.of("UTF8", new Pop3Command.Utf8()),
                Arguments.of("LIST", new Pop3Command.Scan(OptionalInt.empty())),
                Arguments.of("LIST 7", new Pop3Command.Scan(OptionalInt.of(7))),
                Arguments.of("UIDL", new Pop3Command.Uidl(OptionalInt.empty())),
                Arguments.of("UIDL 007", new Pop3Command.Uidl(OptionalInt.of(7))),
                Arguments.of("RETR  1", new Pop3Command.Retr(1)),
                Arguments.of("RETR 0", new Pop3Command.Retr(0)),
                Arguments.of("DELE 99999999999999999999", new Pop3Command.Dele(Integer.MAX_VALUE)),
                Arguments.of("TOP 1 0", new Pop3Command.Top(1, 0)),
                Arguments.of("TOP 1 4294967296", new Pop3Command.Top(1, Integer.MAX_VALUE)),
                Arguments.of("LANG", new Pop3Command.Lang(Optional.empty())),
                Arguments.of("LANG *", new Pop3Command.Lang(Optional.of("*"))),
                Arguments.of("AUTH PLAIN", new Pop3Command.Auth("PLAIN", Optional.empty())),
                Arguments.of("AUTH plain =", new Pop3Command.Auth("plain", Optional.of("="))),
                Arguments.of("", new Pop3Command.Unknown()),
                Arguments.of(" QUIT", new Pop3Command.Unknown()),
                Arguments.of("QUIT\t", new Pop3Command.Unknown()),
                Arguments.of(
                        "APOP bob c4c9334bac560ecc979e58001b3e22fb", new Pop3Command.Unknown()),
                Arguments.of("XTND XMIT", new Pop3Command.Unknown()));
    }

    @ParameterizedTest
    @MethodSource("lines")
    void readsLine(String line, Pop3Command command) {
        assertEquals(command, Pop3Command.parse(line.getBytes(ISO_8859_1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "USER", "USER ", "PASS", "AUTH", "AUTH A B C", "QUIT now", "STAT 1", "LIST 1 2",
                        "LIST -1", "LIST +1", "LIST a",
                "LIST \u00b2", "RETR", "RETR 1 2", "RETR 1\t", "DELE", "DELE 1-3", "TOP 1", "TOP",
                        "TOP 1 -1", "TOP 1 2 3", "UIDL x",
                "CAPA x", "LANG a b", "UTF8 USER"
            })
    void namesTheRightUseOfAMisusedCommand(String line) {
        assertInstanceOf(Pop3Command.Misused.class, Pop3Command.parse(line.getBytes(ISO_8859_1)));
    }

    @Test
    void keepsSpacesOfAPassword() {
        Pop3Command pass = Pop3Command.parse("PASS  a b ".getBytes(ISO_8859_1));
        assertArrayEquals(
                " a b ".getBytes(ISO_8859_1),
                assertInstanceOf(Pop3Command.Pass.class, pass).password());
    }

    @Test
    void takesALoginWithoutTheSpacesAroundIt() {
        Pop3Command user = Pop3Command.parse("USER bob@example.org ".getBytes(ISO_8859_1));
        assertArrayEquals(
                "bob@example.org".getBytes(ISO_8859_1),
                assertInstanceOf(Pop3Command.User.class, user).login());
    }

    /// Row S29: no secret in a text that may be logged.
    @Test
    void hidesSecretsFromToString() {
        assertFalse(
                Pop3Command.parse("PASS secret".getBytes(ISO_8859_1))
                        .toString()
                        .contains("secret"));
        assertFalse(
                Pop3Command.parse("AUTH PLAIN c2VjcmV0".getBytes(ISO_8859_1))
                        .toString()
                        .contains("c2Vj"));
    }
}
