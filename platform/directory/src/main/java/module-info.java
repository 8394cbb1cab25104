/// Domains, accounts, aliases, sign-in; SASL exchanges.
module org.pabal.directory {
    requires static osgi.annotation;
    requires transitive org.pabal.mail;

    exports org.pabal.directory;
}
