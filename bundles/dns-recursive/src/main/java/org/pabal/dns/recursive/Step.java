package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.time.Duration;

/// One step of a walk, as the lecture draws it: whom we asked, what, what came back, how long it
/// took.
///
/// @param whom e.g. `cache`, `a.root-servers.net. 198.41.0.4`, `own zone example.org.`
/// @param zone that we hoped to hear from, or that the cache has it from
/// @param question what was asked, which with QNAME minimisation is less than what is wanted
/// @param what what came back
/// @param detail one short line more, e.g. `to com., 13 name servers`, `timed out, UDP`; may be
///     empty
/// @param took zero for what needed no waiting
record Step(String whom, Name zone, Question question, What what, String detail, Duration took) {

    /// What came back.
    enum What {
        ANSWER,
        REFERRAL,
        ALIAS,
        NO_RECORD,
        NO_NAME,
        /// A message that helps nobody: lame, refused, broken.
        UNUSABLE,
        /// Nothing came in time, or the server could not be reached.
        SILENCE,
        /// Nobody is left to ask, or the quota is spent.
        FAILURE,
        /// Judged by DNSSEC.
        VALIDATED
    }
}
