package org.pabal.dns.authoritative;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.dns.ZoneKey;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The shell commands of scope `zone` that are about keys.
@Component(
        service = SigningShell.class,
        property = {
            "osgi.command.scope=zone",
            "osgi.command.function=ds",
            "osgi.command.function=keys",
            "osgi.command.function=roll"
        })
public final class SigningShell {

    private final SigningKeeper keeper;

    @Activate
    public SigningShell(@Reference AuthoritativeServer server) {
        this(server.keeper());
    }

    SigningShell(SigningKeeper keeper) {
        this.keeper = keeper;
    }

    @Descriptor(
            "Prints the DS records that the parent of a signed zone has to have, and how far that"
                    + " is. Example: zone:ds example.org")
    public List<String> ds(@Descriptor("the zone, e.g. example.org") String origin) {
        Name name = name(origin);
        List<String> lines = new ArrayList<>();
        for (DSRecord ds : keeper.submitted(name)) {
            lines.add(name + " " + ds.getTTL() + " IN DS " + ds.rdataToString());
        }
        states(name).stream()
                .filter(each -> each.key().signsKeys())
                .forEach(each -> lines.add("; " + line(each)));
        return lines;
    }

    @Descriptor(
            "Tells that the parent has been seen to have the DS of a zone, or to have none."
                    + " Example: zone:ds example.org seen")
    public List<String> ds(
            @Descriptor("the zone, e.g. example.org") String origin,
            @Descriptor("seen or none") String word)
            throws IOException {
        boolean none =
                switch (word.toLowerCase(Locale.ROOT)) {
                    case "seen" -> false;
                    case "none" -> true;
                    default ->
                            throw new IllegalArgumentException(
                                    word
                                            + ": expected seen or none, for example zone:ds "
                                            + origin
                                            + " seen");
                };
        keeper.seen(name(origin), none);
        return keys(origin);
    }

    @Descriptor("Lists the keys of a zone with what they do. Example: zone:keys example.org")
    public List<String> keys(@Descriptor("the zone, e.g. example.org") String origin) {
        return states(name(origin)).stream().map(SigningShell::line).toList();
    }

    @Descriptor(
            "Makes a successor of a zone's key, which takes over when everybody has it. Example:"
                    + " zone:roll example.org zsk")
    public String roll(
            @Descriptor("the zone, e.g. example.org") String origin,
            @Descriptor("ksk or zsk") String which)
            throws IOException {
        boolean signsKeys =
                switch (which.toLowerCase(Locale.ROOT)) {
                    case "ksk" -> true;
                    case "zsk" -> false;
                    default ->
                            throw new IllegalArgumentException(
                                    which
                                            + ": expected ksk or zsk, for example zone:roll "
                                            + origin
                                            + " zsk");
                };
        ZoneKey next = keeper.roll(name(origin), signsKeys);
        return next + " is made; zone:keys " + origin + " tells how far it is";
    }

    private List<SigningKeeper.KeyState> states(Name origin) {
        List<SigningKeeper.KeyState> states = keeper.states(origin);
        if (states.isEmpty()) {
            throw new IllegalArgumentException(
                    "zone "
                            + origin
                            + ": is not signed here; expected sign = yes in"
                            + " etc/org.pabal.zone~NAME.cfg");
        }
        return states;
    }

    private static String line(SigningKeeper.KeyState each) {
        ZoneKey key = each.key();
        return (key.signsKeys() ? "ksk " : "zsk ")
                + key.tag()
                + " "
                + DNSSEC.Algorithm.string(key.algorithm())
                + " "
                + each.state().word()
                + "; "
                + each.state().until().map(at -> "at " + at + " ").orElse("next ")
                + each.state().then();
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    text + ": expected the name of a zone, for example example.org", e);
        }
    }
}
