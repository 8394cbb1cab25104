package org.pabal.testkit;

import org.junit.jupiter.api.Nested;
import org.pabal.dns.ZoneObserver;

import java.time.InstantSource;

/// The stores in memory keep the contracts; the contracts can be kept.
class MemoryStoresTest {

    @Nested
    class Queue implements MailQueueContract {
        @Override
        public MemoryMailQueue queue(InstantSource clock) {
            return new MemoryMailQueue(clock);
        }
    }

    @Nested
    class Mailboxes implements MailboxStoreContract {
        @Override
        public MemoryMailboxStore store() {
            return new MemoryMailboxStore();
        }
    }

    @Nested
    class Accounts implements DirectoryContract {
        @Override
        public MemoryDirectory directory(String ownDomain) {
            return new MemoryDirectory(ownDomain);
        }
    }

    @Nested
    class Zones implements ZoneStoreContract {
        @Override
        public MemoryZoneStore store(ZoneObserver observer) {
            return new MemoryZoneStore(observer);
        }
    }

    @Nested
    class ZoneKeys implements ZoneKeyStoreContract {
        @Override
        public MemoryZoneKeyStore store() {
            return new MemoryZoneKeyStore();
        }
    }

    @Nested
    class Freshness implements ZoneFreshnessContract {
        @Override
        public MemoryZoneFreshness freshness() {
            return new MemoryZoneFreshness();
        }
    }
}
