package org.pabal.dns.authoritative;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Who may have a copy of a zone. Nobody may unless the administrator says so (security row D20).
///
/// `transfer = [key NAME] [NETWORK] [tls], …`, e.g.
/// `transfer = key transfer.example.org, 192.0.2.53, key xot.example.org 198.51.100.0/24 tls`. Of
/// what stands between two commas everything has to be so: the signature, the address, and that the
/// stream is encrypted (RFC 9103).
record TransferPolicy(List<Grant> grants) {

    private static final String EXAMPLE =
            "key transfer.example.org, 192.0.2.53, key xot.example.org 198.51.100.0/24 tls";

    record Grant(Optional<Name> key, Optional<Network> network, boolean tls) {

        /// A claim that was not proven on this way opens nothing: no TLS on plain TCP, no key
        /// without a good signature.
        boolean covers(Request request) {
            InetAddress client = request.from().address().getAddress();
            return (key.isEmpty() || request.key().equals(key))
                    && (network.isEmpty() || network.get().contains(client))
                    && (!tls || request.encrypted());
        }
    }

    /// A network in CIDR notation; an address alone is the network of that one host.
    record Network(InetAddress base, int prefix) {

        static Network parse(String text) {
            String[] parts = text.split("/", 2);
            InetAddress base = InetAddress.ofLiteral(parts[0]);
            int bits = base.getAddress().length * 8;
            int prefix = parts.length == 1 ? bits : Integer.parseInt(parts[1]);
            if (prefix < 0 || prefix > bits) {
                throw new IllegalArgumentException(text);
            }
            return new Network(base, prefix);
        }

        boolean contains(InetAddress address) {
            byte[] ours = base.getAddress();
            byte[] theirs = address.getAddress();
            boolean same = ours.length == theirs.length;
            for (int bit = 0; same && bit < prefix; bit++) {
                int mask = 0x80 >> bit % 8;
                same = ((ours[bit / 8] ^ theirs[bit / 8]) & mask) == 0;
            }
            return same;
        }
    }

    TransferPolicy {
        grants = List.copyOf(grants);
    }

    static TransferPolicy of(Settings settings) {
        List<Grant> grants = new ArrayList<>();
        for (String text : settings.list("transfer")) {
            try {
                grants.add(grant(text));
            } catch (TextParseException | IllegalArgumentException e) {
                throw settings.bad(
                        "transfer", text, "key NAME, a network, tls, or some of them", EXAMPLE);
            }
        }
        return new TransferPolicy(grants);
    }

    boolean allows(Request request) {
        return grants.stream().anyMatch(grant -> grant.covers(request));
    }

    private static Grant grant(String text) throws TextParseException {
        Optional<Name> key = Optional.empty();
        Optional<Network> network = Optional.empty();
        boolean tls = false;
        String[] words = text.split("\\s+");
        for (int i = 0; i < words.length; i++) {
            if (words[i].equals("key") && i + 1 < words.length && key.isEmpty()) {
                key = Optional.of(Name.fromString(words[++i], Name.root));
            } else if (words[i].equals("tls") && !tls) {
                tls = true;
            } else if (network.isEmpty()) {
                network = Optional.of(Network.parse(words[i]));
            } else {
                throw new IllegalArgumentException(text);
            }
        }
        if (key.isEmpty() && network.isEmpty()) {
            throw new IllegalArgumentException(text); // tls alone would be everybody
        }
        return new Grant(key, network, tls);
    }
}
