package org.pabal.dns.recursive;

import org.pabal.dns.Authority;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// Finds the way as an administrator has set it.
///
/// Of local names, our own zones, and forward and stub zones the one counts that is closest to the
/// question, and among equals the first in this row: what is nearer at hand is truer. [Special
/// names](SpecialNames) come after all of these but the root: who forwards everything to somebody
/// else does not mean to tell him of `10.in-addr.arpa`; who forwards `in-addr.arpa`, or has it as a
/// zone, does.
///
/// The DS of a zone is at its parent (RFC 4035 §3.1.4.1), and so is the way to it.
final class ConfiguredRoutes implements Routes {

    private static final Route WALK = new Route.Walk();

    /// What local records are for, and what is asked for beside it. What does not exist is found by
    /// any type.
    private static final int[] COMMON = {
        Type.A, Type.AAAA, Type.CNAME, Type.PTR, Type.MX, Type.TXT, Type.SRV, Type.HTTPS
    };

    private static final int MANY = 100;

    private final RouteSettings settings;
    private final Supplier<Optional<Authority>> authority;
    private final LocalFiles local;
    private final LocalNames special;

    /// @param authority of this node, while it has one
    ConfiguredRoutes(RouteSettings settings, Supplier<Optional<Authority>> authority) {
        this(settings, authority, names -> {}, System::nanoTime);
    }

    /// @param changed hears of names whose local records are not what they were, for example
    ///     [#forgetting(Cache)]
    /// @param nanoTime as [System#nanoTime()]
    ConfiguredRoutes(
            RouteSettings settings,
            Supplier<Optional<Authority>> authority,
            Consumer<Set<Name>> changed,
            LongSupplier nanoTime) {
        this.settings = settings;
        this.authority = authority;
        this.local = new LocalFiles(settings, changed, nanoTime);
        this.special = SpecialNames.but(settings.notSpecial());
    }

    /// For names whose local records have changed: makes a cache forget what it has of them, or it
    /// would be told for as long as it lives. To forget something costs as much as the cache is
    /// large, so it looks first whether there is something; for many names it forgets all at once.
    static Consumer<Set<Name>> forgetting(Cache cache) {
        return names -> {
            List<Name> known = names.stream().filter(name -> knows(cache, name)).toList();
            if (known.size() > MANY) {
                cache.flush(Name.root);
            } else {
                known.forEach(cache::flush);
            }
        };
    }

    private static boolean knows(Cache cache, Name name) {
        return Arrays.stream(COMMON)
                .anyMatch(type -> cache.find(new Question(name, type)).isPresent());
    }

    @Override
    public Route route(Question question) {
        Optional<LocalNames.Match> said = local.current().find(question);
        Optional<Name> elsewhere = elsewhere(question);
        Optional<Route.Own> own = own(question);
        int away = elsewhere.map(Name::labels).orElse(0);
        int ours = own.map(route -> route.zone().labels()).orElse(0);
        if (said.isPresent() && said.get().labels() >= Math.max(away, ours)) {
            return new Route.Local(said.get().finding());
        }
        if (Math.max(away, ours) <= 1) {
            Optional<LocalNames.Match> reserved = special.find(question);
            if (reserved.isPresent()) {
                return new Route.Local(reserved.get().finding());
            }
        }
        if (own.isPresent() && ours >= away) {
            return own.get();
        }
        return elsewhere.map(settings.elsewhere()::get).orElse(WALK);
    }

    private Optional<Name> elsewhere(Question question) {
        Name name = question.name();
        for (int label = atParent(question) ? 1 : 0; label < name.labels(); label++) {
            Name zone = label == 0 ? name : new Name(name, label);
            if (settings.elsewhere().containsKey(zone)) {
                return Optional.of(zone);
            }
        }
        return Optional.empty();
    }

    private Optional<Route.Own> own(Question question) {
        return authority
                .get()
                .flatMap(
                        each ->
                                each.zone(question.name(), question.type())
                                        .filter(zone -> speaks(zone, question))
                                        .map(zone -> new Route.Own(each, zone)));
    }

    private static boolean speaks(Name zone, Question question) {
        return !atParent(question) || !zone.equals(question.name());
    }

    private static boolean atParent(Question question) {
        return question.type() == Type.DS && question.name().labels() > 1;
    }
}
