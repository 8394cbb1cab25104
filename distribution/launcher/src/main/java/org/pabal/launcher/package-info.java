/// The small program around the framework: it makes a node's directory, boots the framework with
/// the image's bundles, says when the node is ready, and carries an administrator's commands to a
/// running one.
///
/// For whoever types `pabal …`; nothing in here is seen by a bundle. Start at [Main].
package org.pabal.launcher;
