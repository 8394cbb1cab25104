package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.directory.Account;
import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.directory.Proof;
import org.pabal.mail.MailAddress;
import org.pabal.testkit.DirectoryContract;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

class FileDirectoryTest implements DirectoryContract {

    private static final PasswordCost SMALL = new PasswordCost(64, 1, 1, 4_096);
    private static final long ONE_CHECK = 64;

    @TempDir Path node;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
    private FileDirectory directory;
    private String separator = "+";

    @Override
    public Directory directory(String ownDomain) throws IOException {
        directory =
                new FileDirectory(
                        node.resolve("accounts"), ownDomain, clock, separator, SMALL, new Disk());
        return directory;
    }

    @Override
    public Optional<Directory> reopened() throws IOException {
        directory.close();
        return Optional.of(directory("example.test"));
    }

    @AfterEach
    void close() {
        if (directory != null) {
            directory.close();
        }
    }

    @Test
    void keepsFilesThatNobodyElseReads() throws IOException {
        // S29
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        assertEquals(
                "rwx------",
                PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(node.resolve("accounts"))));
        for (String file : List.of("domains.txt", "accounts.txt", "aliases.txt")) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(file(file))));
        }
        assertFalse(text("accounts.txt").contains("pabal"));
        assertTrue(
                text("accounts.txt")
                        .lines()
                        .anyMatch(
                                line ->
                                        line.matches(
                                                "bob@example.test"
                                                    + " \\$argon2id\\$v=19\\$m=64,t=1,p=1\\$\\S+"
                                                    + " SCRAM-SHA-256\\$4096:\\S+"
                                                    + " SCRAM-SHA-1\\$4096:\\S+")));
    }

    @Test
    void keepsRemarksAndWhatItDoesNotUnderstand() throws IOException {
        directory("example.test");
        String before =
                "# Who works here\n\n"
                        + "alice@example.test # since May\n"
                        + "fritz\n"
                        + "\u00e9t\u00e9\n"
                        + "  carol@example.test\r\n";
        Files.writeString(file("accounts.txt"), before, StandardCharsets.ISO_8859_1);
        directory.addAccount(BOB, "pabal".toCharArray());
        directory.password(ALICE, "secret".toCharArray());
        directory.removeAccount(new MailAddress("carol", "example.test"));
        List<String> lines = Files.readAllLines(file("accounts.txt"), StandardCharsets.ISO_8859_1);
        assertEquals(List.of("# Who works here", ""), lines.subList(0, 2));
        assertTrue(
                lines.get(2).startsWith("alice@example.test $argon2id$")
                        && lines.get(2).endsWith(" # since May"));
        assertEquals(List.of("fritz", "\u00e9t\u00e9"), lines.subList(3, 5));
        assertTrue(lines.get(5).startsWith("bob@example.test $argon2id$"));
        assertEquals(6, lines.size());
    }

    @Test
    void noticesWhatSomebodyEdited() throws IOException {
        directory("example.test");
        assertEquals(new Destination.Unknown(), directory.resolve(STAFF));
        append("aliases.txt", "staff@example.test bob@example.test far@example.org # all of us\n");
        // An hour ago: nobody is writing it now
        Files.setLastModifiedTime(
                file("aliases.txt"), FileTime.from(clock.instant().minusSeconds(3_600)));
        backdate();
        assertEquals(
                new Destination.Unknown(),
                directory.resolve(STAFF),
                "looked less than a second ago");
        clock.advance(Duration.ofSeconds(1));
        assertEquals(new Destination.Forward(List.of(BOB, FAR)), directory.resolve(STAFF));
    }

    @Test
    void waitsUntilAFileIsWrittenToItsEnd() throws IOException {
        directory("example.test");
        directory.addAccount(ALICE, "x".toCharArray());
        directory.addAccount(BOB, "x".toCharArray());
        clock.advance(Duration.ofSeconds(1));
        directory.resolve(BOB);
        String whole = text("accounts.txt");
        Files.writeString(file("accounts.txt"), whole.substring(0, whole.length() / 2));
        ahead("accounts.txt", 1);
        clock.advance(Duration.ofSeconds(1));
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(BOB));
        Files.writeString(file("accounts.txt"), whole + "# done\n");
        ahead("accounts.txt", 2);
        for (int i = 0; i < 3; i++) {
            clock.advance(Duration.ofSeconds(1));
            assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(BOB));
        }
        Files.writeString(file("accounts.txt"), "# nobody\n");
        ahead("accounts.txt", 3);
        clock.advance(Duration.ofSeconds(1));
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(BOB));
        clock.advance(Duration.ofSeconds(1));
        assertEquals(new Destination.Unknown(), directory.resolve(BOB));
    }

    @Test
    void goesOnWithWhatItKnowsWhenAFileIsGone() throws IOException {
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        Files.move(file("accounts.txt"), file("accounts.bak"));
        for (int i = 0; i < 3; i++) {
            clock.advance(Duration.ofSeconds(2));
            assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(BOB));
        }
        assertThrows(IOException.class, () -> directory.addAccount(ALICE, "x".toCharArray()));
        Files.move(file("accounts.bak"), file("accounts.txt"));
        directory.addAccount(ALICE, "x".toCharArray());
        assertEquals(2, directory.accounts().count());
    }

    @Test
    void passesOverLinesThatItCannotUse() throws IOException {
        Files.createDirectories(node.resolve("accounts"));
        Files.writeString(
                file("domains.txt"), "example.test\nnot a domain\n[192.0.2.1]\nEXAMPLE.test\n");
        Files.writeString(
                file("accounts.txt"),
                """
                bob@example.test
                BOB@example.test
                bob
                alice@example.test pabal
                carol@example.test $argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA
                carol@example.test SCRAM-SHA-1$1:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=
                dave@example.org
                eve@example.test
                """);
        Files.writeString(
                file("aliases.txt"),
                """
                staff@example.test
                staff@example.test bob@example.test nobody
                bob@example.test eve@example.test
                staff@example.org bob@example.test
                all@example.test bob@example.test eve@example.test
                """);
        directory("example.test");
        assertEquals(List.of("example.test"), directory.domains().map(d -> d.name()).toList());
        assertEquals(
                List.of("bob@example.test", "eve@example.test"),
                directory.accounts().map(Account::toString).toList());
        assertEquals(
                List.of("all@example.test"),
                directory.aliases().map(a -> a.from().toString()).toList());
        List<String> troubles =
                new AccountsVersion(
                                TextLines.read(file("domains.txt")),
                                TextLines.read(file("accounts.txt")),
                                TextLines.read(file("aliases.txt")))
                        .troubles();
        assertEquals(13, troubles.size(), troubles.toString());
        assertEquals(
                "accounts.txt:4: expected ADDRESS $argon2id$… SCRAM-SHA-256$… SCRAM-SHA-1$…, for"
                        + " example made by account:add; the line is passed over",
                troubles.get(5));
    }

    @Test
    void checksWhoeverIsNotThereAsHard() throws IOException {
        // S19: as work, not as time, which a busy machine would blur
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        append("accounts.txt", "carol@example.test\n");
        directory.addAccount(ALICE, "x".toCharArray());
        for (String login :
                List.of(
                        "bob",
                        "carol",
                        "nobody",
                        "bob@example.org",
                        "",
                        "@",
                        "not an address",
                        "\"")) {
            long before = directory.work();
            assertTrue(directory.authenticate(login, password("wrong")).isEmpty());
            assertEquals(ONE_CHECK, directory.work() - before, login);
        }
    }

    @Test
    void remembersASignInForFiveMinutes() throws IOException {
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        assertEquals(ONE_CHECK, work("bob", "pabal"));
        assertEquals(0, work("BOB@example.test", "pabal"));
        assertEquals(ONE_CHECK, work("bob", "wrong"));
        assertEquals(ONE_CHECK, work("bob", "wrong"));
        clock.advance(Duration.ofMinutes(5));
        assertEquals(ONE_CHECK, work("bob", "pabal"));
        assertEquals(0, work("bob", "pabal"));
    }

    @Test
    void remembersNothingOfAnotherAccountOrPassword() throws IOException {
        // S21
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        directory.addAccount(ALICE, "pabal".toCharArray());
        assertTrue(directory.authenticate("bob", password("pabal")).isPresent());
        assertEquals(ONE_CHECK, work("alice", "pabal"));
        directory.password(BOB, "new".toCharArray());
        assertTrue(directory.authenticate("bob", password("pabal")).isEmpty());
        directory.password(BOB, "pabal".toCharArray());
        assertEquals(ONE_CHECK, work("bob", "pabal"));
        directory.removeAccount(BOB);
        assertTrue(directory.authenticate("bob", password("pabal")).isEmpty());
        directory.addAccount(BOB, "other".toCharArray());
        assertTrue(directory.authenticate("bob", password("pabal")).isEmpty());
    }

    @Test
    void checksOnceForManyWhoSignInTogether() throws Exception {
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        List<Future<Boolean>> results = new ArrayList<>();
        try (ExecutorService sessions = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 200; i++) {
                Callable<Boolean> signIn =
                        () -> directory.authenticate("bob", password("pabal")).isPresent();
                results.add(sessions.submit(signIn));
            }
        }
        for (Future<Boolean> result : results) {
            assertTrue(result.get());
        }
        assertTrue(
                directory.work() <= ONE_CHECK * Runtime.getRuntime().availableProcessors(),
                "" + directory.work());
    }

    @Test
    void saysSoWhenItIsClosed() throws IOException {
        directory("example.test");
        directory.addAccount(BOB, "pabal".toCharArray());
        directory.close();
        assertThrows(IOException.class, () -> directory.authenticate("bob", password("wrong")));
    }

    @Test
    void refusesPasswordsThatNobodyCanType() throws IOException {
        directory("example.test");
        for (String password : List.of("", "a\nb", "a\0b", "x".repeat(1_025))) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> directory.addAccount(BOB, password.toCharArray()));
        }
        directory.addAccount(BOB, "x".repeat(1_024).toCharArray());
        assertThrows(IllegalArgumentException.class, () -> directory.password(BOB, new char[0]));
    }

    @Test
    void refusesAddressesThatWouldBreakALine() throws IOException {
        directory("example.test");
        MailAddress broken = new MailAddress("a\nb", "example.test");
        assertThrows(
                IllegalArgumentException.class,
                () -> directory.addAccount(broken, "x".toCharArray()));
        assertThrows(
                IllegalArgumentException.class, () -> directory.addAlias(STAFF, List.of(broken)));
        assertThrows(IllegalArgumentException.class, () -> directory.addDomain("a.test\nb.test"));
    }

    @Test
    void writesAddressesThatLookLikeRemarks() throws IOException {
        MailAddress hash = new MailAddress("#1", "example.test");
        directory("example.test");
        directory.addAccount(hash, "x".toCharArray());
        directory.addAlias(STAFF, List.of(hash, BOB));
        Directory next = reopened().orElseThrow();
        assertEquals(new Destination.Local(new Account(hash)), next.resolve(hash));
        assertEquals(new Destination.Forward(List.of(hash, BOB)), next.resolve(STAFF));
    }

    @Test
    void takesBothSpellingsOfADomainForOne() throws IOException {
        directory("예.test");
        String ascii = java.net.IDN.toASCII("예.test");
        MailAddress bob = new MailAddress("bob", "예.test");
        directory.addAccount(bob, "x".toCharArray());
        assertEquals(
                new Destination.Local(new Account(bob)),
                directory.resolve(new MailAddress("bob", ascii)));
        assertThrows(IllegalArgumentException.class, () -> directory.addDomain(ascii));
    }

    @Test
    void leadsPostmasterOfEachDomainToItsFirstAccount() throws IOException {
        directory("example.test");
        directory.addDomain("other.test");
        directory.addAccount(BOB, "x".toCharArray());
        MailAddress postmaster = new MailAddress("postmaster", "other.test");
        assertEquals(new Destination.Unknown(), directory.resolve(postmaster));
        MailAddress zoe = new MailAddress("zoe", "other.test");
        directory.addAccount(zoe, "x".toCharArray());
        assertEquals(new Destination.Local(new Account(zoe)), directory.resolve(postmaster));
        directory.addAccount(postmaster, "x".toCharArray());
        assertEquals(new Destination.Local(new Account(postmaster)), directory.resolve(postmaster));
    }

    @Test
    void changesNothingWhenTheDiskIsFull() throws IOException {
        directory("example.test").accounts();
        directory.addAccount(BOB, "x".toCharArray());
        String before = text("accounts.txt");
        directory.close();
        directory =
                new FileDirectory(
                        node.resolve("accounts"),
                        "example.test",
                        clock,
                        separator,
                        SMALL,
                        new Disk() {
                            @Override
                            void replace(Path file, byte[] octets) throws IOException {
                                throw new IOException("No space left on device");
                            }
                        });
        assertThrows(IOException.class, () -> directory.addAccount(ALICE, "x".toCharArray()));
        assertEquals(1, directory.accounts().count());
        assertEquals(before, text("accounts.txt"));
    }

    @Test
    void separatesSubaddressesAsItIsToldTo() throws IOException {
        separator = "-";
        directory("example.test");
        directory.addAccount(BOB, "x".toCharArray());
        directory.addAccount(new MailAddress("jean-paul", "example.test"), "x".toCharArray());
        assertEquals("bob", user("bob-x-y"));
        assertEquals("jean-paul", user("Jean-Paul-x"));
        assertEquals("", user("bob+x"));
        separator = "";
        reopened();
        assertEquals("", user("bob-x"));
        assertEquals("", user("bob+x"));
        assertEquals("bob", user("bob"));
    }

    private String user(String localPart) throws IOException {
        return directory.resolve(new MailAddress(localPart, "example.test"))
                        instanceof Destination.Local(Account account)
                ? account.address().localPart()
                : "";
    }

    @Test
    void readsACatchAllThatWasWrittenByHand() throws IOException {
        directory("예.test");
        directory.addAccount(new MailAddress("bob", "예.test"), "x".toCharArray());
        directory.close();
        Files.writeString(file("aliases.txt"), "*@예.test bob@예.test # all of it\n");
        directory("예.test");
        Destination bob = new Destination.Forward(List.of(new MailAddress("bob", "예.test")));
        assertEquals(bob, directory.resolve(new MailAddress("x", "예.test")));
        assertEquals(bob, directory.resolve(new MailAddress("x", "xn--2j5b.test")));
    }

    @Test
    void keepsItsSecret() throws IOException {
        directory("example.test");
        byte[] secret = FileAccounts.secret(file("secret"), new Disk());
        assertEquals(32, secret.length);
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(file("secret"))));
        org.junit.jupiter.api.Assertions.assertArrayEquals(
                secret, FileAccounts.secret(file("secret"), new Disk()));
    }

    private long work(String login, String password) throws IOException {
        long before = directory.work();
        directory.authenticate(login, password(password));
        return directory.work() - before;
    }

    private static Proof password(String text) {
        return new Proof.Password(text.toCharArray());
    }

    private Path file(String name) {
        return node.resolve("accounts").resolve(name);
    }

    private String text(String name) throws IOException {
        return Files.readString(file(name));
    }

    private void append(String name, String text) throws IOException {
        Files.writeString(file(name), text(name) + text);
    }

    private void backdate() throws IOException {
        for (String name : List.of("domains.txt", "accounts.txt", "aliases.txt")) {
            Files.setLastModifiedTime(
                    file(name), FileTime.from(clock.instant().minusSeconds(3_600)));
        }
    }

    private void ahead(String name, int seconds) throws IOException {
        Files.setLastModifiedTime(
                file(name), FileTime.from(clock.instant().plusSeconds(3_600 + seconds)));
    }
}
