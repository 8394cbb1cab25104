package org.pabal.delivery;

import org.pabal.dns.Resolver;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;

/// One request, one answer, one connection: as much of HTTP/1.1 (RFC 9112) as it takes to fetch a
/// small file from a server that nobody trusts.
///
/// Not the Java platform's client, because names have to go through our resolver and addresses
/// through our list of those that must not be connected to (security row S24); not a library,
/// because those that can do this are no OSGi bundles, and bring two megabytes for one GET a day.
/// Everything the server says has a limit, the whole exchange one in time.
final class HttpsClient implements WebClient {

    /// RFC 8461 §3.3: "a suggested timeout is one minute".
    static final Duration PATIENCE = Duration.ofMinutes(1);

    private static final int HTTPS = 443;
    private static final int MAX_ADDRESSES = 8;
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final int MAX_BODY = StsPolicy.MAX_OCTETS;
    private static final int MAX_LINE = 8_192;
    private static final int MAX_FIELDS = 100;
    private static final int MAX_INTERIM = 5;

    private final Resolver resolver;
    private final Predicate<InetAddress> allowed;
    private final SSLContext authorities;
    private final Duration patience;

    /// @param allowed which addresses may be connected to
    /// @param authorities the context whose trust anchors count
    /// @param patience for one exchange from the first connection on
    HttpsClient(
            Resolver resolver,
            Predicate<InetAddress> allowed,
            SSLContext authorities,
            Duration patience) {
        this.resolver = resolver;
        this.allowed = allowed;
        this.authorities = authorities;
        this.patience = patience;
    }

    @Override
    public Answer get(URI uri) throws IOException {
        return exchange(uri, "GET", "Accept: text/plain\r\n", new byte[0]);
    }

    @Override
    public Answer post(URI uri, String type, byte[] body) throws IOException {
        return exchange(
                uri,
                "POST",
                "Content-Type: " + type + "\r\nContent-Length: " + body.length + "\r\n",
                body);
    }

    // Whoever sends us to a name under which another port listens gets a TLS handshake there, with
    // a host that has to prove that name, and nothing more.
    private Answer exchange(URI asked, String method, String fields, byte[] body)
            throws IOException {
        URI uri = URI.create(asked.toASCIIString());
        String host = StsPolicy.hostName(Optional.ofNullable(uri.getHost()).orElse("")).orElse("");
        if (!"https".equalsIgnoreCase(uri.getScheme())
                || host.isEmpty()
                || uri.getRawUserInfo() != null) {
            throw new ProtocolException("no address of a web server that can be used");
        }
        int port = uri.getPort() < 0 ? HTTPS : uri.getPort();
        List<InetAddress> addresses = addresses(host);
        String path = Optional.ofNullable(uri.getRawPath()).filter(p -> !p.isEmpty()).orElse("/");
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        String request =
                method
                        + " "
                        + path
                        + query
                        + " HTTP/1.1\r\nHost: "
                        + host
                        + (port == HTTPS ? "" : ":" + port)
                        + "\r\nUser-Agent: pabal\r\n"
                        + fields
                        + "Connection: close\r\n\r\n";
        try (Deadline deadline = new Deadline(patience)) {
            try {
                Socket plain = connected(addresses, port, deadline);
                try (SSLSocket socket = secured(plain, host, port)) {
                    OutputStream out = socket.getOutputStream();
                    out.write(request.getBytes(StandardCharsets.US_ASCII));
                    out.write(body);
                    out.flush();
                    return answer(
                            new BufferedInputStream(socket.getInputStream()), method.equals("GET"));
                }
            } catch (IOException e) {
                throw deadline.over()
                        ? new SocketTimeoutException(
                                "took longer than " + patience.toSeconds() + " s")
                        : e;
            }
        }
    }

    /// Closes the connection when the time is over, however busy it is: a time-out for each read
    /// would not end a server that sends an octet now and then.
    private static final class Deadline implements AutoCloseable {

        private final AtomicBoolean over = new AtomicBoolean();
        private final List<Socket> sockets = new ArrayList<>();
        private final Thread watch;

        Deadline(Duration patience) {
            watch =
                    Thread.ofVirtual()
                            .name("https deadline")
                            .start(
                                    () -> {
                                        try {
                                            Thread.sleep(patience);
                                            over.set(true);
                                            closeAll();
                                        } catch (InterruptedException e) {
                                            Thread.currentThread().interrupt();
                                        }
                                    });
        }

        boolean over() {
            return over.get();
        }

        synchronized Socket watched(Socket socket) throws IOException {
            sockets.add(socket);
            if (over.get()) {
                throw new SocketTimeoutException("no time left");
            }
            return socket;
        }

        private synchronized void closeAll() {
            for (Socket socket : sockets) {
                try {
                    socket.close();
                } catch (IOException e) {
                    // it is of no more use either way
                    over.set(true);
                }
            }
        }

        @Override
        public void close() {
            watch.interrupt();
            closeAll();
        }
    }

    private List<InetAddress> addresses(String host) throws IOException {
        HostAddresses found = HostAddresses.of(name(host), resolver);
        List<InetAddress> usable = found.all().stream().filter(allowed).toList();
        if (usable.isEmpty()) {
            throw new IOException(
                    host
                            + (!found.all().isEmpty()
                                    ? ": leads only to addresses that must not be connected to"
                                    : found.trouble()
                                            .map(why -> ": no address can be had: " + why)
                                            .orElse(": has no address")));
        }
        return HostAddresses.ordered(usable, HostAddresses::routed).stream()
                .limit(MAX_ADDRESSES)
                .toList();
    }

    private static Name name(String host) throws IOException {
        try {
            return Name.fromString(host + ".");
        } catch (TextParseException e) {
            throw new IOException(host + ": is no host name", e);
        }
    }

    private static Socket connected(List<InetAddress> addresses, int port, Deadline deadline)
            throws IOException {
        IOException trouble = new IOException("no address");
        for (InetAddress address : addresses) {
            Socket socket = deadline.watched(new Socket());
            try {
                socket.connect(new InetSocketAddress(address, port), (int) CONNECT.toMillis());
                return socket;
            } catch (IOException e) {
                socket.close();
                trouble =
                        new IOException(
                                "no connection to "
                                        + address.getHostAddress()
                                        + ": "
                                        + e.getMessage(),
                                e);
            }
        }
        throw trouble;
    }

    private SSLSocket secured(Socket plain, String host, int port) throws IOException {
        SSLSocket socket =
                (SSLSocket) authorities.getSocketFactory().createSocket(plain, host, port, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        checkName(socket, host);
        return socket;
    }

    /// RFC 8461 §3.3: only the DNS names of subjectAltName count, and a wildcard only as the whole
    /// of the first label. The platform would also take a common name.
    private static void checkName(SSLSocket socket, String host) throws IOException {
        Certificate first = socket.getSession().getPeerCertificates()[0];
        try {
            CertificateNames.require((X509Certificate) first, List.of(host), false);
        } catch (TlsFailure e) {
            SSLPeerUnverifiedException another = new SSLPeerUnverifiedException(e.getMessage());
            another.initCause(e);
            throw another;
        }
    }

    /// @param wanted whether the body is; otherwise it is not looked at, so that nothing can be
    ///     wrong with it
    static Answer answer(InputStream in, boolean wanted) throws IOException {
        for (int interim = 0; interim <= MAX_INTERIM; interim++) {
            int status = status(line(in));
            Map<String, String> fields = fields(in);
            // 1xx come before the answer
            if (status >= 200) {
                String type = fields.getOrDefault("content-type", "").split(";", 2)[0].strip();
                byte[] body = wanted && status < 300 ? body(in, status, fields) : new byte[0];
                return new Answer(status, type.toLowerCase(Locale.ROOT), body);
            }
        }
        throw new ProtocolException("more than " + MAX_INTERIM + " interim answers");
    }

    private static int status(String line) throws IOException {
        if (!line.matches("HTTP/1\\.[0-9] [1-5][0-9][0-9]( .*)?")) {
            throw new ProtocolException("does not speak HTTP/1.1");
        }
        return Integer.parseInt(line.substring(9, 12));
    }

    private static Map<String, String> fields(InputStream in) throws IOException {
        Map<String, String> fields = new TreeMap<>();
        for (int i = 0; i <= MAX_FIELDS; i++) {
            String line = line(in);
            if (line.isEmpty()) {
                return fields;
            }
            int colon = line.indexOf(':');
            if (colon < 1) {
                throw new ProtocolException("a field without a colon");
            }
            fields.merge(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip(),
                    (a, b) -> a + ", " + b);
        }
        throw new ProtocolException("more than " + MAX_FIELDS + " fields");
    }

    // RFC 9112 §6.3
    private static byte[] body(InputStream in, int status, Map<String, String> fields)
            throws IOException {
        if (status == 204) {
            return new byte[0];
        }
        if (fields.containsKey("transfer-encoding")) {
            if (!fields.get("transfer-encoding").equalsIgnoreCase("chunked")) {
                throw new ProtocolException("a transfer encoding that nobody asked for");
            }
            return chunks(in);
        }
        if (fields.containsKey("content-length")) {
            return exactly(in, number(fields.get("content-length"), 10));
        }
        byte[] body = in.readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            throw tooLong();
        }
        return body;
    }

    // RFC 9112 §7.1
    private static byte[] chunks(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            int length = number(line(in).split("[; \t]", 2)[0], 16);
            if (length == 0) {
                return body.toByteArray();
            }
            if (body.size() + length > MAX_BODY) {
                throw tooLong();
            }
            body.writeBytes(exactly(in, length));
            if (!line(in).isEmpty()) {
                throw new ProtocolException("a chunk longer than it says");
            }
        }
    }

    private static byte[] exactly(InputStream in, int length) throws IOException {
        byte[] octets = in.readNBytes(length);
        if (octets.length < length) {
            throw new EOFException("the answer ends too early");
        }
        return octets;
    }

    private static int number(String digits, int radix) throws IOException {
        if (!digits.matches(radix == 16 ? "[0-9A-Fa-f]{1,15}" : "[0-9]{1,15}")) {
            throw new ProtocolException("a length that is no number");
        }
        long number = Long.parseLong(digits, radix);
        if (number > MAX_BODY) {
            throw tooLong();
        }
        return (int) number;
    }

    private static IOException tooLong() {
        return new IOException("longer than " + MAX_BODY + " octets");
    }

    /// Up to CR LF or LF, RFC 9112 §2.2.
    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(80);
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0) {
                throw new EOFException("the answer ends too early");
            }
            if (line.size() == MAX_LINE) {
                throw new ProtocolException("a line longer than " + MAX_LINE + " octets");
            }
            line.write(octet);
        }
        String text = line.toString(StandardCharsets.ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }
}
