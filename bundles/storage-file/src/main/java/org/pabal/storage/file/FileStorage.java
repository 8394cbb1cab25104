package org.pabal.storage.file;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.pabal.mail.MailQueue;
import org.pabal.mailbox.MailboxStore;
import org.pabal.settings.BadSetting;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Offers queue and mailboxes in files to the house: [MailQueue] and [MailboxStore], over one
/// journal.
@Component(
        service = {},
        immediate = true,
        configurationPid = FileStorage.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class FileStorage {

    static final String PID = "org.pabal.storage.file";

    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final MailFiles files;
    private final List<ServiceRegistration<?>> registrations;

    @Activate
    public FileStorage(
            BundleContext context, Map<String, Object> properties, @Reference InstantSource clock) {
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        StorageSettings settings = StorageSettings.of(properties, home);
        String host = Optional.ofNullable(context.getProperty("pabal.host")).orElse("localhost");
        files = open(settings, host, clock);
        Dictionary<String, Object> none = new Hashtable<>();
        registrations =
                List.of(
                        context.registerService(MailboxStore.class, files.mailboxes(), none),
                        context.registerService(MailQueue.class, files.queue(), none));
    }

    static MailFiles open(StorageSettings settings, String host, InstantSource clock) {
        MailFiles.Options options =
                new MailFiles.Options(
                        settings.journalOctets(),
                        settings.minFree(),
                        settings.maxQueue(),
                        host,
                        QUIET_NANOS);
        try {
            return MailFiles.open(
                    settings.directory(), new Disk(), options, clock, new SecureRandom());
        } catch (IOException e) {
            throw new BadSetting(
                    PID
                            + ".cfg: directory = "
                            + settings.directory()
                            + ": "
                            + why(e)
                            + "; expected a directory that this process, and no other, may write,"
                            + " for example directory = /var/lib/pabal");
        }
    }

    private static String why(IOException e) {
        return switch (e) {
            case AccessDeniedException denied -> denied.getFile() + " cannot be written";
            case FileSystemException file when file.getReason() != null ->
                    file.getFile() + ": " + file.getReason();
            case FileSystemException file ->
                    file.getFile() + ": " + file.getClass().getSimpleName();
            default -> String.valueOf(e.getMessage());
        };
    }

    @Deactivate
    public void stop() throws IOException {
        registrations.reversed().forEach(ServiceRegistration::unregister);
        files.close();
    }
}
