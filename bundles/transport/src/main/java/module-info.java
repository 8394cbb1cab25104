/// Listening sockets, TLS, limits, the threads of conversations.
module org.pabal.transport {
    requires org.pabal.protocol;
    requires org.pabal.settings;
    requires org.slf4j;
    requires static osgi.core;
    requires static org.osgi.service.component;
    requires static org.osgi.service.component.annotations;
    requires static org.apache.felix.gogo.runtime;
}
