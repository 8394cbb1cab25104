package org.pabal.mail;

import java.io.IOException;
import java.io.InputStream;

/// The octets of a message, header and body, with CR LF at the end of lines and without
/// dot-stuffing. Can be read often.
public interface Content {

    /// How many octets.
    long size();

    /// The octets from the first on. The caller closes the stream.
    InputStream open() throws IOException;
}
