package org.pabal.dns.recursive;

import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.ReverseMap;
import org.xbill.DNS.TextParseException;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads what `/etc/hosts` looks like: a line an address, then its names; `#` begins a comment.
///
/// Every name gets the address. The address gets the first name of its first line, so that looking
/// it up gives one name, as `gethostbyaddr` does. Lines that say something else are passed over, as
/// everybody else does who reads this file, and `localhost` too: that is loopback whatever
/// anybody writes down (RFC 6761 §6.3).
final class HostsFile {

    /// Short: a file has no TTLs, and changes without notice.
    static final long TTL = 60;

    private static final Name LOCALHOST = Name.fromConstantString("localhost.");

    private final List<Record> records = new ArrayList<>();
    private final Set<InetAddress> named = new HashSet<>();

    private HostsFile() {}

    static List<Record> read(List<String> lines) {
        HostsFile file = new HostsFile();
        lines.forEach(file::line);
        return file.records;
    }

    private void line(String line) {
        int comment = line.indexOf('#');
        String[] words = (comment < 0 ? line : line.substring(0, comment)).strip().split("\\s+");
        InetAddress address;
        try {
            // a scope says on which of this machine's links, and a record cannot
            address = InetAddress.ofLiteral(words[0].replaceFirst("%.*", ""));
        } catch (IllegalArgumentException e) {
            return;
        }
        for (int i = 1; i < words.length; i++) {
            try {
                Name name = Name.fromString(words[i], Name.root);
                if (!name.subdomain(LOCALHOST)) {
                    add(name, address);
                }
            } catch (TextParseException e) {
                // no name
            }
        }
    }

    private void add(Name name, InetAddress address) {
        records.add(
                address.getAddress().length == 4
                        ? new ARecord(name, DClass.IN, TTL, address)
                        : new AAAARecord(name, DClass.IN, TTL, address));
        if (!address.isAnyLocalAddress() && named.add(address)) {
            records.add(new PTRRecord(ReverseMap.fromAddress(address), DClass.IN, TTL, name));
        }
    }
}
