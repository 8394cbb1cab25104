/// Contract tests, dialogue player, memory stores, canned resolver: for us and for vendors.
module org.pabal.testkit {
    requires static osgi.annotation;
    requires transitive org.pabal.protocol;
    requires transitive org.pabal.mail;
    requires transitive org.pabal.directory;
    requires transitive org.pabal.mailbox;
    requires transitive org.pabal.dns;
    requires transitive org.junit.jupiter.api;

    exports org.pabal.testkit;
}
