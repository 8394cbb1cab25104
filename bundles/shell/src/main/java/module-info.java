/// Node, domain, account and mailbox commands; the door for `pabal shell`.
module org.pabal.shell {
    requires org.pabal.settings;
    requires org.pabal.mail;
    requires org.pabal.directory;
    requires org.pabal.mailbox;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
    requires static org.apache.felix.gogo.runtime;
}
