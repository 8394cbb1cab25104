package org.pabal.delivery;

import java.io.IOException;
import java.net.URI;

/// Asks web servers of other domains, by HTTPS and nothing else.
interface WebClient {

    /// What a server said.
    ///
    /// @param status 200 and so on; of a redirection too, which nobody follows
    /// @param type the media type in lower case, without parameters; empty when it was not said
    /// @param body empty unless the status is one of success
    record Answer(int status, String type, byte[] body) {}

    /// @throws javax.net.ssl.SSLException when the server did not prove who it is
    Answer get(URI uri) throws IOException;

    /// @throws javax.net.ssl.SSLException when the server did not prove who it is
    Answer post(URI uri, String type, byte[] body) throws IOException;
}
