package org.pabal.dns.authoritative;

import org.pabal.dns.NameTable;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;

import java.nio.ByteBuffer;
import java.util.List;

/// One zone version laid out for [WireLookup]: its nodes by name, and in each what a question there
/// is answered with.
///
/// A node goes on behind its name with
///
/// ```
/// u16 number of types; then for each type u16 type, u16 where in the node its image is; then the images
/// ```
/// The type [#NO_TYPE] stands for the referral at a cut, and at the apex for the negative answer.
/// So a name that is there costs a look into the table and one into its node, and one that is not
/// there a look into the table.
final class WireZone {

    /// The node has a CNAME, which answers for the types that it does not have.
    static final int ALIAS = 1;

    /// The node has a DNAME, which answers for what is below it.
    static final int REDIRECTS = 2;

    /// The node lies below a DNAME.
    static final int HIDDEN = 4;

    /// The node has NS records and is not the apex: we have no authority from here on.
    static final int CUT = 8;

    /// The node lies below a cut.
    static final int OCCLUDED = 16;

    /// There is a wildcard right below the node.
    static final int WILDCARD = 32;

    /// What decides about names further below.
    static final int AUTHORITY = REDIRECTS | HIDDEN | CUT | OCCLUDED;

    static final int NO_TYPE = 0;
    static final int NO_IMAGE = 0xFFFF;
    static final int ENTRY = 4;

    private final NameTable table;
    private final byte[] origin;
    private final int apex;
    private final boolean signed;
    private volatile AnswerPolicy policy = AnswerPolicy.PLAIN;

    private WireZone(NameTable table, PackedZone zone) {
        this.table = table;
        this.origin = zone.origin().toWireCanonical();
        this.apex = find(WireName.hash(origin), origin, 0, 0);
        this.signed = zone.signed();
    }

    /// Lays a zone out.
    static WireZone of(Zone zone) {
        PackedZone packed = PackedZone.of(zone);
        return new WireZone(ZoneLayout.of(packed), packed);
    }

    /// What the administrator set and what we learned since the zone was laid out.
    AnswerPolicy policy() {
        return policy;
    }

    void policy(AnswerPolicy next) {
        policy = next;
    }

    /// The layout of the version that some steps lead to from the version of this one. Costs about
    /// as much as they are long, unless authority over many names comes or goes.
    WireZone with(Zone next, List<ZoneChange> steps) {
        if (!(next instanceof PackedZone packed)) {
            return of(next);
        }
        NameTable before = table.wasteful() ? table.compacted(this::length) : table;
        return new WireZone(ZoneLayout.of(packed, steps, before), packed);
    }

    /// How many octets a name has that every name of the zone ends with.
    int originLength() {
        return origin.length;
    }

    /// Whether an answer to a client that wants DNSSEC differs from others.
    boolean signed() {
        return signed;
    }

    /// The node at the origin; its image for [#NO_TYPE] is that of NODATA and NXDOMAIN: the SOA.
    int apex() {
        return apex;
    }

    /// The node of a name in lower-case wire form without the origin, or 0.
    ///
    /// @param hash of the whole name
    int find(int hash, byte[] name, int from, int to) {
        return table.find(hash, name, from, to);
    }

    /// What a node and its images are in.
    ByteBuffer segment(int node) {
        return table.segment(node);
    }

    int flags(int node) {
        return table.segment(node).get(NameTable.at(node) + 1);
    }

    /// Where the image for a type is in the [#segment], 0 when the node does not have the type, or
    /// [WireImage#NONE].
    int image(int node, int type) {
        ByteBuffer segment = table.segment(node);
        int start = NameTable.at(node);
        int entry = start + NameTable.NAME + (segment.get(start) & 0xFF) + 2;
        for (int i = segment.getShort(entry - 2) & 0xFFFF; i > 0; i--, entry += ENTRY) {
            int found = segment.getInt(entry);
            if (found >>> 16 == type) {
                int at = found & 0xFFFF;
                return at == NO_IMAGE ? WireImage.NONE : start + at;
            }
        }
        return 0;
    }

    /// How many octets a node has.
    private int length(int node) {
        ByteBuffer segment = table.segment(node);
        int start = NameTable.at(node);
        int entry = start + NameTable.NAME + (segment.get(start) & 0xFF) + 2;
        int count = segment.getShort(entry - 2) & 0xFFFF;
        int end = entry + ENTRY * count;
        for (; count > 0; count--, entry += ENTRY) {
            int at = segment.getShort(entry + 2) & 0xFFFF;
            if (at != NO_IMAGE) {
                end = Math.max(end, WireImage.end(segment, start + at));
            }
        }
        return end - start;
    }
}
