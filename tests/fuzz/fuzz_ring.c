/* fuzz_ring.c - a reader over a ring that lies
 *
 * The input overlays the header's positions and the data; every read must end,
 * stay in bounds (ASan) and, once the ring is called damaged, be over.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"
#include "ring_layout.h"

#define READS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct ring_identity identity = { .generation = 1 };
	const size_t positions = offsetof(struct ring_header, intent);
	uint8_t record[RING_RECORD_BYTES_MAX];
	struct ring_reader *reader = NULL;
	struct ring_writer *writer = NULL;
	uint64_t seq, lost;
	uint8_t *map;
	size_t head;
	int fd = memfd_create("fuzz_ring", MFD_CLOEXEC);

	if (fd < 0 || ring_writer_open(&writer, fd, RING_DATA_BYTES_MIN, &identity))
		abort();
	map = mmap(NULL, RING_HEADER_BYTES + RING_DATA_BYTES_MIN, PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	if (map == MAP_FAILED)
		abort();
	ring_write(writer, record, 100);
	/* half of the inputs damage the ring before it is opened, half after */
	if (bytes && data[0] & 1 && ring_reader_open(&reader, fd))
		abort();
	head = sizeof(struct ring_header) - positions;
	if (bytes < head)
		head = bytes;
	memcpy(map + positions, data, head);
	if (bytes > head)
		memcpy(map + RING_HEADER_BYTES, data + head,
		       bytes - head < RING_DATA_BYTES_MIN ? bytes - head : RING_DATA_BYTES_MIN);
	if (!reader)
		(void)ring_reader_open(&reader, fd);   /* refusing is right, too */
	for (int i = 0; reader && i < READS_MAX; i++) {
		ssize_t n = ring_read(reader, record, sizeof(record), &seq, &lost);

		if (n > RING_RECORD_BYTES_MAX)
			abort();
		if (n == 0 || n == -EPROTO)
			break;
	}
	ring_reader_close(reader);
	ring_writer_close(writer);
	munmap(map, RING_HEADER_BYTES + RING_DATA_BYTES_MIN);
	close(fd);
	return 0;
}
