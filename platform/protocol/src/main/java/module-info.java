/// How a protocol is plugged into a socket that it does not own.
module org.pabal.protocol {
    requires static osgi.annotation;

    exports org.pabal.protocol;
}
