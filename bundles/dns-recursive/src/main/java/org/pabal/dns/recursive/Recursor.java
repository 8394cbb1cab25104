package org.pabal.dns.recursive;

/// Answers questions, from memory or by asking others. Blocks for some seconds at most; every
/// outcome is an [Answer], trouble too.
interface Recursor {

    Answer answer(Question question, Request request);
}
