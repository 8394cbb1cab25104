/// Works the queue: local and remote couriers, retries, bounces.
module org.pabal.delivery {
    requires org.pabal.settings;
    requires org.pabal.mail;
    requires org.pabal.directory;
    requires org.pabal.mailbox;
    requires org.pabal.smtp.client;
    requires org.pabal.dns;
    requires org.dnsjava;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
    requires static org.apache.felix.gogo.runtime;
}
