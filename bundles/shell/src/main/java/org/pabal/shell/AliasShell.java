package org.pabal.shell;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.directory.Alias;
import org.pabal.directory.DirectoryEditor;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// `alias:…`: addresses whose mail goes to others.
@Component(
        service = AliasShell.class,
        property = {
            "osgi.command.scope=alias",
            "osgi.command.function=add",
            "osgi.command.function=remove",
            "osgi.command.function=list"
        })
public final class AliasShell {

    private final DirectoryEditor editor;

    @Activate
    public AliasShell(@Reference DirectoryEditor editor) {
        this.editor = editor;
    }

    @Descriptor(
            "Sends an address's mail to others; replaces what it was before. Example: alias:add"
                    + " sales@example.org alice@example.org bob@example.org")
    public void add(
            @Descriptor("an address of one of our domains") String from,
            @Descriptor("one or more addresses, here or elsewhere") String... to)
            throws IOException {
        if (to.length == 0) {
            throw new IllegalArgumentException(
                    "alias:add: expected where to, for example alias:add "
                            + from
                            + " bob@example.org");
        }
        editor.addAlias(
                AccountShell.address(from), Arrays.stream(to).map(AccountShell::address).toList());
    }

    @Descriptor("Removes an alias. Example: alias:remove sales@example.org")
    public void remove(@Descriptor("its address") String from) throws IOException {
        editor.removeAlias(AccountShell.address(from));
    }

    @Descriptor("Lists the aliases and where they lead. Example: alias:list")
    public List<String> list() throws IOException {
        try (Stream<Alias> aliases = editor.aliases()) {
            return aliases.map(AliasShell::line).toList();
        }
    }

    private static String line(Alias alias) {
        return alias.from()
                + " "
                + alias.to().stream().map(MailAddress::toString).collect(Collectors.joining(" "));
    }
}
