package org.pabal.smtp;

import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// The date of RFC 5322 §3.3, in UTC. It is written once a second, however many messages come in
/// that second.
final class MailDate {

    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC);

    private record Written(long second, String text) {}

    private final InstantSource clock;
    private volatile Written last = new Written(Long.MIN_VALUE, "");

    MailDate(InstantSource clock) {
        this.clock = clock;
    }

    Instant instant() {
        return clock.instant();
    }

    long second() {
        return clock.instant().getEpochSecond();
    }

    String now() {
        long second = second();
        Written written = last;
        if (written.second != second) {
            written = new Written(second, FORMAT.format(Instant.ofEpochSecond(second)));
            last = written;
        }
        return written.text;
    }
}
