package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// What every [ResponsePolicy] does.
public interface ResponsePolicyContract {

    InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.7");
    Name UNKNOWN = Name.fromConstantString("nobody-ever-heard-of-this.example.");

    /// A policy that has a ruling on [#known] of type A, and none on [#UNKNOWN].
    ResponsePolicy policy() throws Exception;

    /// A name that it has a ruling on.
    Name known();

    @Test
    default void saysNothingOfWhatItDoesNotKnow() throws Exception {
        ResponsePolicy policy = policy();
        for (int type : List.of(Type.A, Type.AAAA, Type.TXT, Type.ANY, 65_280)) {
            assertEquals(Ruling.NONE, policy.question(UNKNOWN, type, CLIENT));
        }
        assertEquals(Ruling.NONE, policy.answer(UNKNOWN, Type.A, CLIENT, List.of()));
    }

    @Test
    default void upperAndLowerCaseAreTheSame() throws Exception {
        ResponsePolicy policy = policy();
        Name upper = Name.fromString(known().toString().toUpperCase(Locale.ROOT));
        Ruling ruling = policy.question(known(), Type.A, CLIENT);
        assertNotEquals(Ruling.NONE, ruling);
        assertEquals(ruling.getClass(), policy.question(upper, Type.A, CLIENT).getClass());
    }

    @Test
    default void everyQuestionHasARuling() throws Exception {
        ResponsePolicy policy = policy();
        String label = "a".repeat(63) + '.';
        String longest = label.repeat(3) + "a".repeat(61) + '.';
        for (String name :
                List.of(".", "*.", "\\000.", "\\046\\255.a.", longest, "a.".repeat(127))) {
            for (int type : List.of(0, Type.A, Type.OPT, Type.AXFR, Type.ANY, 65_535)) {
                Name odd = Name.fromString(name);
                assertTrue(policy.question(odd, type, CLIENT) instanceof Ruling);
                assertTrue(policy.answer(odd, type, CLIENT, List.of()) instanceof Ruling);
            }
        }
    }

    @Test
    default void recordsInPlaceOfOthersAreWhatWasAskedForOrAnAlias() throws Exception {
        ResponsePolicy policy = policy();
        for (int type : List.of(Type.A, Type.AAAA, Type.MX, Type.CNAME, Type.ANY)) {
            if (policy.question(known(), type, CLIENT)
                    instanceof Ruling.Instead(RRset records, String why)) {
                assertEquals(known(), records.getName(), why);
                assertTrue(
                        type == Type.ANY
                                || records.getType() == type
                                || records.getType() == Type.CNAME,
                        why + ": " + records);
                assertTrue(!records.isEmpty(), why);
            }
        }
    }

    @Test
    default void whoDoesNotJudgeAnswersHasNoRulingOnThem() throws Exception {
        ResponsePolicy policy = policy();
        if (!policy.judgesAnswers()) {
            RRset set = new RRset(new ARecord(known(), DClass.IN, 60, CLIENT));
            assertEquals(Ruling.NONE, policy.answer(known(), Type.A, CLIENT, List.of(set)));
        }
    }

    /// It is asked on the receiving thread (rule 4 of the house).
    @Test
    default void doesNotWait() throws Exception {
        ResponsePolicy policy = policy();
        assertTimeout(
                Duration.ofSeconds(5),
                () -> {
                    for (int i = 0; i < 10_000; i++) {
                        policy.question(UNKNOWN, Type.A, CLIENT);
                        policy.question(known(), Type.A, CLIENT);
                    }
                });
    }

    @Test
    default void saysTheSameToManyThreads() throws Exception {
        ResponsePolicy policy = policy();
        Ruling expected = policy.question(known(), Type.A, CLIENT);
        Callable<Boolean> asks =
                () -> {
                    boolean same = true;
                    for (int i = 0; i < 2_000; i++) {
                        same &= expected.equals(policy.question(known(), Type.A, CLIENT));
                        same &= Ruling.NONE.equals(policy.question(UNKNOWN, Type.A, CLIENT));
                    }
                    return same;
                };
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Boolean>> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(threads.submit(asks));
            }
            for (Future<Boolean> each : all) {
                assertTrue(each.get());
            }
        }
    }
}
