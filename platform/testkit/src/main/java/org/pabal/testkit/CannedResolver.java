package org.pabal.testkit;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A resolver that is a map: it knows the records of a master file, and every other name does not
/// exist.
///
/// ```java
/// Resolver resolver = new CannedResolver("""
///         example.org.    300 IN MX 10 mx.example.org.
///         mx.example.org. 300 IN A 192.0.2.25
///         """)
///     .unavailable("slow.example.", "timed out");
/// ```
public final class CannedResolver implements Resolver {

    private static final int MAX_ALIASES = 8;

    private final MemoryZone records;
    private final Map<Name, String> unavailable = new HashMap<>();
    private final boolean secure;

    /// @param masterFile records with absolute names
    public CannedResolver(String masterFile) {
        this(masterFile, false);
    }

    /// @param secure whether every answer counts as proved by DNSSEC
    public CannedResolver(String masterFile, boolean secure) {
        this.records = MemoryZone.of(".", masterFile);
        this.secure = secure;
    }

    /// A name of which nothing can be had.
    public CannedResolver unavailable(String name, String why) {
        unavailable.put(Name.fromConstantString(name), why);
        return this;
    }

    @Override
    public Resolution resolve(Name name, int type) {
        List<RRset> found = new ArrayList<>();
        Name at = name;
        for (int aliases = 0; aliases <= MAX_ALIASES; aliases++) {
            if (unavailable.containsKey(at)) {
                return new Resolution.Unavailable(unavailable.get(at));
            }
            if (records.records(at, type).isPresent()) {
                found.add(records.records(at, type).get());
                return new Resolution.Found(found, secure);
            }
            if (records.records(at, Type.CNAME).isEmpty()) {
                return records.exists(at)
                        ? new Resolution.NoSuchRecord(secure)
                        : new Resolution.NoSuchName(secure);
            }
            RRset alias = records.records(at, Type.CNAME).get();
            found.add(alias);
            at = ((CNAMERecord) alias.first()).getTarget();
        }
        return new Resolution.Unavailable("more than " + MAX_ALIASES + " aliases in a row");
    }
}
