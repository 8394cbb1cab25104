package org.pabal.storage.file;

import org.junit.jupiter.api.Test;

/// How long a password check takes: `mvn -o test -Dtest=PasswordBenchmark`. Its name keeps it out
/// of the ordinary build.
class PasswordBenchmark {

    @Test
    void checksAPassword() {
        char[] password = "correct horse".toCharArray();
        PasswordHash hash = PasswordHash.of(password, PasswordCost.DEFAULT, new byte[16]);
        for (int round = 0; round < 10; round++) {
            long begun = System.nanoTime();
            hash.fits(password);
            System.out.printf("a check: %.0f ms%n", (System.nanoTime() - begun) / 1e6);
        }
    }
}
