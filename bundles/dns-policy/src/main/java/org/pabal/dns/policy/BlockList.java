package org.pabal.dns.policy;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// A list of names and what clients are told of them.
///
/// @param aliases names that an answer leads to are looked for too
/// @param why for the client
record BlockList(
        BlockedNames names, BlockAnswer answer, boolean aliases, String why, String summary)
        implements Rules {

    @Override
    public Optional<Match> question(Name name, int type, InetAddress client) {
        return rule(name, name, type);
    }

    @Override
    public Optional<Match> answer(Name name, int type, List<RRset> sets) {
        if (!aliases || type == Type.CNAME) {
            return Optional.empty();
        }
        for (RRset set : sets) {
            if (set.getType() == Type.CNAME) {
                Name target = ((CNAMERecord) set.first()).getTarget();
                Optional<Match> match = rule(target, name, type);
                if (match.isPresent()) {
                    return match;
                }
            }
        }
        return Optional.empty();
    }

    @Override
    public boolean judgesAnswers() {
        return aliases;
    }

    private Optional<Match> rule(Name listed, Name name, int type) {
        return names.blocks(listed)
                .map(blocked -> new Match(answer.ruling(name, type, why), blocked.trigger()));
    }
}
