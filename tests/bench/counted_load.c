/* counted_load.c - loads that keep every CPU busy and count what they get done
 *
 * Each process is bound to a CPU and shares nothing with others, so that what
 * one observer takes from a CPU is missing in that CPU's count.
 */
#include "counted_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS_MAX 64
#define CHUNK_BYTES (64u << 10)
#define DATAGRAM_BYTES 64

struct work {
	_Alignas(64) _Atomic uint64_t done;
};

struct counted_load {
	struct work *work;                 /* CPUS_MAX of them, shared with the processes */
	pid_t pids[CPUS_MAX];
	unsigned int count;
};

static char chunk[CHUNK_BYTES];

/* What goes wrong in a load ends it: the bench then sees no work. */
static int must(long result)
{
	if (result < 0)
		_exit(1);
	return (int)result;
}

static int open_socket(int type, struct sockaddr_in *address)
{
	socklen_t bytes = sizeof(*address);
	int fd = must(socket(AF_INET, type | SOCK_CLOEXEC, 0));

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(bind(fd, (struct sockaddr *)address, bytes));
	must(getsockname(fd, (struct sockaddr *)address, &bytes));
	return fd;
}

static int listen_at(struct sockaddr_in *address)
{
	int fd = open_socket(SOCK_STREAM, address);

	must(listen(fd, 16));
	return fd;
}

static int connect_to(const struct sockaddr_in *address)
{
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must(connect(fd, (const struct sockaddr *)address, sizeof(*address)));
	return fd;
}

/* One process writes and reads in turn: no wake-up, nothing but the stack. */
static void tcp_bulk(struct work *work)
{
	struct sockaddr_in address;
	int listener = listen_at(&address), to = connect_to(&address);
	int from = must(accept(listener, NULL, NULL));

	for (;;) {
		long left = must(send(to, chunk, sizeof(chunk), 0));

		while (left > 0)
			left -= must(recv(from, chunk, sizeof(chunk), 0));
		work->done++;
	}
}

static void udp_64(struct work *work)
{
	struct sockaddr_in address;
	int fd = open_socket(SOCK_DGRAM, &address);

	must(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	for (;;) {
		must(send(fd, chunk, DATAGRAM_BYTES, 0));
		must(recv(fd, chunk, DATAGRAM_BYTES, 0));
		work->done++;
	}
}

/* Connect, ask, answer, close; by reset, as no port would be left soon. */
static void requests(struct work *work)
{
	const struct linger reset = { .l_onoff = 1 };
	struct sockaddr_in address;
	int listener = listen_at(&address);

	for (;;) {
		int client = connect_to(&address);
		int server = must(accept(listener, NULL, NULL));

		must(send(client, chunk, 100, 0));
		must(recv(server, chunk, sizeof(chunk), 0));
		must(send(server, chunk, 1000, 0));
		must(recv(client, chunk, sizeof(chunk), 0));
		must(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
		close(client);
		close(server);
		work->done++;
	}
}

static void (*const loads[])(struct work *) = { tcp_bulk, udp_64, requests, NULL };
const char *const counted_load_names[] = { "tcp_bulk", "udp_64", "requests", "idle" };
const unsigned int counted_load_count = sizeof(loads) / sizeof(loads[0]);

static void run(void (*load)(struct work *), struct work *work, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	load(work);
}

int counted_load_start(struct counted_load **out, unsigned int which)
{
	struct counted_load *l = calloc(1, sizeof(*l));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!l)
		return -ENOMEM;
	l->work = mmap(NULL, CPUS_MAX * sizeof(*l->work), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->work == MAP_FAILED) {
		free(l);
		return -ENOMEM;
	}
	for (int cpu = 0; loads[which] && cpu < cpus && cpu < CPUS_MAX; cpu++) {
		pid_t pid = fork();

		if (!pid)
			run(loads[which], &l->work[cpu], cpu);
		if (pid < 0) {
			counted_load_stop(l);
			return -EAGAIN;
		}
		l->pids[l->count++] = pid;
	}
	*out = l;
	return 0;
}

uint64_t counted_load_work(const struct counted_load *l)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < l->count; i++)
		sum += l->work[i].done;
	return sum;
}

void counted_load_stop(struct counted_load *l)
{
	if (!l)
		return;
	for (unsigned int i = 0; i < l->count; i++)
		kill(l->pids[i], SIGKILL);
	for (unsigned int i = 0; i < l->count; i++)
		waitpid(l->pids[i], NULL, 0);
	munmap(l->work, CPUS_MAX * sizeof(*l->work));
	free(l);
}
