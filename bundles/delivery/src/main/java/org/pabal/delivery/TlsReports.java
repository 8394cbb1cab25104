package org.pabal.delivery;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.mail.Draft;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/// Sends domains what was counted of them, once the day is over (RFC 8460 §4.1, §5).
///
/// Has no thread: the owner calls [#due] now and then, on one that may wait. Only who publishes a
/// record gets a report, and that is asked when the report is due. What a crash repeats has the
/// same id and can be told.
final class TlsReports {

    private static final Logger log = LoggerFactory.getLogger(TlsReports.class);

    /// §4.1: not all at midnight, but spread over four hours.
    private static final Duration SPREAD = Duration.ofHours(4);

    /// §5.5: a day of tries, then it is old.
    private static final Duration GIVE_UP = Duration.ofHours(28);

    private static final Duration FIRST_RETRY = Duration.ofMinutes(30);
    private static final Resolution NOBODY = new Resolution.NoSuchName(false);
    private static final int MAX_URIS = 5;
    private static final int MAX_AT_ONCE = 100;

    private final TlsCounts counts;
    private final TlsReport.Writer writer;
    private final MailQueue queue;
    private final Resolver resolver;
    private final WebClient web;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final long seed;

    /// When those that could not be sent are tried again; of the days that are not yet reported.
    private final Map<String, Retry> retries = new HashMap<>();

    private record Retry(Instant next, Duration pause) {}

    TlsReports(
            TlsCounts counts,
            TlsReport.Writer writer,
            MailQueue queue,
            Resolver resolver,
            WebClient web,
            InstantSource clock,
            RandomGenerator random) {
        this.counts = counts;
        this.writer = writer;
        this.queue = queue;
        this.resolver = resolver;
        this.web = web;
        this.clock = clock;
        this.random = random;
        this.seed = random.nextLong();
    }

    /// Sends what is due, a hundred at most, and saves what was counted. To be called each minute
    /// or so; may take minutes when servers are slow.
    ///
    /// @return how many reports went out
    int due(Instant now) {
        int sent = 0;
        int tried = 0;
        for (LocalDate day : counts.days()) {
            Instant end = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
            if (now.isBefore(end)) {
                continue;
            }
            for (String domain : counts.domains(day)) {
                if (Thread.currentThread().isInterrupted() || tried == MAX_AT_ONCE) {
                    break;
                }
                Instant first = end.plus(delay(day, domain));
                Retry retry = retries.getOrDefault(key(day, domain), new Retry(first, FIRST_RETRY));
                if (now.isBefore(retry.next)) {
                    continue;
                }
                tried++;
                if (reported(day, domain)) {
                    sent++;
                    settle(day, domain);
                } else if (!counts.domains(day).contains(domain)) {
                    retries.remove(key(day, domain));
                } else if (now.isAfter(end.plus(GIVE_UP))) {
                    log.warn("TLS report of {} for {}: given up", day, domain);
                    settle(day, domain);
                } else {
                    retries.put(
                            key(day, domain),
                            new Retry(now.plus(retry.pause), retry.pause.multipliedBy(2)));
                }
            }
        }
        counts.save();
        return sent;
    }

    private void settle(LocalDate day, String domain) {
        counts.reported(day, domain);
        retries.remove(key(day, domain));
    }

    /// Whether a report is on its way; when nobody wants it, what was counted is forgotten.
    private boolean reported(LocalDate day, String domain) {
        String ascii = FetchedStsPolicies.ascii(domain).orElse("");
        List<String> uris = List.of();
        switch (ascii.isEmpty() ? NOBODY : resolver.resolve(recordName(ascii), Type.TXT)) {
            case Resolution.Found(var records, boolean _) ->
                    uris = TextRecords.of(records).reportUris();
            case Resolution.NoSuchRecord _, Resolution.NoSuchName _ -> {}
            case Resolution.Unavailable _ -> {
                return false;
            }
        }
        if (uris.isEmpty()) {
            counts.reported(day, domain);
            return false;
        }
        TlsReport report = new TlsReport(writer, ascii, day, counts.sessions(day, domain));
        boolean sent = false;
        for (String uri : uris.subList(0, Math.min(uris.size(), MAX_URIS))) {
            try {
                send(report, uri);
                sent = true;
                log.info("TLS report of {} for {} went to {}", day, domain, plain(uri));
            } catch (IOException | IllegalArgumentException e) {
                log.warn(
                        "TLS report of {} for {} could not go to {}: {}",
                        day,
                        domain,
                        plain(uri),
                        e.getMessage());
            }
        }
        return sent;
    }

    private void send(TlsReport report, String uri) throws IOException {
        if (uri.regionMatches(true, 0, "mailto:", 0, 7)) {
            mail(report, address(uri));
        } else {
            // RFC 8460 §5.4
            WebClient.Answer answer =
                    web.post(URI.create(uri), TlsReport.MEDIA_TYPE, report.compressed());
            if (answer.status() / 100 != 2) {
                throw new IOException("answers " + answer.status());
            }
        }
    }

    private void mail(TlsReport report, MailAddress to) throws IOException {
        try (Draft draft = queue.draft(report.envelope(to))) {
            report.write(draft.body(), to, draft.id(), clock.instant(), boundary());
            draft.commit(List.of());
        }
    }

    /// Of `mailto:`; what a question mark adds is not for us.
    private static MailAddress address(String uri) throws IOException {
        String encoded = uri.substring("mailto:".length()).split("\\?", 2)[0];
        String text = URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
        return MailAddress.parse(text)
                .filter(address -> !address.internationalized())
                .orElseThrow(() -> new IOException("no address that mail could go to"));
    }

    /// The same for a domain and a day as long as the process lives.
    private Duration delay(LocalDate day, String domain) {
        long mixed = (seed ^ domain.hashCode() * 31L + day.toEpochDay()) * 0x9E37_79B9_7F4A_7C15L;
        return Duration.ofSeconds(Math.floorMod(mixed >>> 16, SPREAD.toSeconds()));
    }

    private static Name recordName(String domain) {
        try {
            return Name.fromString("_smtp._tls." + domain + ".");
        } catch (TextParseException e) {
            throw new IllegalStateException(domain + ": was looked at before", e);
        }
    }

    private static String key(LocalDate day, String domain) {
        return day + " " + domain;
    }

    private String boundary() {
        return "=_"
                + Long.toUnsignedString(random.nextLong(), 36)
                + Long.toUnsignedString(random.nextLong(), 36);
    }

    private static String plain(String text) {
        return DeliveryReport.plain(text);
    }
}
