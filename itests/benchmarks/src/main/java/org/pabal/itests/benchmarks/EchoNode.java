package org.pabal.itests.benchmarks;

import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.launch.Framework;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;
import org.pabal.protocol.StreamProtocol;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;

/// The transport in its framework with the most trivial protocols: what its datagrams and idle
/// connections cost.
///
/// Datagrams come back with the bit set that makes a DNS query an answer, as in `bench/udpecho.c`;
/// octets of streams come back as they are.
public final class EchoNode implements DatagramProtocol, StreamProtocol {

    private static final List<String> BUNDLES =
            List.of(
                    "org.osgi.util.function",
                    "org.osgi.util.promise",
                    "org.osgi.service.component",
                    "org.apache.felix.configadmin",
                    "org.apache.felix.scr",
                    "org.apache.felix.gogo.runtime",
                    "org.pabal.settings",
                    "org.pabal.transport");

    private EchoNode() {}

    /// @param arguments the folder of the bundles, and the port
    public static void main(String[] arguments) throws Exception {
        try {
            start(Path.of(arguments[0]), arguments[1]);
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1); // the framework's threads would go on
        }
    }

    private static void start(Path bundles, String port) throws Exception {
        Path storage = Files.createTempDirectory("pabal-echo");
        Framework framework =
                new FrameworkFactory()
                        .newFramework(
                                Map.of(
                                        Constants.FRAMEWORK_STORAGE,
                                        storage.toString(),
                                        Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                                        "org.slf4j;version=2.0.20,org.slf4j.event;version=2.0.20,org.slf4j.helpers;version=2.0.20,"
                                            + "org.slf4j.spi;version=2.0.20,org.pabal.protocol;version=1.0.0"));
        framework.start();
        BundleContext context = framework.getBundleContext();
        install(context, bundles);
        Dictionary<String, Object> properties =
                new Hashtable<>(Map.of(StreamProtocol.NAME, "echo"));
        String[] services = {StreamProtocol.class.getName(), DatagramProtocol.class.getName()};
        context.registerService(services, new EchoNode(), properties);
        configure(
                context,
                Map.of(
                        "protocol", "echo",
                        "transport", "both",
                        "port", port,
                        "patience", "1 h",
                        "max-connections", "20000",
                        "max-connections-per-address", "20000"));
        System.out.println("ready");
    }

    private static void install(BundleContext context, Path folder)
            throws BundleException, IOException {
        for (String name : BUNDLES) {
            try (InputStream jar = Files.newInputStream(folder.resolve(name + ".jar"))) {
                context.installBundle(name, jar);
            }
        }
        for (Bundle bundle : context.getBundles()) {
            bundle.start();
        }
    }

    /// By reflection, as the classes of Configuration Admin are those of its bundle.
    private static void configure(BundleContext context, Map<String, String> settings)
            throws ReflectiveOperationException, InvalidSyntaxException {
        Object admin =
                context.getService(
                        context.getAllServiceReferences(
                                        "org.osgi.service.cm.ConfigurationAdmin", null)[0]);
        Object configuration =
                admin.getClass()
                        .getMethod(
                                "getFactoryConfiguration", String.class, String.class, String.class)
                        .invoke(admin, "org.pabal.listener", "echo", "?");
        configuration
                .getClass()
                .getMethod("update", Dictionary.class)
                .invoke(configuration, new Hashtable<String, Object>(settings));
    }

    @Override
    public void received(Datagram datagram) {
        datagram.answer().put(datagram.payload());
        datagram.answer().put(2, (byte) (datagram.answer().get(2) | 0x80));
        datagram.send();
    }

    @Override
    public void converse(Connection connection) throws IOException {
        while (connection.awaitInput()) {
            connection.output().write(connection.input().read());
        }
    }
}
