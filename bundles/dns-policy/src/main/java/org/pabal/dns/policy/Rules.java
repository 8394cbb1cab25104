package org.pabal.dns.policy;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// One version of what a list or a zone says: immutable, and without any memory of who asked.
interface Rules {

    /// Nothing, while a zone has not come yet.
    static Rules none(String summary) {
        return new Rules() {
            @Override
            public Optional<Match> question(Name name, int type, InetAddress client) {
                return Optional.empty();
            }

            @Override
            public Optional<Match> answer(Name name, int type, List<RRset> answer) {
                return Optional.empty();
            }

            @Override
            public boolean judgesAnswers() {
                return false;
            }

            @Override
            public String summary() {
                return summary;
            }
        };
    }

    Optional<Match> question(Name name, int type, InetAddress client);

    /// @param answer the answer section, aliases first
    Optional<Match> answer(Name name, int type, List<RRset> answer);

    boolean judgesAnswers();

    /// For the shell, e.g. `list ads.txt, 61,000 names`.
    String summary();
}
