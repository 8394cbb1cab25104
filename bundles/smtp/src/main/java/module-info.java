/// Receives mail: port 25, submission, LMTP.
module org.pabal.smtp {
    requires org.pabal.settings;
    requires org.pabal.protocol;
    requires org.pabal.mail;
    requires org.pabal.directory;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
}
