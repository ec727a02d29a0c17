/* bench_ring.c - what a record of 256 bytes costs the writer, with readers beside it
 *
 * Prints the median of nine runs for each number of readers, CPU time of the
 * writer. Readers are processes that share the other CPU. Every run also holds
 * each reader to its accounts: received + lost = published.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define RUNS 9
#define RECORDS 2000000
#define RECORD_BYTES 256
#define RING_BYTES (4u << 20)
#define READERS_MAX 16

struct shared {
	atomic_int ready;
	atomic_int done;
	uint64_t last_seq;
	uint64_t accounts[READERS_MAX];   /* received + lost */
};

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);   /* one CPU only: slower, not wrong */
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void read_all(struct shared *shared, int fd, uint64_t *account)
{
	uint8_t record[RING_RECORD_BYTES_MAX];
	struct ring_reader *reader;
	uint64_t seq = 0, lost;

	if (ring_reader_open(&reader, fd))
		_exit(1);
	pin(1);
	atomic_fetch_add(&shared->ready, 1);
	for (;;) {
		const int done = atomic_load(&shared->done);
		ssize_t n = ring_read(reader, record, sizeof(record), &seq, &lost);

		if (n > 0)
			*account += 1 + lost;
		else if (n == 0 && done)
			break;
		else if (n == 0)
			sched_yield();
	}
	_exit(0);   /* what the parent has printed is not ours to print */
}

/* ns of CPU time a record; negative: accounts do not hold. */
static double run(int readers)
{
	static const struct ring_identity identity = { .generation = 1 };
	uint8_t record[RECORD_BYTES] = { 1 };
	struct shared *shared;
	struct ring_writer *writer;
	int fd = memfd_create("bench_ring", MFD_CLOEXEC);
	double start, ns;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || ring_writer_open(&writer, fd, RING_BYTES, &identity))
		exit(1);
	for (int i = 0; i < readers; i++)
		if (!fork())
			read_all(shared, fd, &shared->accounts[i]);
	while (atomic_load(&shared->ready) < readers)
		usleep(1000);
	pin(0);
	start = cpu_ns();
	for (int i = 0; i < RECORDS; i++) {
		*(int *)record = i;
		ring_write(writer, record, sizeof(record));
	}
	ns = (cpu_ns() - start) / RECORDS;
	atomic_store(&shared->done, 1);
	for (int i = 0; i < readers; i++)
		wait(NULL);
	for (int i = 0; i < readers; i++)
		if (shared->accounts[i] != RECORDS)
			ns = -1;
	ring_writer_close(writer);
	munmap(shared, sizeof(*shared));
	close(fd);
	return ns;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static const int readers[] = { 0, 1, 4, 16 };
	static const int budgets[] = { 30, 30, 60, 60 };
	double ns[RUNS];

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		for (int k = 0; k < RUNS; k++) {
			ns[k] = run(readers[i]);
			if (ns[k] < 0) {
				printf("ring %d readers: received + lost is not published\n", readers[i]);
				return 1;
			}
		}
		qsort(ns, RUNS, sizeof(ns[0]), compare);
		printf("ring_write_ns      %d_readers  %.1f   budget %d   (%.1f to %.1f)\n",
		       readers[i], ns[RUNS / 2], budgets[i], ns[0], ns[RUNS - 1]);
	}
	return 0;
}
