/// What a server of names does with strangers, whatever it answers from.
module org.pabal.dns.server {
    requires static osgi.annotation;
    requires transitive org.dnsjava;
    requires transitive org.pabal.protocol;
    requires transitive org.pabal.settings;
    requires org.pabal.dns;

    exports org.pabal.dns.server;
}
