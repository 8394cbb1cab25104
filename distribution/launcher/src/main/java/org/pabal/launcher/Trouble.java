package org.pabal.launcher;

/// Why a command cannot be carried out: one line that names the thing, what was expected, and an
/// example.
final class Trouble extends Exception {

    private static final long serialVersionUID = 1L;

    /// What the process exits with when the command was not understood.
    static final int USAGE = 2;

    final int exitStatus;

    Trouble(String line) {
        this(line, 1);
    }

    Trouble(String line, int exitStatus) {
        super(line);
        this.exitStatus = exitStatus;
    }
}
