package org.pabal.storage.file;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mailbox.MailboxStore;
import org.pabal.testkit.MailboxStoreContract;
import org.pabal.testkit.MovableClock;

import java.nio.file.Path;
import java.util.Optional;

class FileMailboxStoreTest implements MailboxStoreContract {

    @TempDir Path folder;
    private final MovableClock clock = new MovableClock(NOON);
    private MailFiles files;

    @Override
    public MailboxStore store() throws Exception {
        files = MailFilesFixture.open(folder, clock);
        return files.mailboxes();
    }

    @Override
    public Optional<MailboxStore> reopened() throws Exception {
        files.close();
        return Optional.of(store());
    }

    @AfterEach
    void close() throws Exception {
        files.close();
    }
}
