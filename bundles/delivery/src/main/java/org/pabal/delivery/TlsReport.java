package org.pabal.delivery;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/// Tells a domain how TLS with its hosts went for a day: JSON of RFC 8460 §4.4, compressed (§5.2),
/// and the message that brings it (§5.3).
///
/// @param domain the policy domain, as it stands in DNS
/// @param day of UTC
record TlsReport(
        Writer writer, String domain, LocalDate day, Map<TlsPolicy, TlsCounts.Sessions> policies) {

    static final String MEDIA_TYPE = "application/tlsrpt+gzip";

    /// By its envelope a message is known as a report: how TLS with such a one went is not to be
    /// reported again (RFC 8460 §3), nor may a policy keep it from arriving.
    private static final String ENVID = "tlsrpt-";

    /// Who reports.
    ///
    /// @param organization a name for people
    /// @param host of this server
    /// @param domain who sends reports, and whose name stands in them
    /// @param contact an address for those who have a question
    /// @param address that mail goes out from; empty when it is left to the system
    record Writer(
            String organization,
            String host,
            String domain,
            MailAddress contact,
            Optional<String> address) {}

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(76, new byte[] {'\r', '\n'});

    TlsReport {
        policies = Map.copyOf(policies);
    }

    /// Whether a message is a report on TLS of ours.
    static boolean isOne(Envelope envelope) {
        return envelope.sender().isEmpty()
                && envelope.parameters().getOrDefault("ENVID", "").startsWith(ENVID);
    }

    /// The same each time it is made: who gets a report twice can tell.
    String id() {
        return day + "." + domain + "@" + writer.host;
    }

    // RFC 8460 §4.4
    String json() {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("organization-name", writer.organization);
        Map<String, Object> range = new LinkedHashMap<>();
        range.put("start-datetime", start().toString());
        range.put("end-datetime", end().toString());
        report.put("date-range", range);
        report.put("contact-info", writer.contact.toString());
        report.put("report-id", id());
        report.put(
                "policies",
                policies.entrySet().stream()
                        .sorted(
                                Comparator.comparing(
                                        entry ->
                                                entry.getKey().type()
                                                        + String.join(" ", entry.getKey().lines())))
                        .map(entry -> policy(entry.getKey(), entry.getValue()))
                        .toList());
        StringBuilder json = new StringBuilder();
        write(json, report, "\n");
        return json.append('\n').toString();
    }

    private Map<String, Object> policy(TlsPolicy policy, TlsCounts.Sessions sessions) {
        Map<String, Object> what = new LinkedHashMap<>();
        what.put("policy-type", policy.type());
        if (!policy.lines().isEmpty()) {
            what.put("policy-string", policy.lines());
        }
        what.put("policy-domain", domain);
        if (!policy.hosts().isEmpty()) {
            what.put("mx-host", policy.hosts());
        }
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("total-successful-session-count", sessions.successes());
        summary.put("total-failure-session-count", sessions.failures());
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("policy", what);
        all.put("summary", summary);
        if (sessions.failures() > 0) {
            all.put("failure-details", failures(sessions));
        }
        return all;
    }

    private List<Map<String, Object>> failures(TlsCounts.Sessions sessions) {
        List<Map<String, Object>> failures = new ArrayList<>();
        sessions.details().entrySet().stream()
                .sorted(
                        Map.Entry.<TlsCounts.Failure, Long>comparingByValue()
                                .reversed()
                                .thenComparing(entry -> entry.getKey().toString()))
                .forEach(
                        entry -> {
                            TlsCounts.Failure failure = entry.getKey();
                            Map<String, Object> one = new LinkedHashMap<>();
                            one.put("result-type", failure.result().word());
                            writer.address.ifPresent(ip -> one.put("sending-mta-ip", ip));
                            putUnlessEmpty(one, "receiving-mx-hostname", failure.host());
                            putUnlessEmpty(one, "receiving-ip", failure.address());
                            one.put("failed-session-count", entry.getValue());
                            putUnlessEmpty(one, "failure-reason-code", failure.detail());
                            failures.add(one);
                        });
        return failures;
    }

    private static void putUnlessEmpty(Map<String, Object> members, String name, String value) {
        if (!value.isEmpty()) {
            members.put(name, value);
        }
    }

    /// RFC 8259, as much of it as a report is made of.
    private static void write(StringBuilder json, Object value, String indent) {
        String deeper = indent + "  ";
        switch (value) {
            case Map<?, ?> members -> {
                json.append('{');
                String comma = deeper;
                for (Map.Entry<?, ?> member : members.entrySet()) {
                    string(json.append(comma), String.valueOf(member.getKey())).append(": ");
                    write(json, member.getValue(), deeper);
                    comma = "," + deeper;
                }
                json.append(indent).append('}');
            }
            case List<?> elements -> {
                json.append('[');
                String comma = deeper;
                for (Object element : elements) {
                    write(json.append(comma), element, deeper);
                    comma = "," + deeper;
                }
                json.append(indent).append(']');
            }
            case Number number -> json.append(number);
            default -> string(json, value.toString());
        }
    }

    /// Printable ASCII as it is and everything else as `\\uXXXX`, half surrogate pairs included.
    private static StringBuilder string(StringBuilder json, String text) {
        json.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c >= ' ' && c < 127) {
                json.append(c);
            } else {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            }
        }
        return json.append('"');
    }

    /// What is sent: JSON, compressed.
    byte[] compressed() {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(octets)) {
            gzip.write(json().getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("memory fails", e);
        }
        return octets.toByteArray();
    }

    /// From nobody: that a report cannot be delivered is nobody's concern but the domain's, and
    /// must not bring another report.
    Envelope envelope(MailAddress to) {
        return new Envelope(
                Optional.empty(),
                Map.of("ENVID", ENVID + day),
                List.of(new Recipient(to, Map.of("NOTIFY", "NEVER"))));
    }

    /// Writes the message, RFC 8460 §5.3.
    void write(OutputStream out, MailAddress to, QueueId id, Instant now, String boundary)
            throws IOException {
        StringBuilder text = new StringBuilder();
        line(text, "From: TLS reports <" + writer.contact + ">");
        line(text, "To: <" + to + ">");
        line(text, "Subject: Report Domain: " + domain);
        line(text, " Submitter: " + writer.domain);
        line(text, " Report-ID: <" + id() + ">");
        line(text, "Date: " + DATE.format(now));
        line(text, "Message-ID: <" + id + ".tlsrpt@" + writer.host + ">");
        line(text, "TLS-Report-Domain: " + domain);
        line(text, "TLS-Report-Submitter: " + writer.domain);
        // RFC 8689 §3: a report on broken TLS has to get through broken TLS
        line(text, "TLS-Required: No");
        line(text, "Auto-Submitted: auto-generated");
        line(text, "MIME-Version: 1.0");
        line(text, "Content-Type: multipart/report; report-type=\"tlsrpt\";");
        line(text, "\tboundary=\"" + boundary + "\"");
        line(text, "");
        line(text, "--" + boundary);
        line(text, "Content-Type: text/plain; charset=us-ascii");
        line(text, "Content-Transfer-Encoding: 7bit");
        line(text, "");
        line(text, "This is an aggregate TLS report from " + writer.domain);
        line(text, "on sessions with " + domain);
        line(text, "from " + start() + " to " + end() + ".");
        line(text, "");
        line(text, "--" + boundary);
        line(text, "Content-Type: " + MEDIA_TYPE);
        line(text, "Content-Transfer-Encoding: base64");
        line(text, "Content-Disposition: attachment;");
        line(text, "\tfilename=\"" + fileName() + "\"");
        line(text, "");
        line(text, BASE64.encodeToString(compressed()));
        line(text, "--" + boundary + "--");
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    // RFC 8460 §5.1
    String fileName() {
        return writer.domain
                + "!"
                + domain
                + "!"
                + start().getEpochSecond()
                + "!"
                + end().getEpochSecond()
                + ".json.gz";
    }

    private Instant start() {
        return day.atStartOfDay(ZoneOffset.UTC).toInstant();
    }

    private Instant end() {
        return day.atTime(LocalTime.of(23, 59, 59)).toInstant(ZoneOffset.UTC);
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append("\r\n");
    }
}
