/* common/ring.h - broadcast ring: one writer, any number of readers, lossy
 *
 * The writer never waits for a reader. A reader left a whole ring behind loses
 * the oldest records and learns exactly how many. Readers map the file
 * read-only and leave no trace in it, so no reader can slow, stop or corrupt
 * the writer or another reader.
 *
 * A ring is a file of one header page and a power of two of data bytes
 * (ring_layout.h). Readers believe none of them: a damaged ring is refused,
 * never a crash or an endless loop. One thing they rely on: whoever may write
 * the file does not shrink it, for a page that is gone is a SIGBUS in them.
 */
#ifndef NETTO_COMMON_RING_H
#define NETTO_COMMON_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_SCHEMA_MAJOR 1   /* of proto/netto.proto; a reader refuses another */
#define RING_SCHEMA_MINOR 1
#define RING_RECORD_BYTES_MAX 4096
#define RING_DATA_BYTES_MIN (64u << 10)
#define RING_DATA_BYTES_MAX (1u << 30)

/* Who made this ring; written once, before any reader can see the file. */
struct ring_identity {
	uint64_t generation;   /* of the collector's run; never 0 */
	uint8_t boot_id[16];   /* /proc/sys/kernel/random/boot_id, as bytes */
};

struct ring_writer;
struct ring_reader;

/* Allocate data_bytes (a power of two within the limits above) and a header in
 * the empty file behind fd, map every page and write the header. fd stays the
 * caller's and may be closed. 0; -EINVAL: size, or the file is not empty;
 * -ENOMEM; -errno of fstat, posix_fallocate (-ENOSPC) or mmap. */
int ring_writer_open(struct ring_writer **writer, int fd, uint32_t data_bytes,
		     const struct ring_identity *identity);

/* Append one record of 1 to RING_RECORD_BYTES_MAX bytes. Never fails, never
 * waits, makes no system call. */
void ring_write(struct ring_writer *writer, const void *record, size_t bytes);

/* Sequence number that the next record will get; the first one gets 1. */
uint64_t ring_writer_next_seq(const struct ring_writer *writer);

/* Bytes of the ring written so far, round by round: where it stands. */
uint64_t ring_writer_position(const struct ring_writer *writer);

/* Unmaps; takes NULL. */
void ring_writer_close(struct ring_writer *writer);

/* Map the ring behind fd read-only, positioned behind the newest record: the
 * first one delivered is the next one written. What came before this reader is
 * neither delivered nor lost. fd stays the caller's. 0; -EPROTO: not a ring, truncated or damaged; -EPROTONOSUPPORT: a
 * ring of another schema_major; -ENOMEM; -errno of fstat or mmap. */
int ring_reader_open(struct ring_reader **reader, int fd);

/* Copy the next record to buf, its sequence number to *seq, and to *lost how
 * many records were overwritten between this one and the one before it.
 * Bytes copied; 0: up to date; -EAGAIN: lapped, positioned anew where up to
 * three quarters of the data are still kept, call again;
 * -EPROTO: the ring is damaged, close it. buf_bytes is RING_RECORD_BYTES_MAX
 * or more. */
ssize_t ring_read(struct ring_reader *reader, void *buf, size_t buf_bytes,
		  uint64_t *seq, uint64_t *lost);

/* The identity in the ring's header, copied at open. */
const struct ring_identity *ring_reader_identity(const struct ring_reader *reader);

/* Unmaps; takes NULL. */
void ring_reader_close(struct ring_reader *reader);

#endif
