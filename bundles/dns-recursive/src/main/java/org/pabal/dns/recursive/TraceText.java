package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A walk as a person reads it and as a program does.
///
/// ```
///   1  mail.naver.test. A?
/// 2-3  asked .            (a.root. 127.0.0.2)         for test. A             → referral to test., 1 name server  0.9 ms
/// 4-5  asked test.        (ns.test. 127.0.0.3)        for naver.test. A       → referral to naver.test., …        1.1 ms
/// 6-7  asked naver.test.  (ns.naver.test. 127.0.0.4)  for mail.naver.test. A  → answer, 1 record                  0.8 ms
///   8  mail.naver.test. A: NOERROR, unchecked; 3 queries, 3.1 ms
/// ```
///
/// Numbered as the lecture draws it: each message is a step, so that the first is the client's
/// question, the last our answer to it, and who is asked and replies takes two of them. What the
/// cache knows and what DNSSEC proves has no number.
///
/// @param took of the whole
record TraceText(Question question, List<Step> steps, Answer answer, Duration took) {

    private static final String GAP = "  ";
    private static final int MAX_DETAIL = 200;

    TraceText {
        steps = List.copyOf(steps);
    }

    /// Where a step had its knowledge from.
    private enum From {
        WIRE,
        CACHE,
        HERE;

        static From of(Step step) {
            if (step.whom().equals("cache")) {
                return CACHE;
            }
            String[] words = step.whom().split(" ");
            String address = words[words.length - 1].replaceFirst("@\\d+$", "");
            try {
                InetAddress.ofLiteral(address);
                return WIRE;
            } catch (IllegalArgumentException e) {
                return HERE;
            }
        }
    }

    /// The question, a line for each step, in columns, and behind them what came of it.
    List<String> lines() {
        List<String[]> rows = new ArrayList<>();
        int messages = 1;
        for (Step step : steps) {
            int before = messages;
            messages += messages(step);
            rows.add(
                    new String[] {
                        switch (messages - before) {
                            case 0 -> "";
                            case 1 -> messages + "";
                            default -> before + 1 + "-" + messages;
                        },
                        verb(step) + ' ' + step.zone(),
                        From.of(step) == From.WIRE ? '(' + step.whom() + ')' : "",
                        "for " + step.question(),
                        "→ " + result(step),
                        step.took().isZero() ? "" : milliseconds(step.took()) + " ms"
                    });
        }
        int width = rows.stream().mapToInt(row -> row[0].length()).max().orElse(1);
        width = Math.max(width, (messages + 1 + "").length());
        List<String> lines = new ArrayList<>();
        lines.add(" ".repeat(width - 1) + "1" + GAP + question + "?");
        lines.addAll(columns(rows, width));
        String last = messages + 1 + "";
        lines.add(" ".repeat(width - last.length()) + last + GAP + summary());
        answerRecords().forEach(lines::add);
        return lines;
    }

    /// There and back, or there alone; none for what we know or think.
    private static int messages(Step step) {
        if (From.of(step) != From.WIRE) {
            return 0;
        }
        return step.what() == Step.What.SILENCE ? 1 : 2;
    }

    /// @param first the width of the first column at least
    private static List<String> columns(List<String[]> rows, int first) {
        int columns = 6;
        int[] widths = new int[columns];
        widths[0] = first;
        for (String[] row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                if (widths[i] == 0) {
                    continue;
                }
                String room = " ".repeat(widths[i] - row[i].length());
                boolean number = i == 0 || i == columns - 1;
                line.append(line.isEmpty() ? "" : GAP);
                line.append(number ? room + row[i] : row[i] + room);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static String verb(Step step) {
        return switch (From.of(step)) {
            case WIRE -> "asked";
            case CACHE -> "cache";
            case HERE -> {
                // a zone of our own names itself
                String whom = step.whom();
                String zone = " " + step.zone();
                yield whom.endsWith(zone) ? whom.substring(0, whom.length() - zone.length()) : whom;
            }
        };
    }

    private static String result(Step step) {
        String detail = brief(step.detail());
        if (detail.isEmpty()) {
            return word(step.what());
        }
        boolean goesOn = detail.startsWith("to ") || detail.startsWith("of ");
        boolean why =
                switch (step.what()) {
                    case UNUSABLE, SILENCE, FAILURE, VALIDATED -> true;
                    default -> false;
                };
        return word(step.what()) + (goesOn ? " " : why ? ": " : ", ") + detail;
    }

    private static String word(Step.What what) {
        return switch (what) {
            case ANSWER -> "answer";
            case REFERRAL -> "referral";
            case ALIAS -> "alias";
            case NO_RECORD -> "no such record";
            case NO_NAME -> "no such name";
            case UNUSABLE -> "unusable";
            case SILENCE -> "silence";
            case FAILURE -> "failure";
            case VALIDATED -> "validated";
        };
    }

    private String summary() {
        long asked = steps.stream().filter(step -> From.of(step) == From.WIRE).count();
        return question
                + ": "
                + status()
                + ", "
                + security()
                + (answer.stale() ? ", stale" : "")
                + answer.reason().map(reason -> ", " + brief(reason.text())).orElse("")
                + "; "
                + asked
                + (asked == 1 ? " query, " : " queries, ")
                + milliseconds(took)
                + " ms";
    }

    private String status() {
        return Rcode.string(answer.rcode());
    }

    private String security() {
        return answer.security().name().toLowerCase(Locale.ROOT);
    }

    private List<String> answerRecords() {
        return text(answer.records());
    }

    /// Records as a master file has them, each in one line.
    static List<String> text(List<RRset> sets) {
        List<String> lines = new ArrayList<>();
        for (RRset set : sets) {
            for (Record record : set.rrs(false)) {
                lines.add(plain(record.toString().replaceAll("\\s+", " ")));
            }
        }
        return lines;
    }

    private static String milliseconds(Duration took) {
        return String.format(Locale.ROOT, "%.1f", took.toNanos() / 1e6);
    }

    /// What servers say must not move the cursor of who reads it.
    static String plain(String text) {
        return text.replaceAll("[\\p{Cntrl}\\p{Cf}\u2028\u2029]", "?");
    }

    private static String brief(String text) {
        String plain = plain(text);
        return plain.length() > MAX_DETAIL ? plain.substring(0, MAX_DETAIL) + "…" : plain;
    }

    /// The same as one JSON object (RFC 8259), a line for each step.
    String json() {
        StringBuilder json = new StringBuilder("{");
        named(json, question).append(',');
        member(json, "status", status()).append(',');
        member(json, "security", security()).append(',');
        key(json, "stale").append(answer.stale()).append(',');
        answer.reason()
                .ifPresent(
                        reason -> {
                            key(json, "reason").append('{');
                            key(json, "code").append(reason.code()).append(',');
                            member(json, "text", reason.text()).append("},");
                        });
        key(json, "milliseconds").append(milliseconds(took)).append(",\n");
        key(json, "steps").append('[');
        for (int i = 0; i < steps.size(); i++) {
            step(json.append(i == 0 ? "\n" : ",\n"), i + 1, steps.get(i));
        }
        json.append("],\n");
        key(json, "answer").append('[');
        String comma = "";
        for (RRset set : answer.records()) {
            for (Record each : set.rrs(false)) {
                record(json.append(comma), each);
                comma = ",";
            }
        }
        return json.append("]}").toString();
    }

    private static void step(StringBuilder json, int number, Step step) {
        json.append(" {");
        key(json, "step").append(number).append(',');
        member(json, "from", From.of(step).name().toLowerCase(Locale.ROOT)).append(',');
        member(json, "whom", step.whom()).append(',');
        member(json, "zone", step.zone().toString()).append(',');
        named(json, step.question()).append(',');
        member(json, "result", word(step.what())).append(',');
        member(json, "detail", step.detail()).append(',');
        key(json, "milliseconds").append(milliseconds(step.took())).append('}');
    }

    private static void record(StringBuilder json, Record record) {
        json.append("\n {");
        named(json, new Question(record.getName(), record.getType())).append(',');
        key(json, "ttl").append(record.getTTL()).append(',');
        member(json, "data", record.rdataToString()).append('}');
    }

    private static StringBuilder named(StringBuilder json, Question question) {
        Name name = question.name();
        member(json, "name", name.toString()).append(',');
        return member(json, "type", Type.string(question.type()));
    }

    private static StringBuilder member(StringBuilder json, String key, String value) {
        return quoted(key(json, key), value);
    }

    private static StringBuilder key(StringBuilder json, String key) {
        return quoted(json, key).append(':');
    }

    /// RFC 8259 §7; what is not ASCII, and what a terminal or a page could take for more than text,
    /// is escaped too.
    private static StringBuilder quoted(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || c > '~' || c == '<') {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"');
    }
}
