package org.pabal.transport;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/// Hands out the one key of a listener. A [java.security.KeyStore] in its place would encrypt the
/// key in memory first, with thousands of rounds, once for each listener of a start.
final class OneKey extends X509ExtendedKeyManager {

    private static final String ALIAS = "pabal";

    private final PrivateKey key;
    private final X509Certificate[] chain;

    OneKey(PrivateKey key, X509Certificate[] chain) {
        this.key = key;
        this.chain = chain.clone();
    }

    @Override
    public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
        return fits(type) ? ALIAS : null; // null: no such key, by the contract of X509KeyManager
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
        return fits(type) ? ALIAS : null;
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
        return fits(type) ? new String[] {ALIAS} : null;
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
        return null;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
        return null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return chain.clone();
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return key;
    }

    /// Key types are named as algorithms, but for RSA keys that are to sign with PSS.
    private boolean fits(String type) {
        String algorithm = key.getAlgorithm();
        return type.equals(algorithm)
                || algorithm.equals("RSA") && type.equals("RSASSA-PSS")
                || algorithm.equals("EdDSA") && type.startsWith("Ed");
    }
}
