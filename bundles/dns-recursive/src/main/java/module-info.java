/// Finds DNS answers elsewhere and remembers them.
module org.pabal.dns.recursive {
    requires org.pabal.settings;
    requires org.pabal.protocol;
    requires org.pabal.dns;
    requires org.pabal.dnssec;
    requires org.pabal.dns.server;
    requires org.dnsjava;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
    requires static org.apache.felix.gogo.runtime;
}
