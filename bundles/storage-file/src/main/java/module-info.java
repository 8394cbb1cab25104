/// Queue, mailboxes, zones and accounts in plain files.
module org.pabal.storage.file {
    requires org.pabal.settings;
    requires org.pabal.mail;
    requires org.pabal.directory;
    requires org.pabal.mailbox;
    requires org.pabal.dns;
    requires org.dnsjava;
    requires org.bouncycastle.provider;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
}
