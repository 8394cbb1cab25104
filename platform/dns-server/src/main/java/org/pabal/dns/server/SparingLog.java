package org.pabal.dns.server;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Says who was refused what, some lines a minute and no more: whoever is refused must not fill the
/// disk by trying again.
public final class SparingLog {

    private static final int LINES = 30;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Consumer<String> log;

    /// These are guarded by this object.
    private long minuteStart = System.nanoTime();

    private int said;
    private long silenced;

    public SparingLog(Consumer<String> log) {
        this.log = log;
    }

    public void say(String line) {
        say(() -> line);
    }

    /// @param line is not made when it is not said
    public void say(Supplier<String> line) {
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
            log.accept("dns: " + before + " lines like the next were left out");
        }
        log.accept(line.get());
    }
}
