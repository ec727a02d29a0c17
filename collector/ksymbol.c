/* ksymbol.c - the kernel tells of BPF programs and trampolines as they come and go
 *
 * The layout of a ring: perf_event_open(2), "MMAP layout". Records are multiples
 * of eight bytes and may run over the ring's end; with sample_id_all and
 * PERF_SAMPLE_TIME alone the last eight bytes of each are its time. The bytes
 * are checked as if they could lie.
 */
#include "ksymbol.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 64 KiB hold some 350 loads with their unloads, between two drains. What does
 * not fit the kernel counts. */
#define DATA_BYTES (64u << 10)

/* Newer than the headers of some systems we build on. */
#define KSYMBOL_TYPE_BPF 1
#define KSYMBOL_UNREGISTER 1

struct ring {
	struct perf_event_mmap_page *page;
	const uint8_t *data;
	uint64_t tail, head;        /* during a read */
};

struct ksymbols {
	size_t page_bytes;
	size_t data_bytes;
	bool mapped;
	size_t count;
	struct ring rings[];
};

/* What stands between a record's header and its time. */
struct ksymbol_body {
	uint64_t address;
	uint32_t bytes;
	uint16_t type;
	uint16_t flags;
	char name[KSYMBOL_NAME_BYTES];
};

struct lost_body {
	uint64_t id;
	uint64_t lost;
};

int ksymbols_open_at(struct ksymbols **out, void *const memory[], size_t count, size_t data_bytes)
{
	struct ksymbols *k = calloc(1, sizeof(*k) + count * sizeof(k->rings[0]));

	if (!k)
		return -ENOMEM;
	k->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	k->data_bytes = data_bytes;
	k->count = count;
	for (size_t i = 0; i < count; i++) {
		k->rings[i].page = memory[i];
		k->rings[i].data = (const uint8_t *)memory[i] + k->page_bytes;
	}
	*out = k;
	return 0;
}

/* A ring on one CPU; the mapping keeps the event. 0; -errno. */
static int map_event(void **memory, unsigned int cpu, size_t bytes)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.ksymbol = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,             /* nobody polls: never wake anybody up */
		.wakeup_watermark = UINT32_MAX,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1,
			      PERF_FLAG_FD_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	*memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*memory == MAP_FAILED)
		err = -errno;
	close(fd);
	return err;
}

int ksymbols_open(struct ksymbols **out, const struct cpu_list *online)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t data = page > DATA_BYTES ? page : DATA_BYTES;
	void **memory = calloc(online->count + 1, sizeof(*memory));
	size_t count = 0;
	int err = memory ? 0 : -ENOMEM;

	for (unsigned int cpu = 0; !err && cpu < online->slots; cpu++) {
		if (!online->listed[cpu])
			continue;
		err = map_event(&memory[count], cpu, page + data);
		count += !err;
	}
	if (!err)
		err = ksymbols_open_at(out, memory, count, data);
	if (!err)
		(*out)->mapped = true;
	for (size_t i = 0; err && i < count; i++)
		munmap(memory[i], page + data);
	free(memory);
	return err;
}

/* Bytes at a position of the ring, over its end. */
static void copy_out(const struct ksymbols *k, const struct ring *ring, uint64_t position,
		     void *out, size_t bytes)
{
	const size_t at = position & (k->data_bytes - 1);
	const size_t to_end = k->data_bytes - at;

	memcpy(out, ring->data + at, bytes < to_end ? bytes : to_end);
	if (bytes > to_end)
		memcpy((uint8_t *)out + to_end, ring->data, bytes - to_end);
}

/* The first record of a ring and its time. False: none, or damage, which is
 * skipped and counted as one lost record. */
static bool peek(const struct ksymbols *k, struct ring *ring, struct perf_event_header *header,
		 uint64_t *time_ns, uint64_t *lost)
{
	const uint64_t waiting = ring->head - ring->tail;

	if (!waiting)
		return false;
	if (waiting <= k->data_bytes && waiting >= sizeof(*header)) {
		copy_out(k, ring, ring->tail, header, sizeof(*header));
		if (header->size >= sizeof(*header) + sizeof(*time_ns) && header->size % 8 == 0 &&
		    header->size <= waiting) {
			copy_out(k, ring, ring->tail + header->size - sizeof(*time_ns), time_ns,
				 sizeof(*time_ns));
			return true;
		}
	}
	ring->tail = ring->head;
	*lost += 1;
	return false;
}

/* The ring whose first record is the oldest of all; NULL: all are empty. */
static struct ring *oldest(struct ksymbols *k, struct perf_event_header *header, uint64_t *lost)
{
	struct ring *found = NULL;
	uint64_t found_ns = UINT64_MAX;

	for (size_t i = 0; i < k->count; i++) {
		struct perf_event_header this;
		uint64_t time_ns;

		if (!peek(k, &k->rings[i], &this, &time_ns, lost) || (found && time_ns >= found_ns))
			continue;
		found = &k->rings[i];
		found_ns = time_ns;
		*header = this;
	}
	return found;
}

static void hand_on(const struct ksymbols *k, const struct ring *ring, size_t body_bytes,
		    ksymbol_fn on_symbol, void *arg)
{
	struct ksymbol_body body = { 0 };
	struct ksymbol symbol;

	copy_out(k, ring, ring->tail + sizeof(struct perf_event_header), &body,
		 body_bytes < sizeof(body) ? body_bytes : sizeof(body));
	symbol = (struct ksymbol){
		.address = body.address,
		.bytes = body.bytes,
		.gone = body.flags & KSYMBOL_UNREGISTER,
		.bpf = body.type == KSYMBOL_TYPE_BPF,
		.name_bytes = strnlen(body.name, sizeof(body.name)),
	};
	memcpy(symbol.name, body.name, symbol.name_bytes);
	on_symbol(arg, &symbol);
}

uint64_t ksymbols_read(struct ksymbols *k, ksymbol_fn on_symbol, void *arg)
{
	struct perf_event_header header;
	struct ring *ring;
	uint64_t lost = 0;

	if (!k)
		return 0;
	for (size_t i = 0; i < k->count; i++) {
		k->rings[i].head = __atomic_load_n(&k->rings[i].page->data_head, __ATOMIC_ACQUIRE);
		k->rings[i].tail = k->rings[i].page->data_tail;
	}
	while ((ring = oldest(k, &header, &lost))) {
		const size_t body_bytes = header.size - sizeof(header) - sizeof(uint64_t);
		struct lost_body body;

		if (header.type == PERF_RECORD_KSYMBOL &&
		    body_bytes > offsetof(struct ksymbol_body, name)) {
			hand_on(k, ring, body_bytes, on_symbol, arg);
		} else if (header.type == PERF_RECORD_LOST && body_bytes >= sizeof(body)) {
			copy_out(k, ring, ring->tail + sizeof(header), &body, sizeof(body));
			lost += body.lost;
		}
		ring->tail += header.size;
	}
	for (size_t i = 0; i < k->count; i++)
		__atomic_store_n(&k->rings[i].page->data_tail, k->rings[i].tail, __ATOMIC_RELEASE);
	return lost;
}

void ksymbols_close(struct ksymbols *k)
{
	for (size_t i = 0; k && k->mapped && i < k->count; i++)
		munmap(k->rings[i].page, k->page_bytes + k->data_bytes);
	free(k);
}
