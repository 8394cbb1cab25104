package org.pabal.mailbox;

import java.util.Set;
import java.util.TreeSet;

/// A change of flags. Flags are compared without regard to case (RFC 9051 §2.3.2).
public sealed interface FlagEdit {

    /// These and no others.
    record Replace(Set<String> flags) implements FlagEdit {}

    /// These as well.
    record Add(Set<String> flags) implements FlagEdit {}

    /// Not these.
    record Remove(Set<String> flags) implements FlagEdit {}

    /// What becomes of a message's flags.
    default Set<String> apply(Set<String> before) {
        Set<String> after = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        switch (this) {
            case Replace(Set<String> flags) -> after.addAll(flags);
            case Add(Set<String> flags) -> {
                after.addAll(before);
                after.addAll(flags);
            }
            case Remove(Set<String> flags) -> {
                after.addAll(before);
                flags.forEach(after::remove);
            }
        }
        return Set.copyOf(after);
    }
}
