package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.pabal.directory.Account;
import org.pabal.directory.Alias;
import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.directory.DirectoryEditor;
import org.pabal.directory.Domain;
import org.pabal.directory.Proof;
import org.pabal.directory.ScramKeys;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;

import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/// What every [Directory] does that can be edited.
public interface DirectoryContract {

    MailAddress ALICE = new MailAddress("alice", "example.test");
    MailAddress BOB = new MailAddress("bob", "example.test");
    MailAddress STAFF = new MailAddress("staff", "example.test");
    MailAddress FAR = new MailAddress("far", "example.org");

    /// A directory with this one domain and nobody in it. Called once at the beginning of each
    /// test.
    Directory directory(String ownDomain) throws Exception;

    /// The editor of a directory, when that is another object.
    default DirectoryEditor editor(Directory directory) {
        return (DirectoryEditor) directory;
    }

    /// Closes the directory as a restart does, and opens it again over the same data. Empty when it
    /// keeps nothing over a restart; the tests about that are then skipped.
    default Optional<Directory> reopened() throws Exception {
        return Optional.empty();
    }

    @Test
    default void tellsLocalAliasUnknownAndElsewhereApart() throws Exception {
        Directory directory = peopled();
        editor(directory).addAlias(STAFF, List.of(ALICE, FAR));
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(BOB));
        assertEquals(new Destination.Forward(List.of(ALICE, FAR)), directory.resolve(STAFF));
        assertEquals(
                new Destination.Unknown(),
                directory.resolve(new MailAddress("nobody", "example.test")));
        assertEquals(new Destination.Elsewhere(), directory.resolve(FAR));
        assertEquals(
                new Destination.Elsewhere(),
                directory.resolve(new MailAddress("bob", "sub.example.test")));
    }

    @Test
    default void matchesWithoutRegardToCase() throws Exception {
        Directory directory = peopled();
        editor(directory).addAlias(STAFF, List.of(ALICE));
        assertEquals(
                new Destination.Local(new Account(BOB)),
                directory.resolve(new MailAddress("BoB", "Example.TEST")));
        assertInstanceOf(
                Destination.Forward.class,
                directory.resolve(new MailAddress("STAFF", "example.test")));
        assertEquals(Optional.of(new Account(BOB)), directory.account("BOB@example.test"));
    }

    // RFC 5321 §4.5.1
    @Test
    default void postmasterLeadsSomewhere() throws Exception {
        Directory directory = peopled();
        for (String postmaster : List.of("postmaster", "Postmaster")) {
            assertInstanceOf(
                    Destination.Local.class,
                    directory.resolve(new MailAddress(postmaster, "example.test")));
        }
        MailAddress postmaster = new MailAddress("postmaster", "example.test");
        editor(directory).addAlias(postmaster, List.of(BOB));
        assertEquals(new Destination.Forward(List.of(BOB)), directory.resolve(postmaster));
    }

    // RFC 5233 §1
    @Test
    default void subaddressLeadsToItsUser() throws Exception {
        Directory directory = peopled();
        editor(directory).addAlias(STAFF, List.of(ALICE, FAR));
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(ours("BOB+Lists")));
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(ours("bob+a+b")));
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(ours("bob+")));
        assertEquals(
                new Destination.Forward(List.of(ALICE, FAR)), directory.resolve(ours("staff+x")));
        for (String nobody : List.of("+bob", "nobody+bob", "bob-x", "+")) {
            assertEquals(new Destination.Unknown(), directory.resolve(ours(nobody)), nobody);
        }
        assertEquals(
                new Destination.Elsewhere(),
                directory.resolve(new MailAddress("bob+x", "example.org")));
        assertFalse(directory.caught(ours("bob+x")));
    }

    @Test
    default void wholeAddressIsTakenBeforeSubaddress() throws Exception {
        Directory directory = peopled();
        editor(directory).addAccount(ours("bob+x"), "x".toCharArray());
        editor(directory).addAlias(ours("bob+y"), List.of(ALICE));
        assertEquals(
                new Destination.Local(new Account(ours("bob+x"))),
                directory.resolve(ours("bob+X")));
        assertEquals(
                new Destination.Local(new Account(ours("bob+x"))),
                directory.resolve(ours("bob+x+z")));
        assertEquals(new Destination.Forward(List.of(ALICE)), directory.resolve(ours("bob+y")));
    }

    @Test
    default void catchAllTakesWhatNobodyElseHas() throws Exception {
        Directory directory = peopled();
        editor(directory).addAlias(STAFF, List.of(BOB));
        editor(directory).addAlias(ours("*"), List.of(ALICE, FAR));
        Destination caught = new Destination.Forward(List.of(ALICE, FAR));
        for (String nobody : List.of("nobody", "No.Body", "nobody+bob", "*", "*+x", "a b")) {
            assertEquals(caught, directory.resolve(ours(nobody)), nobody);
            assertTrue(directory.caught(ours(nobody)), nobody);
        }
        assertEquals(new Destination.Local(new Account(BOB)), directory.resolve(ours("bob+x")));
        assertEquals(new Destination.Forward(List.of(BOB)), directory.resolve(STAFF));
        assertInstanceOf(Destination.Local.class, directory.resolve(ours("Postmaster")));
        for (MailAddress somebodys : List.of(BOB, STAFF, FAR, ours("bob+x"), ours("postmaster"))) {
            assertFalse(directory.caught(somebodys), somebodys.toString());
        }
        editor(directory).addDomain("other.test");
        MailAddress other = new MailAddress("nobody", "other.test");
        assertEquals(new Destination.Unknown(), directory.resolve(other), "of its domain only");
        assertFalse(directory.caught(other));
        editor(directory).removeAlias(ours("*"));
        assertEquals(new Destination.Unknown(), directory.resolve(ours("nobody")));
        assertThrows(
                IllegalArgumentException.class,
                () -> editor(directory).addAccount(ours("*"), "x".toCharArray()));
    }

    @Test
    default void nobodySignsInByAnAliasASubaddressOrACatchAll() throws Exception {
        Directory directory = peopled();
        editor(directory).addAlias(STAFF, List.of(BOB));
        editor(directory).addAlias(ours("*"), List.of(BOB));
        for (String login : List.of("bob+x", "bob+x@example.test", "staff", "*", "nobody")) {
            assertEquals(Optional.empty(), directory.account(login), login);
            assertEquals(Optional.empty(), signIn(directory, login, "pabal"), login);
            assertTrue(directory.scramKeys(login, "SHA-256").isEmpty(), login);
        }
    }

    @Test
    default void loginWithoutDomainMeansTheNodesOwn() throws Exception {
        Directory directory = peopled();
        editor(directory).addDomain("other.test");
        editor(directory).addAccount(new MailAddress("carol", "other.test"), "x".toCharArray());
        assertEquals(Optional.of(new Account(BOB)), directory.account("bob"));
        assertEquals(Optional.empty(), directory.account("carol"));
        assertEquals(Optional.empty(), directory.account(""));
        assertEquals(Optional.empty(), directory.account("@"));
    }

    @Test
    default void signsInWithTheRightPasswordOnly() throws Exception {
        Directory directory = peopled();
        assertEquals(Optional.of(new Account(BOB)), signIn(directory, "bob", "pabal"));
        assertEquals(Optional.of(new Account(BOB)), signIn(directory, "bob@example.test", "pabal"));
        assertEquals(Optional.of(new Account(BOB)), signIn(directory, "bob", "pabal"), "again");
        assertEquals(Optional.empty(), signIn(directory, "bob", "Pabal"));
        assertEquals(Optional.empty(), signIn(directory, "bob", ""));
        assertEquals(Optional.empty(), signIn(directory, "nobody", "pabal"));
        assertEquals(Optional.empty(), signIn(directory, "alice", "pabal"));
        assertEquals(Optional.empty(), directory.authenticate("bob", new Proof.Bearer("pabal")));
    }

    @Test
    default void newPasswordReplacesTheOldAtOnce() throws Exception {
        Directory directory = peopled();
        assertTrue(signIn(directory, "bob", "pabal").isPresent());
        ScramKeys before = directory.scramKeys("bob", "SHA-256").orElseThrow();
        editor(directory).password(BOB, "파발 2".toCharArray());
        assertEquals(Optional.empty(), signIn(directory, "bob", "pabal"));
        assertTrue(signIn(directory, "bob", "파발 2").isPresent());
        ScramKeys after = directory.scramKeys("bob", "SHA-256").orElseThrow();
        assertFalse(MessageDigest.isEqual(before.storedKey(), after.storedKey()));
        MailAddress nobody = new MailAddress("nobody", "example.test");
        assertThrows(
                IllegalArgumentException.class,
                () -> editor(directory).password(nobody, "x".toCharArray()));
    }

    // RFC 5802 §3
    @Test
    default void scramKeysFitThePassword() throws Exception {
        Directory directory = peopled();
        for (String hash : List.of("SHA-1", "SHA-256")) {
            ScramKeys keys = directory.scramKeys("bob", hash).orElseThrow();
            assertTrue(keys.iterations() >= 4_096);
            assertTrue(keys.salt().length >= 16);
            String algorithm = "Hmac" + hash.replace("-", "");
            byte[] salted =
                    SecretKeyFactory.getInstance("PBKDF2With" + algorithm)
                            .generateSecret(
                                    new PBEKeySpec(
                                            "pabal".toCharArray(),
                                            keys.salt(),
                                            keys.iterations(),
                                            keys.storedKey().length * 8))
                            .getEncoded();
            Mac mac = Mac.getInstance(algorithm);
            mac.init(new SecretKeySpec(salted, algorithm));
            byte[] client = mac.doFinal("Client Key".getBytes("US-ASCII"));
            assertArrayEquals(MessageDigest.getInstance(hash).digest(client), keys.storedKey());
            assertArrayEquals(mac.doFinal("Server Key".getBytes("US-ASCII")), keys.serverKey());
        }
        assertTrue(directory.scramKeys("nobody", "SHA-256").isEmpty());
        assertTrue(directory.scramKeys("bob", "MD5").isEmpty());
    }

    @Test
    default void listsAreSorted() throws Exception {
        Directory directory = peopled();
        editor(directory).addDomain("a.test");
        editor(directory).addAlias(STAFF, List.of(BOB));
        editor(directory).addAlias(new MailAddress("all", "example.test"), List.of(BOB));
        assertEquals(List.of(new Account(ALICE), new Account(BOB)), directory.accounts().toList());
        assertEquals(
                List.of(new Domain("a.test"), new Domain("example.test")),
                directory.domains().toList());
        assertEquals(
                List.of("all@example.test", "staff@example.test"),
                editor(directory).aliases().map(a -> a.from().toString()).toList());
    }

    @Test
    default void whatCannotBeDoneIsRefusedAndChangesNothing() throws Exception {
        Directory directory = peopled();
        DirectoryEditor editor = editor(directory);
        char[] password = "x".toCharArray();
        MailAddress nobody = new MailAddress("nobody", "example.test");
        assertThrows(IllegalArgumentException.class, () -> editor.addAccount(BOB, password));
        assertThrows(IllegalArgumentException.class, () -> editor.addAccount(FAR, password));
        assertThrows(IllegalArgumentException.class, () -> editor.removeAccount(nobody));
        assertThrows(IllegalArgumentException.class, () -> editor.removeAlias(nobody));
        assertThrows(IllegalArgumentException.class, () -> editor.addAlias(FAR, List.of(BOB)));
        assertThrows(IllegalArgumentException.class, () -> editor.addAlias(STAFF, List.of()));
        assertThrows(IllegalArgumentException.class, () -> editor.addDomain("example.test"));
        assertThrows(IllegalArgumentException.class, () -> editor.addDomain("not a domain"));
        assertThrows(IllegalArgumentException.class, () -> editor.removeDomain("other.test"));
        assertThrows(IllegalArgumentException.class, () -> editor.removeDomain("example.test"));
        assertEquals(2, directory.accounts().count());
        assertEquals(1, directory.domains().count());
        assertEquals(0, editor.aliases().count());
        assertTrue(signIn(directory, "bob", "pabal").isPresent());
    }

    @Test
    default void removedIsGone() throws Exception {
        Directory directory = peopled();
        DirectoryEditor editor = editor(directory);
        editor.addAlias(STAFF, List.of(BOB));
        editor.addAlias(STAFF, List.of(ALICE));
        assertEquals(new Destination.Forward(List.of(ALICE)), directory.resolve(STAFF));
        assertTrue(signIn(directory, "bob", "pabal").isPresent());
        editor.removeAlias(STAFF);
        editor.removeAccount(BOB);
        assertEquals(new Destination.Unknown(), directory.resolve(STAFF));
        assertEquals(new Destination.Unknown(), directory.resolve(BOB));
        assertEquals(Optional.empty(), signIn(directory, "bob", "pabal"));
        assertTrue(directory.scramKeys("bob", "SHA-1").isEmpty());
        editor.removeAccount(ALICE);
        editor.addDomain("other.test");
        editor.removeDomain("other.test");
        assertEquals(
                new Destination.Elsewhere(), directory.resolve(new MailAddress("x", "other.test")));
    }

    @Test
    default void everyChangeSurvivesARestart() throws Exception {
        Directory directory = peopled();
        DirectoryEditor editor = editor(directory);
        MailAddress quoted = new MailAddress("a \"b", "예.test");
        editor.addDomain("예.test");
        editor.addAccount(quoted, "p\\w #:".toCharArray());
        editor.addAlias(STAFF, List.of(quoted, FAR));
        editor.password(BOB, "new".toCharArray());
        editor.removeAccount(ALICE);
        ScramKeys keys = directory.scramKeys("bob", "SHA-256").orElseThrow();

        Optional<Directory> reopened = reopened();
        assumeTrue(reopened.isPresent(), "keeps nothing over a restart");
        Directory next = reopened.get();
        assertEquals(
                List.of(new Alias(STAFF, List.of(quoted, FAR))), editor(next).aliases().toList());
        assertEquals(new Destination.Local(new Account(quoted)), next.resolve(quoted));
        assertEquals(new Destination.Unknown(), next.resolve(ALICE));
        assertTrue(signIn(next, "bob", "new").isPresent());
        assertTrue(signIn(next, quoted.toString(), "p\\w #:").isPresent());
        assertEquals(Optional.empty(), signIn(next, "bob", "pabal"));
        assertArrayEquals(
                keys.storedKey(), next.scramKeys("bob", "SHA-256").orElseThrow().storedKey());
        assertEquals(List.of("example.test", "예.test"), next.domains().map(Domain::name).toList());
    }

    private Directory peopled() throws Exception {
        Directory directory = directory("example.test");
        editor(directory).addAccount(BOB, "pabal".toCharArray());
        editor(directory).addAccount(ALICE, "secret".toCharArray());
        return directory;
    }

    private static MailAddress ours(String localPart) {
        return new MailAddress(localPart, "example.test");
    }

    private static Optional<Account> signIn(Directory directory, String login, String password)
            throws IOException {
        return directory.authenticate(login, new Proof.Password(password.toCharArray()));
    }
}
