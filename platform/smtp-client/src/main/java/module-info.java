/// Hands a message to another server, by SMTP or LMTP.
module org.pabal.smtp.client {
    requires static osgi.annotation;
    requires transitive org.pabal.mail;

    exports org.pabal.smtp.client;
}
