package org.pabal.dns.policy;

import org.slf4j.Logger;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Says who was told what, some lines a minute and no more: clients must not fill the disk.
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

    void say(Supplier<String> line) {
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
            log.info("{} lines like the next were left out", before);
        }
        log.info("{}", line.get());
    }
}
