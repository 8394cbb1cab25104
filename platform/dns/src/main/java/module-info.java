/// Zone, zone store, responder, resolver.
module org.pabal.dns {
    requires static osgi.annotation;
    requires transitive org.pabal.protocol;
    requires transitive org.dnsjava;

    exports org.pabal.dns;
}
