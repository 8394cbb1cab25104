/// Makes a node, boots the framework with its bundles, and speaks with a running one.
module org.pabal.launcher {
    requires org.apache.felix.framework;
    requires org.slf4j;
    requires ch.qos.logback.classic;
    requires ch.qos.logback.core;

    uses org.osgi.framework.launch.FrameworkFactory;

    provides ch.qos.logback.classic.spi.Configurator with
            org.pabal.launcher.LogSetup;
}
