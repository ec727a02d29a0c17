/* tests/integration/uring_load.c - io_uring work in kernel threads, for a number of seconds
 *
 *   uring_load worker|sqpoll send|disk SECONDS
 *
 * worker: every operation goes to an io worker (IOSQE_ASYNC); sqpoll: to the thread that polls
 * the queue. send: datagrams over loopback; disk: a file of its own, past the cache.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 32u
#define BLOCK_BYTES (128u << 10)
#define DATAGRAM_BYTES 512

struct ring {
	int fd;
	bool polled;
	unsigned int *sq_tail, *sq_flags, *sq_array, sq_mask;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static char *blocks;            /* one an entry, aligned for direct I/O */

static void *map(int fd, size_t bytes, off_t offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (p == MAP_FAILED)
		err(1, "cannot map the ring");
	return p;
}

static void ring_open(struct ring *r, bool polled)
{
	struct io_uring_params p = { .flags = polled ? IORING_SETUP_SQPOLL : 0,
				     .sq_thread_idle = 100 };
	char *sq, *cq;

	r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (r->fd < 0)
		err(errno == ENOSYS || errno == EPERM ? 77 : 1, "cannot set up io_uring");
	r->polled = polled;
	sq = map(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = map(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes), IORING_OFF_CQ_RING);
	r->sqes = map(r->fd, p.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_flags = (unsigned int *)(sq + p.sq_off.flags);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->sq_mask = p.sq_entries - 1;
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	r->cq_mask = p.cq_entries - 1;
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static void ring_add(struct ring *r, unsigned int i, const struct io_uring_sqe *operation)
{
	unsigned int tail = *r->sq_tail, slot = tail & r->sq_mask;

	r->sqes[slot] = *operation;
	r->sqes[slot].flags = r->polled ? 0 : IOSQE_ASYNC;
	r->sqes[slot].user_data = i;
	r->sq_array[slot] = slot;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

/* Hand over what was added, wait for all of it. */
static void ring_run(struct ring *r)
{
	unsigned int flags = IORING_ENTER_GETEVENTS, head;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->polled && __atomic_load_n(r->sq_flags, __ATOMIC_RELAXED) & IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	while (syscall(SYS_io_uring_enter, r->fd, ENTRIES, ENTRIES, flags, NULL, 0) < 0)
		if (errno != EINTR)
			err(1, "cannot enter io_uring");
	for (head = *r->cq_head; head != __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE); head++)
		if (r->cqes[head & r->cq_mask].res < 0)
			errx(1, "an operation failed: %s",
			     strerror(-r->cqes[head & r->cq_mask].res));
	__atomic_store_n(r->cq_head, head, __ATOMIC_RELEASE);
}

/* A socket connected to one that nobody reads: what does not fit is dropped there. */
static int open_socket(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t to_bytes = sizeof(to);
	int sink = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (sink < 0 || fd < 0 || bind(sink, (struct sockaddr *)&to, sizeof(to)) ||
	    getsockname(sink, (struct sockaddr *)&to, &to_bytes) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "cannot open sockets");
	return fd;
}

static int open_file(void)
{
	char path[] = "/var/tmp/netto-uring-XXXXXX";
	int fd = mkostemp(path, O_DIRECT);

	if (fd < 0)
		err(1, "cannot make %s", path);
	unlink(path);
	return fd;
}

static struct io_uring_sqe operation(int fd, unsigned int i, bool send, bool write)
{
	struct io_uring_sqe o = { .fd = fd, .addr = (unsigned long)(blocks + i * BLOCK_BYTES) };

	if (send) {
		o.opcode = IORING_OP_SEND;
		o.len = DATAGRAM_BYTES;
	} else {
		o.opcode = write ? IORING_OP_WRITE : IORING_OP_READ;
		o.len = BLOCK_BYTES;
		o.off = (unsigned long long)i * BLOCK_BYTES;
	}
	return o;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
	struct ring ring;
	bool send, write = true;
	double end;
	int fd;

	if (argc != 4)
		errx(64, "usage: uring_load worker|sqpoll send|disk SECONDS");
	send = !strcmp(argv[2], "send");
	end = now() + atof(argv[3]);
	blocks = aligned_alloc(4096, (size_t)ENTRIES * BLOCK_BYTES);
	if (!blocks)
		err(1, "cannot allocate");
	memset(blocks, 'n', (size_t)ENTRIES * BLOCK_BYTES);
	ring_open(&ring, !strcmp(argv[1], "sqpoll"));
	fd = send ? open_socket() : open_file();
	for (; now() < end; write = !write) {
		for (unsigned int i = 0; i < ENTRIES; i++) {
			struct io_uring_sqe o = operation(fd, i, send, write);

			ring_add(&ring, i, &o);
		}
		ring_run(&ring);
	}
	return 0;
}
