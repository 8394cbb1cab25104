package org.pabal.dns.authoritative;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TextParseException;

import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;

import javax.crypto.spec.SecretKeySpec;

/// The doorway for keys that two servers share to know each other (TSIG, RFC 8945): one for each
/// file `etc/org.pabal.tsig~NAME.cfg`.
@Component(
        service = TsigKey.class,
        configurationPid = "org.pabal.tsig",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class TsigKey {

    private static final String[] ALGORITHMS = {
        "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1", "hmac-md5"
    };

    /// RFC 8945 §6
    ///
    /// @param mac what Java calls it
    /// @param macOctets how long its MACs are
    record Algorithm(Name name, String mac, int macOctets) {}

    private final Name name;
    private final Algorithm algorithm;
    private final byte[] secret;
    private final TSIG tsig;

    @Activate
    public TsigKey(Map<String, Object> properties) {
        Settings settings = Settings.of(properties);
        String text = settings.text("name", settings.instance());
        algorithm = algorithm(settings.choice("algorithm", ALGORITHMS[0], ALGORITHMS));
        String shared = settings.required("secret", "bm90IGEgc2VjcmV0IGF0IGFsbA==");
        settings.noOthers();
        try {
            name = Name.fromString(text.toLowerCase(Locale.ROOT), Name.root);
        } catch (TextParseException e) {
            throw settings.bad("name", text, "a name", "transfer.example.org");
        }
        try {
            secret = Base64.getDecoder().decode(shared);
            tsig = new TSIG(algorithm.name(), name, secret);
        } catch (IllegalArgumentException e) {
            throw settings.bad("secret", "(not shown)", "base64", "bm90IGEgc2VjcmV0IGF0IGFsbA==");
        }
    }

    Name name() {
        return name;
    }

    Algorithm algorithm() {
        return algorithm;
    }

    TSIG tsig() {
        return tsig;
    }

    /// The same by another clock than that of the machine.
    TSIG tsig(InstantSource clock) {
        SecretKeySpec key = new SecretKeySpec(secret, algorithm.mac());
        return new TSIG(algorithm.name(), name, key, clock.withZone(ZoneOffset.UTC));
    }

    private static Algorithm algorithm(String text) {
        return switch (text) {
            case "hmac-sha384" -> new Algorithm(TSIG.HMAC_SHA384, "HmacSHA384", 48);
            case "hmac-sha512" -> new Algorithm(TSIG.HMAC_SHA512, "HmacSHA512", 64);
            case "hmac-sha224" -> new Algorithm(TSIG.HMAC_SHA224, "HmacSHA224", 28);
            case "hmac-sha1" -> new Algorithm(TSIG.HMAC_SHA1, "HmacSHA1", 20);
            case "hmac-md5" -> new Algorithm(TSIG.HMAC_MD5, "HmacMD5", 16);
            default -> new Algorithm(TSIG.HMAC_SHA256, "HmacSHA256", 32);
        };
    }
}
