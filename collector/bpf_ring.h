/* collector/bpf_ring.h - consumer of one BPF ring buffer, by mmap alone
 *
 * What the kernel lays down there: Documentation/bpf/ringbuf.rst and
 * kernel/bpf/ringbuf.c. Reading makes no system call, so it goes on after every
 * privilege and descriptor is gone. The bytes are checked as if they could lie.
 */
#ifndef NETTO_COLLECTOR_BPF_RING_H
#define NETTO_COLLECTOR_BPF_RING_H

#include <stddef.h>
#include <stdint.h>

struct bpf_ring {
	uint64_t *consumer;         /* bytes read since the start, ours to write */
	const uint64_t *producer;   /* bytes written since the start */
	const uint8_t *data;        /* twice in a row, so that no record is torn */
	uint32_t data_bytes;        /* a power of two */
};

/* Map the ring buffer behind map_fd, which stays the caller's and may be
 * closed. 0; -errno of mmap. */
int bpf_ring_open(struct bpf_ring *ring, int map_fd, uint32_t data_bytes);

/* The record at the consumer's position and its size; NULL: none that is
 * finished. Discarded records and damage are skipped. Valid until
 * bpf_ring_release(). */
const void *bpf_ring_peek(struct bpf_ring *ring, uint32_t *bytes);

/* Give the place of the record of `bytes` bytes last peeked at back to the kernel. */
void bpf_ring_release(struct bpf_ring *ring, uint32_t bytes);

/* Unmaps; takes a ring of zeros. */
void bpf_ring_close(struct bpf_ring *ring);

#endif
