package org.pabal.mailbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Set;

class UidSetTest {

    @Test
    void joinsWhatTouches() {
        assertEquals("1:5,7", UidSet.of(3, 1, 2, 7, 5, 4, 4).toString());
        assertEquals(
                "1:9",
                new UidSet(List.of(new UidSet.Range(1, 9), new UidSet.Range(2, 3))).toString());
        assertEquals("", UidSet.NONE.toString());
    }

    @Test
    void containsBothEnds() {
        UidSet set = new UidSet(List.of(new UidSet.Range(2, 4), new UidSet.Range(8, 8)));
        for (long uid : new long[] {2, 3, 4, 8}) {
            assertTrue(set.contains(uid));
        }
        for (long uid : new long[] {1, 5, 7, 9}) {
            assertFalse(set.contains(uid));
        }
    }

    @Test
    void editsFlagsWithoutRegardToCase() {
        assertEquals(Set.of(), new FlagEdit.Remove(Set.of("\\SEEN")).apply(Set.of("\\Seen")));
        assertEquals(1, new FlagEdit.Add(Set.of("\\SEEN")).apply(Set.of("\\Seen")).size());
        assertEquals(Set.of("work"), new FlagEdit.Replace(Set.of("work")).apply(Set.of("\\Seen")));
    }
}
