/* common/ring_layout.h - bytes of a ring file; for ring.c and what tests it
 *
 * One header page, then data_bytes of records. Positions count bytes written
 * since the ring was made; they never wrap, and modulo data_bytes they are
 * offsets into the data. A record does not cross the end of the data: what is
 * left there is filled by one padding record.
 */
#ifndef NETTO_COMMON_RING_LAYOUT_H
#define NETTO_COMMON_RING_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RING_MAGIC 0x676e726f7474656eull   /* "nettorng", little-endian */
#define RING_HEADER_BYTES 4096
#define RING_ALIGN 16
#define RING_MARKS 16
#define RING_NONE UINT64_MAX

enum ring_record_kind { RING_PADDING, RING_RECORD };

struct ring_record {
	_Atomic uint32_t bytes;   /* this header included, alignment not */
	_Atomic uint32_t kind;
	_Atomic uint64_t seq;     /* of padding: of the record behind it */
};

struct ring_header {
	uint64_t magic;
	uint32_t schema_major;
	uint32_t schema_minor;
	uint64_t generation;
	uint8_t boot_id[16];
	uint32_t data_bytes;

	/* Written for every record, read for every record: one cache line. */
	_Alignas(64) _Atomic uint64_t intent;   /* bytes below this may be overwritten soon */
	_Atomic uint64_t tail;                  /* bytes below this are published */
	_Atomic uint64_t latest;                /* a record lately published; RING_NONE before */

	/* The data is cut into RING_MARKS segments. marks[n % RING_MARKS] is the
	 * first record that starts in segment n or, if none does, behind it. */
	_Alignas(64) _Atomic uint64_t marks[RING_MARKS];
};

_Static_assert(sizeof(struct ring_record) == RING_ALIGN, "padding always has room for its header");
_Static_assert(sizeof(struct ring_header) <= RING_HEADER_BYTES, "the header is one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock in read-only memory cannot be taken");

#endif
