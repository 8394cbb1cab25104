package org.pabal.storage.file;

import org.pabal.directory.Account;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Passwords that were checked minutes ago, so that a client that signs in for every message costs
/// one check and not hundreds.
///
/// Kept is a hash keyed by a number that lives as long as the process, over the account's full
/// address, the stored hash and the password (security row S21: nobody is taken for another). A new
/// password makes a new stored hash with a new salt, so what was remembered under the old one is
/// never found again.
final class RememberedSignIns {

    private final Duration length;
    private final InstantSource clock;
    private final SecretKeySpec key;

    // Guarded by itself; the oldest goes when it is full.
    private final Map<ByteBuffer, Instant> until;

    RememberedSignIns(int most, Duration length, InstantSource clock) {
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        this.key = new SecretKeySpec(random, "HmacSHA256");
        this.length = length;
        this.clock = clock;
        this.until =
                new LinkedHashMap<>() {
                    private static final long serialVersionUID = 1L;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Instant> eldest) {
                        return size() > most;
                    }
                };
    }

    boolean knows(Account account, PasswordHash hash, char[] password) {
        ByteBuffer mark = mark(account, hash, password);
        Instant now = clock.instant();
        synchronized (until) {
            Instant end = until.get(mark);
            if (end != null && !now.isBefore(end)) {
                until.remove(mark);
            }
            return end != null && now.isBefore(end);
        }
    }

    void remember(Account account, PasswordHash hash, char[] password) {
        ByteBuffer mark = mark(account, hash, password);
        Instant end = clock.instant().plus(length);
        synchronized (until) {
            until.remove(mark);
            until.put(mark, end);
        }
    }

    void clear() {
        synchronized (until) {
            until.clear();
        }
    }

    int size() {
        synchronized (until) {
            return until.size();
        }
    }

    private ByteBuffer mark(Account account, PasswordHash hash, char[] password) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(account.toString().getBytes(StandardCharsets.UTF_8));
            mac.update((byte) 0);
            mac.update(hash.toString().getBytes(StandardCharsets.US_ASCII));
            mac.update((byte) 0);
            ByteBuffer octets = StandardCharsets.UTF_8.encode(CharBuffer.wrap(password));
            mac.update(octets.duplicate());
            Arrays.fill(octets.array(), (byte) 0);
            return ByteBuffer.wrap(mac.doFinal());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no HMAC over SHA-256", e);
        }
    }
}
