package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A cache for the tests of who uses one: a map.
final class MapCache implements Cache {

    private record Kept<T>(T value, Instant until) {}

    private final InstantSource clock;
    private final Map<Question, Kept<Finding>> findings = new ConcurrentHashMap<>();
    private final Map<Question, Kept<Finding>> failures = new ConcurrentHashMap<>();
    private final Map<Name, Kept<Delegation>> delegations = new ConcurrentHashMap<>();

    MapCache(InstantSource clock) {
        this.clock = clock;
    }

    @Override
    public Optional<Finding> find(Question question) {
        Kept<Finding> failure = failures.get(question);
        if (failure != null && failure.until.isAfter(clock.instant())) {
            return Optional.of(failure.value);
        }
        return get(question, question, false)
                .or(() -> get(new Question(question.name(), Type.CNAME), question, false));
    }

    @Override
    public Optional<Finding> stale(Question question) {
        return get(question, question, true)
                .or(() -> get(new Question(question.name(), Type.CNAME), question, true));
    }

    private Optional<Finding> get(Question key, Question asked, boolean stale) {
        Kept<Finding> kept = findings.get(key);
        if (kept == null
                || stale && kept.value.kind() == Finding.Kind.FAILURE
                || !key.equals(asked)
                        && asked.type() != Type.CNAME
                        && kept.value.kind() != Finding.Kind.ALIAS) {
            return Optional.empty();
        }
        long left = Duration.between(clock.instant(), kept.until).toSeconds();
        if (left <= 0 && !stale) {
            return Optional.empty();
        }
        Finding f = kept.value;
        return Optional.of(
                new Finding(
                        f.kind() == Finding.Kind.ALIAS ? asked : f.question(),
                        f.kind(),
                        f.records(),
                        f.proof(),
                        f.zone(),
                        f.security(),
                        f.reason(),
                        left <= 0 ? 30 : left,
                        left <= 0));
    }

    @Override
    public void keep(Finding finding) {
        Question key = finding.key();
        Kept<Finding> old = findings.get(key);
        if (old != null
                && old.until.isAfter(clock.instant())
                && (finding.kind() == Finding.Kind.FAILURE
                        || old.value.security().compareTo(finding.security()) > 0)) {
            return;
        }
        if (finding.kind() == Finding.Kind.FAILURE) {
            failures.put(key, new Kept<>(finding, clock.instant().plusSeconds(finding.ttl())));
            return;
        }
        failures.remove(key);
        findings.put(key, new Kept<>(finding, clock.instant().plusSeconds(finding.ttl())));
    }

    @Override
    public Optional<Delegation> delegation(Name name) {
        for (int strip = 0; strip < name.labels(); strip++) {
            Name above = strip == 0 ? name : new Name(name, strip);
            Kept<Delegation> kept = delegations.get(above);
            if (kept != null && kept.until.isAfter(clock.instant())) {
                return Optional.of(kept.value);
            }
        }
        return Optional.empty();
    }

    @Override
    public void keep(Delegation delegation) {
        Kept<Delegation> old = delegations.get(delegation.zone());
        if (old != null
                && old.until.isAfter(clock.instant())
                && RootHints.names(old.value.ns()).equals(RootHints.names(delegation.ns()))) {
            return;
        }
        delegations.put(
                delegation.zone(),
                new Kept<>(delegation, clock.instant().plusSeconds(delegation.ttl())));
    }

    @Override
    public int flush(Name name) {
        int before = findings.size();
        findings.keySet().removeIf(question -> question.name().subdomain(name));
        delegations.keySet().removeIf(zone -> zone.subdomain(name));
        return before - findings.size();
    }
}
