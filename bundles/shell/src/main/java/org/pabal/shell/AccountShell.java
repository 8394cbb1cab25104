package org.pabal.shell;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.directory.Account;
import org.pabal.directory.Directory;
import org.pabal.directory.DirectoryEditor;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// `account:…`: who has mail here.
@Component(
        service = AccountShell.class,
        property = {
            "osgi.command.scope=account",
            "osgi.command.function=add",
            "osgi.command.function=remove",
            "osgi.command.function=list",
            "osgi.command.function=password"
        })
public final class AccountShell {

    // 32 letters and digits that cannot be taken for one another: 5 bits each, 20 of them are 100
    // bits.
    private static final String LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
    private static final int PASSWORD_LENGTH = 20;

    private final Directory directory;
    private final DirectoryEditor editor;
    private final SecureRandom random = new SecureRandom();

    @Activate
    public AccountShell(@Reference Directory directory, @Reference DirectoryEditor editor) {
        this.directory = directory;
        this.editor = editor;
    }

    @Descriptor(
            "Adds an account with a generated password, which is shown. Example: account:add"
                    + " bob@example.org")
    public String add(@Descriptor("its address") String address) throws IOException {
        char[] password = generated();
        return withPassword(password, () -> editor.addAccount(address(address), password));
    }

    @Descriptor("Adds an account. Example: account:add bob@example.org 'correct horse'")
    public void add(
            @Descriptor("its address") String address, @Descriptor("its password") String password)
            throws IOException {
        MailAddress parsed = address(address);
        wiping(password, characters -> editor.addAccount(parsed, characters));
    }

    @Descriptor(
            "Removes an account; its mailboxes stay on disk. Example: account:remove"
                    + " bob@example.org")
    public void remove(@Descriptor("its address") String address) throws IOException {
        editor.removeAccount(address(address));
    }

    @Descriptor("Lists the accounts. Example: account:list")
    public List<String> list() throws IOException {
        try (Stream<Account> accounts = directory.accounts()) {
            return accounts.map(Account::toString).toList();
        }
    }

    @Descriptor(
            "Sets a generated password, which is shown. Example: account:password bob@example.org")
    public String password(@Descriptor("the account's address") String address) throws IOException {
        char[] password = generated();
        return withPassword(password, () -> editor.password(address(address), password));
    }

    @Descriptor("Sets a password. Example: account:password bob@example.org 'correct horse'")
    public void password(
            @Descriptor("the account's address") String address,
            @Descriptor("the new password") String password)
            throws IOException {
        MailAddress parsed = address(address);
        wiping(password, characters -> editor.password(parsed, characters));
    }

    static MailAddress address(String text) {
        return MailAddress.parse(text)
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        text
                                                + ": expected an address, for example"
                                                + " bob@example.org"));
    }

    private char[] generated() {
        char[] password = new char[PASSWORD_LENGTH];
        for (int i = 0; i < password.length; i++) {
            password[i] = LETTERS.charAt(random.nextInt(LETTERS.length()));
        }
        return password;
    }

    private static String withPassword(char[] password, Change change) throws IOException {
        try {
            change.make();
            return "password: " + new String(password);
        } finally {
            Arrays.fill(password, ' ');
        }
    }

    private static void wiping(String password, PasswordChange change) throws IOException {
        if (password.isEmpty()) {
            throw new IllegalArgumentException(
                    "the password is empty; leave it out to have one generated");
        }
        char[] characters = password.toCharArray();
        try {
            change.make(characters);
        } finally {
            Arrays.fill(characters, ' ');
        }
    }

    @FunctionalInterface
    private interface Change {
        void make() throws IOException;
    }

    @FunctionalInterface
    private interface PasswordChange {
        void make(char[] password) throws IOException;
    }
}
