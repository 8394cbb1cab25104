package org.pabal.storage.file;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.pabal.directory.Directory;
import org.pabal.directory.DirectoryEditor;
import org.pabal.directory.SignInLimits;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Offers accounts in files to the house: [Directory], [DirectoryEditor], and the [SignInLimits]
/// that all protocols share.
@Component(
        service = {},
        immediate = true,
        configurationPid = FileStorage.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class FileAccounts {

    private static final int SECRET_OCTETS = 32;

    private final FileDirectory directory;
    private final List<ServiceRegistration<?>> registrations;

    @Activate
    public FileAccounts(
            BundleContext context, Map<String, Object> properties, @Reference InstantSource clock) {
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        StorageSettings settings = StorageSettings.of(properties, home);
        Path accounts = settings.directory().resolve("accounts");
        String domain =
                Optional.ofNullable(context.getProperty("pabal.domain")).orElse("localhost");
        SignInLimits limits;
        try {
            directory = new FileDirectory(accounts, domain, clock, settings.subaddressSeparator());
            limits = new SignInLimits(clock, secret(accounts.resolve("secret"), new Disk()));
        } catch (IOException e) {
            throw settings.unusable(e);
        }
        Dictionary<String, Object> none = new Hashtable<>();
        String[] both = {Directory.class.getName(), DirectoryEditor.class.getName()};
        registrations =
                List.of(
                        context.registerService(SignInLimits.class, limits, none),
                        context.registerService(both, directory, none));
    }

    @Deactivate
    public void stop() {
        registrations.reversed().forEach(ServiceRegistration::unregister);
        directory.close();
    }

    /// The node's own secret, made at the first start.
    static byte[] secret(Path file, Disk disk) throws IOException {
        if (Files.exists(file) && Files.size(file) == SECRET_OCTETS) {
            return Files.readAllBytes(file);
        }
        byte[] secret = new byte[SECRET_OCTETS];
        new SecureRandom().nextBytes(secret);
        disk.replace(file, secret);
        return secret;
    }
}
