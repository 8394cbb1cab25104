/// Works the queue: leases what is due, finds out where each recipient's mail goes, and hands it to
/// a courier.
///
/// For the node, which has one worker on its queue, and for vendors whose [org.pabal.mail.Courier]
/// it calls. Start at [QueueWorker], which is the whole walk; [LocalCourier] is the last mile into
/// a mailbox of this node, [RemoteCourier] the one to another host.
package org.pabal.delivery;
