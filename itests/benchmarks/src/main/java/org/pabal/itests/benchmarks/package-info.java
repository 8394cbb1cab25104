/// Starters for what is measured where a whole node would blur the picture.
///
/// For the scripts beside this module. Start at [EchoNode].
package org.pabal.itests.benchmarks;
