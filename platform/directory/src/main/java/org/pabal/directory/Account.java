package org.pabal.directory;

import org.pabal.mail.MailAddress;

/// Somebody who has mail here.
///
/// @param address the account's own address, under which its mailboxes are kept
public record Account(MailAddress address) {

    @Override
    public String toString() {
        return address.toString();
    }
}
