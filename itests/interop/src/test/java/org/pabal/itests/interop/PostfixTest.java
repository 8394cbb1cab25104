package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Postfix on the other side, in both directions.
class PostfixTest {

    private static final String MESSAGE =
            """
            From: Alice <alice@one.test>
            To: somebody
            Subject: %s
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Grüße, 안녕하세요.
            .a dot
            """;

    @TempDir Path scratch;

    @Test
    void takesOurMailOverTlsAndOurs7BitWhereItWantsThat() throws Exception {
        Postfix.need();
        Tool.need("curl");
        Tool.need("openssl");
        String records =
                """
                post MX 10 post-mx
                post-mx A 127.0.0.4
                seven MX 10 seven-mx
                seven-mx A 127.0.0.5
                """;
        try (MailHouses houses = new MailHouses(scratch, records)) {
            certificate("post-mx.two.test");
            houses.start();
            String relay = "[" + MailHouses.ONE + "]:" + houses.mailPort;
            try (Postfix post =
                            Postfix.start(
                                    scratch.resolve("post"),
                                    MailHouses.THIRD,
                                    houses.mailPort,
                                    "post.two.test",
                                    relay,
                                    "smtpd_tls_security_level = may\n"
                                            + "smtpd_tls_received_header = yes\n"
                                            + "smtp_tls_security_level = encrypt\n"
                                            + "smtpd_tls_chain_files = "
                                            + scratch.resolve("chain.pem")
                                            + "\n");
                    Postfix seven =
                            Postfix.start(
                                    scratch.resolve("seven"),
                                    MailHouses.DEAD,
                                    houses.mailPort,
                                    "seven.two.test",
                                    relay,
                                    "smtpd_discard_ehlo_keywords = 8bitmime, chunking,"
                                            + " smtputf8\n")) {
                houses.aliceSends(
                        scratch,
                        MESSAGE.formatted("both"),
                        "bob@post.two.test",
                        "bob@seven.two.test");
                String eight = post.awaitMail(1).getFirst();
                assertTrue(eight.contains("Content-Transfer-Encoding: 8bit"), eight);
                assertTrue(eight.contains("using TLSv1.3"), eight);
                assertTrue(eight.contains("\n.a dot\n"), eight);
                String ascii = seven.awaitMail(1).getFirst();
                assertTrue(ascii.contains("Content-Transfer-Encoding: quoted-printable"), ascii);
                assertTrue(ascii.contains("Gr=C3=BC=C3=9Fe"), ascii);
                assertTrue(ascii.contains("\n.a dot\n"), ascii);
                assertTrue(ascii.chars().allMatch(c -> c < 128), ascii);
                houses.one.awaitEmptyQueue();

                post.submit(
                        "bob@post.two.test", "alice@one.test", MESSAGE.formatted("the way back"));
                String back =
                        MailHouses.await(
                                "Subject: the way back", () -> houses.alicesMail().toString());
                assertTrue(back.contains("Return-Path: <bob@post.two.test>"), back);
                assertTrue(back.contains("with ESMTPS "), back);
                assertFalse(back.contains("Subject: Undelivered"), back);
            }
        }
    }

    private void certificate(String name) throws Exception {
        Tool.Result made =
                Tool.run(
                        scratch,
                        Map.of(),
                        List.of(
                                "openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                "/CN=" + name,
                                "-addext",
                                "subjectAltName=DNS:" + name,
                                "-keyout",
                                "key.pem",
                                "-out",
                                "cert.pem"));
        assertTrue(made.exit() == 0, made.output());
        Files.writeString(
                scratch.resolve("chain.pem"),
                Files.readString(scratch.resolve("key.pem"))
                        + Files.readString(scratch.resolve("cert.pem")));
    }
}
