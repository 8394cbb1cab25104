package org.pabal.delivery;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The addresses of one host, and what DNSSEC proves of them.
///
/// @param all in the order of DNS, IPv6 before IPv4
/// @param secure whether all of it is proved
/// @param tlsaNames where TLSA records may be, RFC 7672 §2.2.3
/// @param trouble why there may be more that cannot be had
record HostAddresses(
        List<InetAddress> all, boolean secure, List<String> tlsaNames, Optional<String> trouble) {

    /// Of each family; a stranger's DNS may have thousands, and each is looked at.
    static final int MAX_LOOKED_AT = 32;

    static final Executor THREADS = task -> Thread.ofVirtual().name("mail host lookup").start(task);

    HostAddresses {
        all = List.copyOf(all);
        tlsaNames = List.copyOf(tlsaNames);
    }

    static HostAddresses of(Name name, Resolver resolver) {
        CompletableFuture<Resolution> four =
                CompletableFuture.supplyAsync(() -> resolver.resolve(name, Type.A), THREADS);
        List<Resolution> answers = List.of(resolver.resolve(name, Type.AAAA), four.join());
        List<InetAddress> all = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        Optional<String> trouble = Optional.empty();
        boolean secure = true;
        boolean alias = false;
        for (Resolution answer : answers) {
            if (answer instanceof Resolution.Unavailable(String why)) {
                trouble = Optional.of(HostNames.plain(name) + ": " + why);
            } else if (answer instanceof Resolution.Found found) {
                Stream.concat(
                                records(found, AAAARecord.class).map(AAAARecord::getAddress),
                                records(found, ARecord.class).map(ARecord::getAddress))
                        .limit(MAX_LOOKED_AT)
                        .forEach(all::add);
                names.add(HostNames.plain(found.records().getLast().getName()));
                secure &= found.secure();
                alias |= found.records().size() > 1;
            }
        }
        secure &= !all.isEmpty();
        if (!secure) {
            names.clear();
        }
        // RFC 7672 §2.2.2: behind a proved CNAME the way may be unproved; TLSA records may still be
        // at the name where it begins
        if (secure || alias && proved(resolver.resolve(name, Type.CNAME))) {
            names.add(HostNames.plain(name));
        }
        return new HostAddresses(all, secure, List.copyOf(names), trouble);
    }

    private static boolean proved(Resolution resolution) {
        return resolution instanceof Resolution.Found found && found.secure();
    }

    /// In the order of RFC 6724 §6 as far as it matters here: what cannot be reached last (rule 1),
    /// then by the precedence of §2.1 (rule 6), else as DNS has it (rule 10).
    ///
    /// @param routed which addresses this machine has a way to
    static List<InetAddress> ordered(List<InetAddress> addresses, Predicate<InetAddress> routed) {
        if (addresses.size() < 2) {
            return addresses;
        }
        record Ranked(InetAddress address, int rank) {}
        return addresses.stream()
                .distinct()
                .map(each -> new Ranked(each, precedence(each) + (routed.test(each) ? 0 : 10)))
                .sorted(Comparator.comparingInt(Ranked::rank))
                .map(Ranked::address)
                .toList();
    }

    private static int precedence(InetAddress address) {
        byte[] octets = address.getAddress();
        if (octets.length == 4) {
            return 1;
        }
        if (octets[0] == 0x20 && octets[1] == 0x02) { // RFC 3056
            return 2;
        }
        boolean teredo = octets[0] == 0x20 && octets[1] == 1 && octets[2] == 0 && octets[3] == 0;
        return teredo ? 3 : 0;
    }

    /// Whether the kernel knows a way; nothing is sent.
    static boolean routed(InetAddress address) {
        try (DatagramChannel probe = DatagramChannel.open()) {
            probe.connect(new InetSocketAddress(address, 25));
            return true;
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    /// The records of one type, without the aliases that led to them.
    static <R extends Record> Stream<R> records(Resolution.Found found, Class<R> type) {
        return found.records().stream()
                .flatMap(set -> set.rrs().stream())
                .filter(type::isInstance)
                .map(type::cast);
    }
}
