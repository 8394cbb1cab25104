package org.pabal.smtp;

import org.pabal.mail.MailPolicy;
import org.pabal.mail.Verdict;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Asks all policies of the node at one of the four moments, in the order of their ranking.
final class Policies {

    private static final Logger LOG = LoggerFactory.getLogger(Policies.class);

    private final Supplier<List<MailPolicy>> current;

    /// @param current the policies as they are now, first the one to ask first
    Policies(Supplier<List<MailPolicy>> current) {
        this.current = current;
    }

    /// Whether there is nobody to ask.
    boolean none() {
        return current.get().isEmpty();
    }

    /// @param moment asks one policy
    /// @param headerFields takes what accepting policies want to put above the message
    /// @return the first refusal; a policy in trouble refuses for now, so that mail waits at the
    /// sender
    Optional<SmtpReply> ask(Function<MailPolicy, Verdict> moment, List<String> headerFields) {
        for (MailPolicy policy : current.get()) {
            try {
                switch (moment.apply(policy)) {
                    case Verdict.Refuse refuse -> {
                        return Optional.of(SmtpReply.of(refuse.status()));
                    }
                    case Verdict.Accept accept -> {
                        for (String field : accept.headerFields()) {
                            headerFields.add(wellFormed(field));
                        }
                    }
                }
            } catch (RuntimeException | LinkageError e) {
                // a LinkageError when the policy's bundle was replaced while it was asked
                LOG.warn(
                        "policy {}: no decision, the mail has to wait",
                        policy.getClass().getName(),
                        e);
                return Optional.of(SmtpReply.NOT_NOW);
            }
        }
        return Optional.empty();
    }

    /// A field that would end the header or begin another field never gets into it (security row
    /// S11).
    private static String wellFormed(String field) {
        int colon = field.indexOf(':');
        boolean good = colon > 0 && field.chars().limit(colon).allMatch(c -> c > ' ' && c < 127);
        for (int i = 0; good && i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\r') {
                good =
                        i + 2 < field.length()
                                && field.charAt(i + 1) == '\n'
                                && (field.charAt(i + 2) == ' ' || field.charAt(i + 2) == '\t');
                i++;
            } else {
                good = c != '\n' && c != 0;
            }
        }
        if (!good) {
            throw new IllegalArgumentException(
                    "header field " + SmtpReply.plain(field) + ": not well-formed");
        }
        return field;
    }
}
