/// Hands out mail by POP3.
@SuppressWarnings(
        "module") // javac would rather have no digit at the end, but that is the protocol's name
module org.pabal.pop3 {
    requires org.pabal.settings;
    requires org.pabal.protocol;
    requires org.pabal.mail;
    requires org.pabal.directory;
    requires org.pabal.mailbox;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
}
