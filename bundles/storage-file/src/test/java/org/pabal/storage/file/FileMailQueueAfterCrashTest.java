package org.pabal.storage.file;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mail.MailQueue;
import org.pabal.testkit.MailQueueContract;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;

/// The same contract when a restart is a crash and everything comes out of the journal again.
class FileMailQueueAfterCrashTest implements MailQueueContract {

    @TempDir Path folder;
    private MailFiles files;
    private InstantSource clock;

    @Override
    public MailQueue queue(InstantSource from) throws Exception {
        clock = from;
        files = MailFilesFixture.open(folder, clock);
        return files.queue();
    }

    @Override
    public Optional<MailQueue> reopened() throws Exception {
        files.journal()
                .awaitAll(); // settlements may be lost in a crash, and this test asks for them
        files.crash();
        return Optional.of(queue(clock));
    }

    @AfterEach
    void close() throws Exception {
        files.close();
    }
}
