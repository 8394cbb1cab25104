package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/// What is asked: a name and a type, of class IN.
///
/// @param name absolute; upper and lower case are the same
/// @param type a number of [Type]
record Question(Name name, int type) {

    @Override
    public String toString() {
        return name + " " + Type.string(type);
    }
}
