package org.pabal.delivery;

import org.pabal.mail.Attempt;
import org.pabal.mail.Courier;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The couriers there are, by route. They come and go while mail is carried.
///
/// A courier that goes is let go only when it is on no errand any more: after its bundle has
/// stopped, its classes can load nothing (house rule 1).
final class Couriers {

    private static final Logger log = LoggerFactory.getLogger(Couriers.class);

    /// How long a courier that goes may take for its last errand.
    private static final Duration GRACE = Duration.ofSeconds(30);

    private static final int MANY = 1_000_000;

    /// A courier, its place among those of the same route, and the errands it is on.
    static final class Post implements Courier {

        private final String route;
        private final int ranking;
        private final Courier courier;
        private final Semaphore errands = new Semaphore(MANY, true);

        private Post(String route, int ranking, Courier courier) {
            this.route = route;
            this.ranking = ranking;
            this.courier = courier;
        }

        @Override
        public Map<MailAddress, Outcome> deliver(QueueEntry entry, List<Recipient> recipients)
                throws IOException {
            return deliver(entry, recipients, attempt -> {});
        }

        @Override
        public Map<MailAddress, Outcome> deliver(
                QueueEntry entry, List<Recipient> recipients, Consumer<Attempt> told)
                throws IOException {
            if (!errands.tryAcquire()) {
                throw new IOException("the courier for " + route + " is being replaced");
            }
            try {
                return courier.deliver(entry, recipients, told);
            } finally {
                errands.release();
            }
        }
    }

    private final Courier local;
    private final Optional<Courier> remote;
    private final Map<String, List<Post>> posts = new ConcurrentHashMap<>();

    /// @param local carries what is for accounts here, unless somebody registers a courier for that
    /// @param remote carries what is for other hosts, unless somebody registers a courier for that
    Couriers(Courier local, Optional<Courier> remote) {
        this.local = local;
        this.remote = remote;
    }

    /// Those of a house that sends nothing out by itself.
    Couriers(Courier local) {
        this(local, Optional.empty());
    }

    Post add(String route, int ranking, Courier courier) {
        Post post = new Post(route.toLowerCase(Locale.ROOT), ranking, courier);
        List<Post> all = posts.computeIfAbsent(post.route, r -> new CopyOnWriteArrayList<>());
        synchronized (all) {
            all.add(post);
            all.sort(Comparator.comparingInt(p -> -p.ranking));
        }
        log.info("courier for {} is here: {}", post.route, courier.getClass().getName());
        return post;
    }

    /// Returns when the courier has come back from its last errand, or after half a minute.
    void remove(Post post) {
        posts.getOrDefault(post.route, List.of()).remove(post);
        try {
            if (post.errands.tryAcquire(MANY, GRACE.toSeconds(), TimeUnit.SECONDS)) {
                log.info("courier for {} has gone", post.route);
            } else {
                log.warn(
                        "courier for {} has gone with mail in hand; that mail is tried again",
                        post.route);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Who carries mail for an account here.
    Courier here(String domain) {
        return first(domain).or(() -> first("local")).orElse(local);
    }

    /// Who carries mail to another host; empty when nobody does.
    Optional<Courier> away(String domain) {
        return first(domain).or(() -> first("remote")).or(() -> remote);
    }

    private Optional<Courier> first(String route) {
        if (posts.isEmpty()) {
            return Optional.empty();
        }
        for (Post post : posts.getOrDefault(route, List.of())) {
            return Optional.of(post);
        }
        return Optional.empty();
    }
}
