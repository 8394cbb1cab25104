/// What a server of names does with strangers, whatever it answers from.
module org.pabal.dns.server {
    requires static osgi.annotation;
    requires transitive org.dnsjava;

    exports org.pabal.dns.server;
}
