package org.pabal.dns.authoritative;

import org.slf4j.Logger;

import java.util.concurrent.TimeUnit;

/// Says who was refused what, some lines a minute and no more: whoever is refused must not fill the
/// disk by trying again.
final class SparingLog {

    private static final int LINES = 30;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Logger log;

    /// These are guarded by this object.
    private long minuteStart = System.nanoTime();

    private int said;
    private long silenced;

    SparingLog(Logger log) {
        this.log = log;
    }

    void say(String line) {
        long before = 0;
        synchronized (this) {
            long now = System.nanoTime();
            if (now - minuteStart > MINUTE) {
                minuteStart = now;
                said = 0;
                before = silenced;
                silenced = 0;
            }
            if (said == LINES) {
                silenced++;
                return;
            }
            said++;
        }
        if (before > 0) {
            log.warn("dns: {} lines like the next were left out", before);
        }
        log.warn("{}", line);
    }
}
