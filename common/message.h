/* common/message.h - what travels over collector.sock
 *
 * One netto.Message a SOCK_SEQPACKET datagram, collector to aggregator. The
 * collector packs once and sends; the aggregator checks before it believes.
 */
#ifndef NETTO_COMMON_MESSAGE_H
#define NETTO_COMMON_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "netto.pb-c.h"

#define MESSAGE_BYTES_MAX 4096
#define MESSAGE_DOORBELL_BYTES 16   /* no packed doorbell is larger */

/* Pack hello into buf. Bytes; -EMSGSIZE: it does not fit. */
ssize_t message_pack_hello(const Netto__Hello *hello, void *buf, size_t buf_bytes);

/* Pack a doorbell; allocates nothing. Bytes written to buf. */
size_t message_pack_doorbell(uint64_t next_seq, uint8_t buf[static MESSAGE_DOORBELL_BYTES]);

/* Unpack and check one datagram: a known kind, sizes in bounds, boot_id of 16
 * bytes, rate and period not 0, cpu_slots up to 8192, cpus_online 1 to cpu_slots.
 * 0 and *message, freed by message_free(); -EPROTO: refused;
 * -EPROTONOSUPPORT: a Hello of another schema_major; -ENOMEM. */
int message_unpack(const void *buf, size_t bytes, Netto__Message **message);
void message_free(Netto__Message *message);

#endif
