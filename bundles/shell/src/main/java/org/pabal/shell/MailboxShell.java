package org.pabal.shell;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.directory.Account;
import org.pabal.directory.Directory;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.MailboxStore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `mailbox:…`: mail at rest, in numbers.
@Component(
        service = MailboxShell.class,
        property = {"osgi.command.scope=mailbox", "osgi.command.function=list"})
public final class MailboxShell {

    private final Directory directory;
    private final MailboxStore store;

    @Activate
    public MailboxShell(@Reference Directory directory, @Reference MailboxStore store) {
        this.directory = directory;
        this.store = store;
    }

    @Descriptor(
            "Lists an account's mailboxes with what is in them. Example: mailbox:list"
                    + " bob@example.org")
    public List<String> list(@Descriptor("the account's address") String address)
            throws IOException {
        Account account =
                directory
                        .account(AccountShell.address(address).toString())
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                address
                                                        + ": no such account; account:list shows"
                                                        + " all"));
        List<String> lines = new ArrayList<>();
        for (String path : store.list(account.address())) {
            Optional<Mailbox> mailbox = store.open(account.address(), path);
            if (mailbox.isPresent()) {
                MailboxStatus status = mailbox.get().status();
                lines.add(
                        "%s  %d messages, %d unseen, %d octets"
                                .formatted(
                                        path, status.messages(), status.unseen(), status.octets()));
            }
        }
        return lines;
    }
}
