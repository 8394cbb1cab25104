package org.pabal.itests.hotswap.echo;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;
import org.pabal.protocol.LineReader;
import org.pabal.protocol.StreamProtocol;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Dictionary;
import java.util.Hashtable;

/// The smallest protocol bundle: says each line and each datagram again, with the bundle's version
/// ahead.
public final class EchoActivator implements BundleActivator, StreamProtocol, DatagramProtocol {

    private byte[] version = {};

    @Override
    public void start(BundleContext context) {
        version = (context.getBundle().getVersion() + " ").getBytes(StandardCharsets.US_ASCII);
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(StreamProtocol.NAME, "echo");
        properties.put(StreamProtocol.GOODBYE, "421 {}");
        String[] services = {StreamProtocol.class.getName(), DatagramProtocol.class.getName()};
        context.registerService(services, this, properties);
    }

    @Override
    public void stop(BundleContext context) {}

    @Override
    public void converse(Connection connection) throws IOException {
        LineReader lines = new LineReader(connection.input(), 1_000);
        while (connection.awaitInput()
                && lines.read().orElse(null) instanceof LineReader.Line.Text(byte[] line)) {
            connection.output().write(version);
            connection.output().write(line);
            connection.output().write("\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        if (connection.draining()) {
            connection.output().write(Farewell.words()); // a class that nobody has needed before
        }
    }

    @Override
    public void received(Datagram datagram) {
        datagram.answer().put(version).put(datagram.payload());
        datagram.send();
    }
}
