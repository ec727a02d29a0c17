/* collector/bpf_ring.c - consumer of one BPF ring buffer, by mmap alone */
#include "bpf_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER_BYTES 8u             /* __u32 length and flags, __u32 page offset */
#define BUSY (1u << 31)             /* BPF_RINGBUF_BUSY_BIT: still being written */
#define DISCARD (1u << 30)          /* BPF_RINGBUF_DISCARD_BIT */

int bpf_ring_open(struct bpf_ring *ring, int map_fd, uint32_t data_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t producer_bytes = page + 2 * (size_t)data_bytes;
	void *consumer, *producer;
	int err;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, producer_bytes, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		err = -errno;
		munmap(consumer, page);
		return err;
	}
	ring->consumer = consumer;
	ring->producer = producer;
	ring->data = (const uint8_t *)producer + page;
	ring->data_bytes = data_bytes;
	return 0;
}

static uint64_t padded(uint32_t bytes)
{
	return ((uint64_t)bytes + HEADER_BYTES + 7) & ~7ull;
}

static void move_on(struct bpf_ring *ring, uint64_t bytes)
{
	__atomic_store_n(ring->consumer, *ring->consumer + bytes, __ATOMIC_RELEASE);
}

const void *bpf_ring_peek(struct bpf_ring *ring, uint32_t *bytes)
{
	for (;;) {
		uint64_t produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
		uint64_t position = *ring->consumer;
		uint64_t waiting = produced - position;
		const uint8_t *record = ring->data + (position & (ring->data_bytes - 8));
		uint32_t header, length;

		if (!waiting)
			return NULL;
		header = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		if (header & BUSY)
			return NULL;
		length = header & ~DISCARD;
		if (waiting > ring->data_bytes || padded(length) > waiting) {
			move_on(ring, waiting);     /* damage: start again at the newest */
			return NULL;
		}
		if (header & DISCARD) {
			move_on(ring, padded(length));
			continue;
		}
		*bytes = length;
		return record + HEADER_BYTES;
	}
}

void bpf_ring_release(struct bpf_ring *ring, uint32_t bytes)
{
	move_on(ring, padded(bytes));
}

void bpf_ring_close(struct bpf_ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!ring->consumer)
		return;
	munmap(ring->consumer, page);
	munmap((void *)(uintptr_t)ring->producer, page + 2 * (size_t)ring->data_bytes);
	memset(ring, 0, sizeof(*ring));
}
