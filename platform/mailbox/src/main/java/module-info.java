/// Mail at rest.
module org.pabal.mailbox {
    requires static osgi.annotation;
    requires transitive org.pabal.mail;

    exports org.pabal.mailbox;
}
