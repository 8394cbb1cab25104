package org.pabal.dns.policy;

import org.pabal.dns.Ruling;

/// A rule that fits a question or an answer.
///
/// @param trigger what of the list or the zone it was, for the log and the shell
record Match(Ruling ruling, String trigger) {}
