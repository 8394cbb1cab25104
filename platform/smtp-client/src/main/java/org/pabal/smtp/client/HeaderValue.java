package org.pabal.smtp.client;

import java.util.Locale;
import java.util.Optional;

/// Reads the value of a structured MIME field word by word, RFC 2045 §5.1. Reads on where it can:
/// what stands in a header need not be right.
final class HeaderValue {

    private static final int MAX_PARAMETERS = 100;

    private final String text;
    private int at;

    HeaderValue(String text) {
        this.text = text;
    }

    /// The next token in lower case, empty when there is none.
    String token() {
        skip();
        int start = at;
        while (at < text.length() && tokenCharacter(text.charAt(at))) {
            at++;
        }
        return text.substring(start, at).toLowerCase(Locale.ROOT);
    }

    /// Whether this character is next; then it is read.
    boolean take(char c) {
        skip();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    /// The value of a parameter; to be asked after type and subtype.
    Optional<String> parameter(String name) {
        for (int i = 0; i < MAX_PARAMETERS && toParameter(); i++) {
            String found = token();
            if (take('=')) {
                String value = take('"') ? quoted() : bare();
                if (found.equals(name)) {
                    return Optional.of(value);
                }
            }
        }
        return Optional.empty();
    }

    private boolean toParameter() {
        while (at < text.length()) {
            if (take(';')) {
                return true;
            }
            if (take('"')) {
                quoted();
            } else {
                at++;
            }
        }
        return false;
    }

    private String quoted() {
        StringBuilder value = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at++);
            if (c == '\\' && at < text.length()) {
                c = text.charAt(at++);
            }
            if (c != '\r' && c != '\n') {
                value.append(c);
            }
        }
        at++;
        return value.toString();
    }

    // many write a value with `=` or `/` in it without the quotes that RFC 2045 §5.1 asks for
    private String bare() {
        skip();
        int start = at;
        while (at < text.length() && " \t\r\n;(\"".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        return text.substring(start, at);
    }

    /// Blanks, line ends and comments, which nest (RFC 5322 §3.2.2).
    private void skip() {
        int depth = 0;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '(') {
                depth++;
            } else if (depth > 0 && c == ')') {
                depth--;
            } else if (depth > 0 && c == '\\') {
                at++;
            } else if (depth == 0 && " \t\r\n".indexOf(c) < 0) {
                return;
            }
        }
    }

    private static boolean tokenCharacter(char c) {
        return c > ' ' && c < 127 && "()<>@,;:\\\"/[]?=".indexOf(c) < 0;
    }
}
