package org.pabal.settings;

/// A setting that cannot be used. The message is one line that names the file, the key, what was
/// expected, and an example.
public final class BadSetting extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    public BadSetting(String message) {
        super(message);
    }
}
