package org.pabal.storage.file;

import java.nio.charset.StandardCharsets;

/// Words of a line that are parted by one space: spaces, control characters and `%` in them are
/// written as `%` and two hex digits, an empty word as `%`. Everything else stays as it is, so that
/// people can read the files.
final class Words {

    private static final String HEX = "0123456789ABCDEF";

    private Words() {}

    static String word(String text) {
        if (text.isEmpty()) {
            return "%";
        }
        for (int i = 0; i < text.length(); i++) {
            if (special(text.charAt(i))) {
                return escaped(text);
            }
        }
        return text;
    }

    /// @throws IllegalArgumentException when it is no word
    static String text(String word) {
        if (word.indexOf('%') < 0) {
            return word;
        }
        if (word.equals("%")) {
            return "";
        }
        StringBuilder text = new StringBuilder(word.length());
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '%') {
                if (i + 2 >= word.length()) {
                    throw new IllegalArgumentException("word '" + word + "' ends too early");
                }
                c = (char) Integer.parseInt(word, i + 1, i + 3, 16);
                i += 2;
            }
            text.append(c);
        }
        return text.toString();
    }

    static byte[] utf8(CharSequence text) {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static boolean special(char c) {
        return c <= ' ' || c == '%' || c == 127;
    }

    private static String escaped(String text) {
        StringBuilder word = new StringBuilder(text.length() + 8);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (special(c)) {
                word.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            } else {
                word.append(c);
            }
        }
        return word.toString();
    }
}
