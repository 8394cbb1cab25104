package org.pabal.transport;

import java.util.List;
import java.util.stream.IntStream;

/// A table of text: each column as wide as its widest cell, two spaces between.
final class Columns {

    private Columns() {}

    static List<String> lines(List<String[]> rows) {
        int[] widths =
                IntStream.range(0, rows.getFirst().length)
                        .map(
                                column ->
                                        rows.stream()
                                                .mapToInt(row -> row[column].length())
                                                .max()
                                                .orElse(0))
                        .toArray();
        return rows.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(String[] row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < row.length; column++) {
            line.append(row[column]).repeat(' ', widths[column] - row[column].length() + 2);
        }
        return line.toString().stripTrailing();
    }
}
