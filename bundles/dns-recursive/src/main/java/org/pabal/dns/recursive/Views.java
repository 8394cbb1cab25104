package org.pabal.dns.recursive;

import org.pabal.dns.server.Networks;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/// Who is served by what: the view whose network is the smallest around a client, and the main one
/// for all others. Immutable.
///
/// What serves a view is made for it and for no other, its cache above all: what was found for some
/// clients is never told to others (security row D28).
///
/// @param <T> what serves a view
final class Views<T> {

    private record Place<T>(Networks network, int bits, T served) {}

    private final T main;
    private final List<T> all;

    /// The smallest networks first.
    private final Networks[] networks;

    private final List<T> served;

    private Views(T main, List<T> all, List<Place<T>> places) {
        this.main = main;
        this.all = List.copyOf(all);
        this.networks = places.stream().map(Place::network).toArray(Networks[]::new);
        this.served = places.stream().map(Place::served).toList();
    }

    /// One that has no views.
    static <T> Views<T> of(T main) {
        return new Views<>(main, List.of(main), List.of());
    }

    /// Where two views have the same network, that whose name comes first has it.
    ///
    /// @param make called once for each view
    /// @throws IllegalStateException when it makes the same thing twice, or the main one
    static <T> Views<T> of(
            T main, Collection<ViewSettings> settings, Function<ViewSettings, T> make) {
        List<T> all = new ArrayList<>(List.of(main));
        List<Place<T>> places = new ArrayList<>();
        for (ViewSettings view :
                settings.stream().sorted(Comparator.comparing(ViewSettings::name)).toList()) {
            T made = make.apply(view);
            if (all.stream().anyMatch(other -> other == made)) {
                throw new IllegalStateException("view " + view.name() + " is shared");
            }
            all.add(made);
            for (String text : view.networks()) {
                places.add(new Place<>(Networks.of(List.of(text)), bits(text), made));
            }
        }
        places.sort(Comparator.comparingInt((Place<T> place) -> place.bits()).reversed());
        return new Views<>(main, all, places);
    }

    private static int bits(String network) {
        int slash = network.indexOf('/');
        return slash < 0 ? 128 : Integer.parseInt(network.substring(slash + 1));
    }

    /// What serves a client. Makes no object.
    ///
    /// @param address 4 or 16 octets in network order
    T serving(ByteBuffer address) {
        for (int i = 0; i < networks.length; i++) {
            if (networks[i].contain(address)) {
                return served.get(i);
            }
        }
        return main;
    }

    /// What serves whom no view names.
    T main() {
        return main;
    }

    /// For all of them, the main one first: to flush, to count, to close.
    void each(Consumer<T> work) {
        all.forEach(work);
    }
}
