/// Gives a node another time than the machine's.
///
/// For tests that let days pass: the bundle goes into `deploy/`, and the node has the time that a
/// file says. Start at `FileClock`.
package org.pabal.itests.clock;
