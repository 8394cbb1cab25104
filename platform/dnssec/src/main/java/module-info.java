/// Signs zones, rolls their keys, digests them, and checks what others have signed.
module org.pabal.dnssec {
    requires static osgi.annotation;
    requires transitive org.pabal.dns;
    requires transitive org.dnsjava;

    exports org.pabal.dnssec;
}
