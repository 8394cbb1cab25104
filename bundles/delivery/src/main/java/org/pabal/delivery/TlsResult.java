package org.pabal.delivery;

import java.util.Locale;

/// What was wrong with TLS, in the words of RFC 8460 §4.3.
enum TlsResult {
    STARTTLS_NOT_SUPPORTED,
    CERTIFICATE_HOST_MISMATCH,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_NOT_TRUSTED,
    VALIDATION_FAILURE,
    TLSA_INVALID,
    DNSSEC_INVALID,
    DANE_REQUIRED,
    STS_POLICY_FETCH_ERROR,
    STS_POLICY_INVALID,
    STS_WEBPKI_INVALID;

    /// As it stands in a report: `starttls-not-supported`.
    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
