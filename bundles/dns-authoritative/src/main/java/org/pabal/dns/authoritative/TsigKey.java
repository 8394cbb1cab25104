package org.pabal.dns.authoritative;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TextParseException;

import java.util.Base64;
import java.util.Locale;
import java.util.Map;

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

    private final Name name;
    private final TSIG tsig;

    @Activate
    public TsigKey(Map<String, Object> properties) {
        Settings settings = Settings.of(properties);
        String text = settings.text("name", settings.instance());
        String algorithm = settings.choice("algorithm", ALGORITHMS[0], ALGORITHMS);
        String secret = settings.required("secret", "bm90IGEgc2VjcmV0IGF0IGFsbA==");
        settings.noOthers();
        try {
            name = Name.fromString(text.toLowerCase(Locale.ROOT), Name.root);
        } catch (TextParseException e) {
            throw settings.bad("name", text, "a name", "transfer.example.org");
        }
        try {
            tsig = new TSIG(algorithm(algorithm), name, Base64.getDecoder().decode(secret));
        } catch (IllegalArgumentException e) {
            throw settings.bad("secret", "(not shown)", "base64", "bm90IGEgc2VjcmV0IGF0IGFsbA==");
        }
    }

    Name name() {
        return name;
    }

    TSIG tsig() {
        return tsig;
    }

    private static Name algorithm(String text) {
        return switch (text) {
            case "hmac-sha384" -> TSIG.HMAC_SHA384;
            case "hmac-sha512" -> TSIG.HMAC_SHA512;
            case "hmac-sha224" -> TSIG.HMAC_SHA224;
            case "hmac-sha1" -> TSIG.HMAC_SHA1;
            case "hmac-md5" -> TSIG.HMAC_MD5;
            default -> TSIG.HMAC_SHA256;
        };
    }
}
