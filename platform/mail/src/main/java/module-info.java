/// Envelope, content, queue, courier, policy.
module org.pabal.mail {
    requires static osgi.annotation;

    exports org.pabal.mail;
}
