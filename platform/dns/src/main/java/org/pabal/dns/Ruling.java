package org.pabal.dns;

import org.xbill.DNS.RRset;

/// What a [ResponsePolicy] says of one question.
public sealed interface Ruling {

    Ruling NONE = new None();

    /// Nothing: the next policy is asked.
    record None() implements Ruling {}

    /// The client is told what there is, whatever the policies after this one say.
    record Pass() implements Ruling {}

    /// The client is told that the name does not exist.
    ///
    /// @param why for the client (RFC 8914, blocked or filtered) and the log, e.g. the list's name
    record NoName(String why) implements Ruling {}

    /// The client is told that the name has no such record.
    record NoRecord(String why) implements Ruling {}

    /// The client is told nothing.
    record Drop(String why) implements Ruling {}

    /// The client has to come again over TCP; who is there already is told what there is.
    record OverTcp(String why) implements Ruling {}

    /// The client is told something else: a set of the type that was asked for, or a CNAME, which
    /// is followed.
    ///
    /// @param records with the name that was asked for; in a ruling on an answer also with that of
    ///     one of its aliases, and the client is told the way up to there
    record Instead(RRset records, String why) implements Ruling {}
}
