package org.pabal.dns.policy;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The shell commands of scope `policy`.
@Component(
        service = PolicyShell.class,
        property = {
            "osgi.command.scope=policy",
            "osgi.command.function=list",
            "osgi.command.function=explain"
        })
public final class PolicyShell {

    private final List<RunningPolicy> policies = new CopyOnWriteArrayList<>();

    @Activate
    public PolicyShell() {
        // policies come and go
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindPolicy(ConfiguredPolicy configured) {
        add(configured.policy());
    }

    public void unbindPolicy(ConfiguredPolicy configured) {
        policies.remove(configured.policy());
    }

    void add(RunningPolicy policy) {
        policies.add(policy);
    }

    @Descriptor(
            "Lists the response policies in the order in which they are asked, and what they did"
                    + " since they started. Example: policy:list")
    public List<String> list() {
        List<String> lines = ordered().stream().map(RunningPolicy::line).toList();
        return lines.isEmpty()
                ? List.of("no policies; a file etc/org.pabal.dns.policy~NAME.cfg makes one")
                : lines;
    }

    @Descriptor(
            "Tells what each policy says of a name's addresses; the first line counts. Example:"
                    + " policy:explain ads.example.org")
    public List<String> explain(@Descriptor("a name, e.g. ads.example.org") String name) {
        return explain(name, "A");
    }

    @Descriptor(
            "Tells what each policy says of a name and type; the first line counts. Example:"
                    + " policy:explain ads.example.org MX")
    public List<String> explain(
            @Descriptor("a name, e.g. ads.example.org") String name,
            @Descriptor("a record type, e.g. MX") String type) {
        return explain(name, type, "127.0.0.1");
    }

    @Descriptor(
            "Tells what each policy says when one client asks; the first line counts. Example:"
                    + " policy:explain ads.example.org A 192.0.2.7")
    public List<String> explain(
            @Descriptor("a name, e.g. ads.example.org") String name,
            @Descriptor("a record type, e.g. MX") String type,
            @Descriptor("the client's address, e.g. 192.0.2.7") String client) {
        Name asked = name(name);
        int number = type(type);
        InetAddress address = address(client);
        List<String> lines = new ArrayList<>();
        for (RunningPolicy policy : ordered()) {
            policy.explain(asked, number, address).ifPresent(lines::add);
        }
        return lines.isEmpty() ? List.of("no policy says anything of " + asked) : lines;
    }

    private List<RunningPolicy> ordered() {
        return policies.stream()
                .sorted(
                        Comparator.comparingInt(RunningPolicy::order)
                                .thenComparing(RunningPolicy::name))
                .toList();
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    text + ": expected a name, for example ads.example.org", e);
        }
    }

    private static int type(String text) {
        int type = Type.value(text, true);
        if (type < 0) {
            throw new IllegalArgumentException(
                    text + ": expected a record type, for example A, MX or TYPE65");
        }
        return type;
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.ofLiteral(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    text + ": expected an address, for example 192.0.2.7", e);
        }
    }
}
