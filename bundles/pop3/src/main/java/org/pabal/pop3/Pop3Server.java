package org.pabal.pop3;

import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.pabal.directory.Directory;
import org.pabal.directory.Sasl;
import org.pabal.directory.SignInLimits;
import org.pabal.mailbox.MailboxStore;
import org.pabal.protocol.Connection;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.Settings;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/// The doorway: knows OSGi and the settings, and gives each connection a [Pop3Session].
@Component(
        service = StreamProtocol.class,
        configurationPid = "org.pabal.pop3",
        configurationPolicy = ConfigurationPolicy.REQUIRE,
        property = {StreamProtocol.NAME + "=pop3", StreamProtocol.GOODBYE + "=-ERR [SYS/TEMP] {}"})
public final class Pop3Server implements StreamProtocol {

    private final Pop3Rules rules;
    private final Sasl sasl;
    private final Maildrops maildrops;
    private final Optional<Expiry> expiry;

    @Activate
    public Pop3Server(
            BundleContext context,
            @Reference Directory directory,
            @Reference SignInLimits limits,
            @Reference MailboxStore mailboxes,
            @Reference InstantSource clock,
            Map<String, Object> properties) {
        String host = Optional.ofNullable(context.getProperty("pabal.host")).orElse("localhost");
        rules = Pop3Rules.of(Settings.of(properties), host);
        sasl = new Sasl(directory, limits);
        maildrops = new Maildrops(mailboxes, rules.loginDelay(), clock);
        expiry =
                rules.expire()
                        .filter(Duration::isPositive)
                        .map(age -> new Expiry(directory, maildrops, age, clock));
        expiry.ifPresent(Expiry::start);
    }

    @Override
    public void converse(Connection connection) throws IOException {
        new Pop3Session(connection, rules, sasl, maildrops, Thread::sleep).converse();
    }

    @Deactivate
    void stop() {
        expiry.ifPresent(Expiry::close);
    }
}
