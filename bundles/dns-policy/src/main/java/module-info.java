/// Response policy zones and block lists for the local name server.
module org.pabal.dns.policy {
    requires org.pabal.settings;
    requires org.pabal.dns;
    requires org.pabal.dns.server;
    requires org.dnsjava;
    requires org.slf4j;
    requires static osgi.core;
    requires static osgi.annotation;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
    requires static org.apache.felix.gogo.runtime;
}
