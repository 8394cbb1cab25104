package org.pabal.shell;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.directory.Directory;
import org.pabal.directory.DirectoryEditor;
import org.pabal.directory.Domain;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/// `domain:…`: the names that we serve.
@Component(
        service = DomainShell.class,
        property = {
            "osgi.command.scope=domain",
            "osgi.command.function=add",
            "osgi.command.function=remove",
            "osgi.command.function=list"
        })
public final class DomainShell {

    private final Directory directory;
    private final DirectoryEditor editor;

    @Activate
    public DomainShell(@Reference Directory directory, @Reference DirectoryEditor editor) {
        this.directory = directory;
        this.editor = editor;
    }

    @Descriptor("Takes mail for a domain from now on. Example: domain:add example.org")
    public void add(@Descriptor("the domain's name") String domain) throws IOException {
        editor.addDomain(domain);
    }

    @Descriptor(
            "Takes no more mail for a domain; it must have no accounts and aliases. Example:"
                    + " domain:remove example.org")
    public void remove(@Descriptor("the domain's name") String domain) throws IOException {
        editor.removeDomain(domain);
    }

    @Descriptor("Lists our domains. Example: domain:list")
    public List<String> list() throws IOException {
        try (Stream<Domain> domains = directory.domains()) {
            return domains.map(Domain::name).toList();
        }
    }
}
