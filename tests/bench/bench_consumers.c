/* bench_consumers.c - what a published record costs the collector with 1 and with 16 aggregators
 *
 * 100 thousand samples a second go the collector's way, publish_sample() and
 * listener_ring() with its control thread, in flushes as its loop makes them;
 * aggregators are processes that sleep until the bell and read all there is.
 * Prints CPU time of the publishing process, the two measured in turns. Each
 * aggregator is held to its accounts: received + lost = published.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "listener.h"
#include "message.h"
#include "publish.h"
#include "ring.h"
#include "symbols.h"

#define RECORDS_PER_S 100000
#define FLUSHES_PER_S 10
#define SECONDS 2
#define ROUNDS 3
#define FRAMES 24
#define RING_BYTES (4u << 20)   /* the collector's default; a flush fills more than its eighth */
#define CROWD 16

static const char text[] =
	"ffffffff81000000 T _text\nffffffff81100000 T net_rx_action\nffffffff82000000 T _etext\n";

struct side {
	char dir[64];
	struct sockaddr_un address;
	int ring_fd;
	struct ring_writer *ring;
	struct symbols *symbols;
	struct publisher *publisher;
	struct listener *listener;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_consumers: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_side(struct side *s)
{
	static const struct ring_identity identity = { .generation = 1 };
	int fd;

	strcpy(s->dir, "/dev/shm/netto-bench-XXXXXX");
	must(mkdtemp(s->dir), "make a directory");
	s->address.sun_family = AF_UNIX;
	snprintf(s->address.sun_path, sizeof(s->address.sun_path), "%s/s", s->dir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(!bind(fd, (struct sockaddr *)&s->address, sizeof(s->address)) && !listen(fd, CROWD),
	     "listen");
	s->ring_fd = memfd_create("bench_consumers", MFD_CLOEXEC);
	must(!ring_writer_open(&s->ring, s->ring_fd, RING_BYTES, &identity) &&
	     !symbols_open(&s->symbols, text, sizeof(text) - 1) &&
	     !publisher_open(&s->publisher, s->ring, s->symbols, 1), "open what publishes");
	must(!listener_start(&s->listener, fd, getegid(), "hello", 5), "start the listener");
}

static void close_side(struct side *s)
{
	listener_stop(s->listener);
	publisher_close(s->publisher);
	symbols_close(s->symbols);
	ring_writer_close(s->ring);
	close(s->ring_fd);
	unlink(s->address.sun_path);
	rmdir(s->dir);
}

/* An aggregator, as far as the collector can tell: until the socket's end. */
static _Noreturn void aggregate(const struct side *s, uint64_t *account, int ready)
{
	static uint8_t record[RING_RECORD_BYTES_MAX];
	struct ring_reader *reader;
	uint64_t seq, lost;
	ssize_t n;
	int fd;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	must(!ring_reader_open(&reader, s->ring_fd) &&
	     !connect(fd, (const struct sockaddr *)&s->address, sizeof(s->address)), "connect");
	must(recv(fd, record, sizeof(record), 0) == 5 && write(ready, "x", 1) == 1, "be greeted");
	while (recv(fd, record, sizeof(record), 0) > 0)
		while ((n = ring_read(reader, record, sizeof(record), &seq, &lost)) > 0 || n == -EAGAIN)
			*account += n > 0 ? 1 + lost : 0;
	_exit(0);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void flush(struct side *s, const struct shared_sample *sample)
{
	for (int i = 0; i < RECORDS_PER_S / FLUSHES_PER_S; i++)
		publish_sample(s->publisher, sample);
	listener_ring(s->listener, ring_writer_next_seq(s->ring), true);
}

/* ns of CPU time a record; negative: accounts do not hold. */
static double run(int aggregators)
{
	struct shared_sample sample = { .frame_count = FRAMES, .syscall = -1, .comm = "bench" };
	struct side side = { 0 };
	uint64_t *accounts = mmap(NULL, CROWD * sizeof(*accounts), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t due, before, published, wrong = 0;
	int ready[2];
	char byte;

	must(accounts != MAP_FAILED && !pipe(ready), "get memory");
	for (int i = 0; i < FRAMES; i++)
		sample.frames[i] = 0xffffffff81100000 + (uint64_t)i;
	open_side(&side);
	for (int i = 0; i < aggregators; i++)
		if (!fork())
			aggregate(&side, &accounts[i], ready[1]);
	for (int i = 0; i < aggregators; i++)
		must(read(ready[0], &byte, 1) == 1, "hear of an aggregator");
	before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	due = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < SECONDS * FLUSHES_PER_S; i++) {
		struct timespec until;

		due += 1000000000u / FLUSHES_PER_S;
		until = (struct timespec){ (time_t)(due / 1000000000u), (long)(due % 1000000000u) };
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		flush(&side, &sample);
	}
	before = now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	published = ring_writer_next_seq(side.ring) - 1;
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = 200000000 }, NULL);
	close_side(&side);
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < aggregators; i++)
		wrong += accounts[i] != published;
	munmap(accounts, CROWD * sizeof(*accounts));
	close(ready[0]);
	close(ready[1]);
	return wrong ? -1 : (double)before / (double)published;
}

int main(void)
{
	static const int crowds[] = { 1, CROWD };
	double best[2] = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 2; i++) {
			const double ns = run(crowds[i]);

			if (ns < 0) {
				printf("consumers: received + lost is not published\n");
				return 1;
			}
			if (!round || ns < best[i])
				best[i] = ns;
		}
	}
	printf("a published record at 100k/s: %.0f ns with 1 aggregator, %.0f ns with %d\n", best[0],
	       best[1], CROWD);
	printf("record_cost_ratio  16_to_1_consumers  %.2f   budget 2\n", best[1] / best[0]);
	return 0;
}
