package org.pabal.directory;

import java.util.Locale;

/// A name whose mail we take.
///
/// @param name in lower case, without a dot at the end
public record Domain(String name) {

    public Domain {
        name = name.toLowerCase(Locale.ROOT);
    }
}
