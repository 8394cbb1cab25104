/// A node of the assembled product, run as a process of its own, as an administrator would.
///
/// For the tests that prove the product from outside. Start at [Node].
package org.pabal.itests.node;
