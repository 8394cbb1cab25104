/// Reads a bundle's settings, and says what is wrong with them in one line.
module org.pabal.settings {
    requires static osgi.annotation;

    exports org.pabal.settings;
}
