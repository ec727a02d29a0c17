/* fake_collector.c - what netto-collector publishes, without a kernel behind it
 *
 * Publishes a ring, a symbol table and a socket under a directory, and rings
 * the bell once a period: for tests of the aggregator and its backends.
 *
 *   fake_collector --runtime-dir=DIR [OPTION...]
 *     --cpus=N           CPUs (2)
 *     --rate=HZ          samples a second on each CPU (100)
 *     --period=MS        between two snapshots (500)
 *     --snapshots=N      end after so many (0: until SIGTERM)
 *     --restart-every=N  a new generation after so many snapshots, as a restarted
 *                        collector makes it; SIGUSR1 does the same at once
 *     --wobble           figures vary from period to period, the same way in each run
 *     --flood=N          write N records more each period, to overrun readers
 *     --break=WHAT       what is wrong, see the table breakages below
 *     --mode=OCTAL       mode of the ring file (0440)
 *     --owner=UID        owner of the ring file (root only)
 *     --peek             print "published N" (records written so far) at the end
 *
 * Without --wobble it is steady: every period is exactly alike and --period
 * long, whatever the clock says. Of it, in thousandths: NET_RX 200 on CPU 0 and
 * 100 on each other one, NET_TX 10, TIMER 50, the handler of eth0 5; 1000
 * NET_RX events, 100 of the others. Samples go round through stacks[] below.
 * DIR is made if need be. Prints "ready" once connections are accepted; SIGTERM
 * and SIGINT remove what it published.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "kallsyms.h"
#include "message.h"
#include "ring.h"

#define CLIENTS_MAX 16
#define CPUS_MAX 1024
#define VECTORS 10
#define VECTOR_TIMER 1
#define VECTOR_NET_TX 2
#define VECTOR_NET_RX 3
#define RING_DATA_BYTES (1u << 20)
#define SYMBOL_BYTES 0x1000
#define FRAMES_MAX 16
#define CGROUP_ID 4711
#define MS_NS 1000000ull

/* A symbol's address is its place in this list. */
static const char *const symbols[] = {
	"_text", "asm_common_interrupt", "common_interrupt", "__irq_exit_rcu", "handle_softirqs",
	"net_rx_action", "__napi_poll", "virtnet_poll", "napi_gro_receive", "dev_gro_receive",
	"process_backlog", "__netif_receive_skb", "__netif_receive_skb_one_core", "ip_rcv",
	"nf_hook_slow", "nf_conntrack_in", "ipv4_conntrack_in", "ip_local_deliver",
	"ip_local_deliver_finish", "ip_protocol_deliver_rcu", "tcp_v4_rcv", "tcp_v4_do_rcv",
	"tcp_rcv_established", "ipv6_rcv", "ip6_input_finish", "ip6_protocol_deliver_rcu",
	"udpv6_rcv", "udpv6_queue_rcv_one_skb", "entry_SYSCALL_64_after_hwframe", "do_syscall_64",
	"__x64_sys_sendto", "__sys_sendto", "tcp_sendmsg", "tcp_sendmsg_locked", "__x64_sys_recvfrom",
	"__sys_recvfrom", "sock_recvmsg", "inet_recvmsg", "tcp_recvmsg", "tcp_recvmsg_locked",
	"net_tx_action", "__qdisc_run", "__x64_sys_read", "ksys_read", "vfs_read", "ext4_file_read_iter",
	"igb_msix_ring", "ahci_single_level_irq_intr",
};

/* Leaf first. vector: the softirq that runs, -1: none. */
static const struct {
	int vector;
	int syscall;
	const char *comm;
	const char *frames[FRAMES_MAX];
} stacks[] = {
	{ VECTOR_NET_RX, -1, "swapper/0",
	  { "dev_gro_receive", "napi_gro_receive", "virtnet_poll", "__napi_poll", "net_rx_action",
	    "handle_softirqs", "__irq_exit_rcu", "common_interrupt", "asm_common_interrupt" } },
	{ VECTOR_NET_RX, -1, "swapper/0",
	  { "tcp_rcv_established", "tcp_v4_do_rcv", "tcp_v4_rcv", "ip_protocol_deliver_rcu",
	    "ip_local_deliver_finish", "ip_local_deliver", "__netif_receive_skb_one_core",
	    "__netif_receive_skb", "process_backlog", "__napi_poll", "net_rx_action",
	    "handle_softirqs" } },
	{ VECTOR_NET_RX, -1, "swapper/1",
	  { "nf_conntrack_in", "ipv4_conntrack_in", "nf_hook_slow", "ip_rcv",
	    "__netif_receive_skb_one_core", "__netif_receive_skb", "process_backlog", "__napi_poll",
	    "net_rx_action", "handle_softirqs" } },
	{ VECTOR_NET_RX, -1, "iperf3",
	  { "udpv6_queue_rcv_one_skb", "udpv6_rcv", "ip6_protocol_deliver_rcu", "ip6_input_finish",
	    "ipv6_rcv", "__netif_receive_skb_one_core", "__netif_receive_skb", "process_backlog",
	    "__napi_poll", "net_rx_action", "handle_softirqs" } },
	{ VECTOR_NET_TX, -1, "ksoftirqd/0",
	  { "__qdisc_run", "net_tx_action", "handle_softirqs" } },
	{ -1, 44, "iperf3",
	  { "tcp_sendmsg_locked", "tcp_sendmsg", "__sys_sendto", "__x64_sys_sendto", "do_syscall_64",
	    "entry_SYSCALL_64_after_hwframe" } },
	{ -1, 45, "a \"b\"\n\xff\x1b[2J",   /* a task may call itself anything */
	  { "tcp_recvmsg_locked", "tcp_recvmsg", "inet_recvmsg", "sock_recvmsg", "__sys_recvfrom",
	    "__x64_sys_recvfrom", "do_syscall_64", "entry_SYSCALL_64_after_hwframe" } },
	{ -1, 0, "cat",
	  { "ext4_file_read_iter", "vfs_read", "ksys_read", "__x64_sys_read", "do_syscall_64",
	    "entry_SYSCALL_64_after_hwframe" } },
};

enum breakage {
	BREAK_NOTHING,
	BREAK_RING_GARBAGE,
	BREAK_RING_TRUNCATED,
	BREAK_RING_SHRINKS,
	BREAK_RING_MAJOR,
	BREAK_GENERATION,
	BREAK_BOOT,
	BREAK_RECORDS,
	BREAK_SYMBOLS,
	BREAK_NO_SYMBOLS,
	BREAK_HELLO,
	BREAK_HELLO_MAJOR,
	BREAK_HELLO_TWICE,
	BREAK_HELLO_HUGE,
	BREAK_NO_BELL,
	BREAK_HIDDEN,
};

static const struct {
	const char *name;
	const char *meaning;
} breakages[] = {
	[BREAK_NOTHING] = { "nothing", "all well" },
	[BREAK_RING_GARBAGE] = { "ring-garbage", "the ring is a file of noise" },
	[BREAK_RING_TRUNCATED] = { "ring-truncated", "the ring file is half as long as its header says" },
	[BREAK_RING_SHRINKS] = { "ring-shrinks", "it is emptied with the third snapshot that somebody is told of" },
	[BREAK_RING_MAJOR] = { "ring-major", "the ring is of another schema" },
	[BREAK_GENERATION] = { "generation", "ring and hello are of different runs" },
	[BREAK_BOOT] = { "boot", "ring and hello are of another boot" },
	[BREAK_RECORDS] = { "records", "every third record is noise" },
	[BREAK_SYMBOLS] = { "symbols", "the symbol table is noise" },
	[BREAK_NO_SYMBOLS] = { "no-symbols", "there is no symbol table" },
	[BREAK_HELLO] = { "hello", "the hello is noise" },
	[BREAK_HELLO_MAJOR] = { "hello-major", "the hello is of another schema" },
	[BREAK_HELLO_TWICE] = { "hello-twice", "a second hello follows" },
	[BREAK_HELLO_HUGE] = { "hello-huge", "a datagram above the limit" },
	[BREAK_NO_BELL] = { "no-bell", "the bell is never rung" },
	[BREAK_HIDDEN] = { "hidden", "addresses are hidden, as with kptr_restrict=2" },
};

struct fake {
	const char *dir;
	unsigned int cpus, rate_hz, period_ms, snapshots, restart_every, flood, mode;
	int owner;
	bool wobble, peek;
	enum breakage broken;

	struct ring_writer *ring;
	struct ring_identity identity;
	int ring_fd;
	int listener;
	int clients[CLIENTS_MAX];

	/* cumulative since this generation */
	uint64_t snapshot, told, time_ns, started_ns, stack, taken, filtered, frames_unmapped, published;
	uint64_t softirq_ns[CPUS_MAX][VECTORS], softirq_events[CPUS_MAX][VECTORS];
	uint64_t irq_ns[CPUS_MAX], irq_events[CPUS_MAX], cpu_taken[CPUS_MAX];
	uint32_t noise;
};

static volatile sig_atomic_t ended, restart;

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		restart = 1;
	else
		ended = 1;
}

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fake_collector: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint32_t noise(struct fake *f)
{
	f->noise = f->noise * 1664525 + 1013904223;
	return f->noise >> 8;
}

static void fill_with_noise(struct fake *f, uint8_t *buf, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf[i] = (uint8_t)noise(f);
}

/* amount, or with --wobble half to one and a half of it */
static uint64_t vary(struct fake *f, uint64_t amount)
{
	return f->wobble ? amount / 2 + amount * (noise(f) % 1000) / 1000 : amount;
}

static uint64_t address_of(const char *name)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (!strcmp(symbols[i], name))
			return KALLSYMS_LINK_TEXT + i * SYMBOL_BYTES;
	die("%s: not in the list of symbols", name);
}

static const char *path_of(const struct fake *f, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void read_boot_id(uint8_t boot_id[16])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned int byte;

	for (int i = 0; file && i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			(void)fgetc(file);
		if (fscanf(file, "%2x", &byte) != 1)
			die("cannot read the boot id");
		boot_id[i] = (uint8_t)byte;
	}
	if (!file)
		die("no boot id");
	fclose(file);
}

static int create(const struct fake *f, const char *name, mode_t mode)
{
	int fd;

	(void)unlink(path_of(f, name));
	fd = open(path_of(f, name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode))
		die("cannot create %s: %s", path_of(f, name), strerror(errno));
	return fd;
}

static void break_ring(struct fake *f)
{
	uint8_t page[4096];
	uint32_t major = 99;

	if (f->broken == BREAK_RING_GARBAGE) {
		fill_with_noise(f, page, sizeof(page));
		if (pwrite(f->ring_fd, page, sizeof(page), 0) != sizeof(page))
			die("cannot break the ring");
	}
	if (f->broken == BREAK_RING_TRUNCATED && ftruncate(f->ring_fd, RING_DATA_BYTES / 2))
		die("cannot truncate the ring");
	/* right behind the magic number: common/ring_layout.h */
	if (f->broken == BREAK_RING_MAJOR &&
	    pwrite(f->ring_fd, &major, sizeof(major), sizeof(uint64_t)) != sizeof(major))
		die("cannot break the ring");
}

static void publish_ring(struct fake *f)
{
	int err;

	f->ring_fd = create(f, "ring.new", f->mode);
	err = ring_writer_open(&f->ring, f->ring_fd, RING_DATA_BYTES, &f->identity);
	if (err)
		die("cannot make the ring: %s", strerror(-err));
	break_ring(f);
	if (f->owner >= 0 && fchown(f->ring_fd, (uid_t)f->owner, (gid_t)-1))
		die("cannot give the ring away: %s", strerror(errno));
	char *to = strdup(path_of(f, "ring"));

	if (rename(path_of(f, "ring.new"), to))
		die("cannot publish the ring: %s", strerror(errno));
	free(to);
}

static void publish_symbols(struct fake *f)
{
	int fd;

	if (f->broken == BREAK_NO_SYMBOLS) {
		(void)unlink(path_of(f, "symbols"));
		return;
	}
	fd = create(f, "symbols", 0444);
	if (f->broken == BREAK_SYMBOLS) {
		uint8_t page[4096];

		fill_with_noise(f, page, sizeof(page));
		if (write(fd, page, sizeof(page)) != sizeof(page))
			die("cannot write symbols");
	}
	if (f->broken != BREAK_SYMBOLS && f->broken != BREAK_HIDDEN)
		for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
			dprintf(fd, "%016llx T %s\n", KALLSYMS_LINK_TEXT + i * SYMBOL_BYTES,
				symbols[i]);
	close(fd);
}

static void listen_for_clients(struct fake *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)unlink(path_of(f, "collector.sock"));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of(f, "collector.sock"));
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->listener < 0 || bind(f->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(address.sun_path, 0666) || listen(f->listener, CLIENTS_MAX))
		die("cannot listen on %s: %s", address.sun_path, strerror(errno));
}

static void begin(struct fake *f)
{
	f->identity.generation = now_ns() | 1;
	read_boot_id(f->identity.boot_id);
	f->identity.boot_id[0] ^= f->broken == BREAK_BOOT;
	f->snapshot = f->told = f->stack = f->taken = f->filtered = 0;
	f->started_ns = f->time_ns = now_ns();
	memset(f->softirq_ns, 0, sizeof(f->softirq_ns));
	memset(f->softirq_events, 0, sizeof(f->softirq_events));
	memset(f->irq_ns, 0, sizeof(f->irq_ns));
	memset(f->irq_events, 0, sizeof(f->irq_events));
	memset(f->cpu_taken, 0, sizeof(f->cpu_taken));
	publish_ring(f);
	publish_symbols(f);
	listen_for_clients(f);
}

static void end(struct fake *f)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (f->clients[i] >= 0)
			close(f->clients[i]);
		f->clients[i] = -1;
	}
	close(f->listener);
	ring_writer_close(f->ring);
	close(f->ring_fd);
}

static void send_hello(struct fake *f, int client)
{
	Netto__Probe sampler = NETTO__PROBE__INIT, softirq = NETTO__PROBE__INIT,
		     socket = NETTO__PROBE__INIT;
	Netto__Probe *probes[] = { &sampler, &softirq, &socket };
	Netto__Hello hello = NETTO__HELLO__INIT;
	uint8_t buf[2 * MESSAGE_BYTES_MAX];
	ssize_t n;

	sampler = (Netto__Probe){ .base = sampler.base, .name = "sampler", .function = "cpu-clock",
				  .attached = true, .reason = "" };
	softirq = (Netto__Probe){ .base = softirq.base, .name = "softirq",
				  .function = "softirq_entry", .attached = true, .reason = "" };
	socket = (Netto__Probe){ .base = socket.base, .name = "socket", .function = "",
				 .attached = false, .reason = "this kernel refuses fentry" };
	hello.schema_major = f->broken == BREAK_HELLO_MAJOR ? 99 : RING_SCHEMA_MAJOR;
	hello.schema_minor = RING_SCHEMA_MINOR;
	hello.version = "0.0-fake";
	hello.ring_generation = f->identity.generation + (f->broken == BREAK_GENERATION);
	hello.symbol_generation = 1;
	hello.kernel_release = "6.18.0-fake";
	hello.machine = "x86_64";
	hello.host = "fakehost";
	hello.boot_id = (ProtobufCBinaryData){ 16, f->identity.boot_id };
	hello.rate_hz = f->rate_hz;
	hello.sample_ns = 1000000000ull / f->rate_hz;
	hello.period_ns = f->period_ms * MS_NS;
	hello.cpus_online = hello.cpu_slots = f->cpus;
	hello.addresses_hidden = f->broken == BREAK_HIDDEN;
	hello.probe_interval_ns = 100;
	hello.started_ns = f->started_ns;
	hello.n_probes = sizeof(probes) / sizeof(probes[0]);
	hello.probes = probes;
	n = message_pack_hello(&hello, buf, sizeof(buf));
	if (n < 0)
		die("cannot pack the hello");
	if (f->broken == BREAK_HELLO)
		fill_with_noise(f, buf, (size_t)n);
	if (f->broken == BREAK_HELLO_HUGE)
		n = sizeof(buf);
	for (int i = 0; i < 1 + (f->broken == BREAK_HELLO_TWICE); i++)
		(void)send(client, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void accept_clients(struct fake *f)
{
	int client;

	while ((client = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		int i = 0;

		while (i < CLIENTS_MAX && f->clients[i] >= 0)
			i++;
		if (i == CLIENTS_MAX) {
			close(client);
			continue;
		}
		(void)shutdown(client, SHUT_RD);
		send_hello(f, client);
		f->clients[i] = client;
	}
}

static void ring_bell(struct fake *f)
{
	uint8_t buf[MESSAGE_DOORBELL_BYTES];
	size_t n = message_pack_doorbell(ring_writer_next_seq(f->ring), buf);

	bool told = false;

	if (f->broken == BREAK_NO_BELL)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (f->clients[i] < 0)
			continue;
		if (send(f->clients[i], buf, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno == EAGAIN) {
			told = true;
			continue;
		}
		close(f->clients[i]);
		f->clients[i] = -1;
	}
	f->told += told;
}

static void publish(struct fake *f, const Netto__Record *record)
{
	uint8_t buf[RING_RECORD_BYTES_MAX];
	size_t bytes = netto__record__get_packed_size(record);

	if (bytes > sizeof(buf))
		die("a record of %zu bytes", bytes);
	netto__record__pack(record, buf);
	if (f->broken == BREAK_RECORDS && f->published % 3 == 0)
		fill_with_noise(f, buf, bytes);
	ring_write(f->ring, buf, bytes);
	f->published++;
}

static void publish_sample(struct fake *f, unsigned int cpu)
{
	const size_t which = f->stack++ % (sizeof(stacks) / sizeof(stacks[0]));
	Netto__Sample sample = NETTO__SAMPLE__INIT;
	Netto__Record record = NETTO__RECORD__INIT;
	uint64_t frames[FRAMES_MAX];

	for (; sample.n_frames < FRAMES_MAX && stacks[which].frames[sample.n_frames]; sample.n_frames++)
		frames[sample.n_frames] = address_of(stacks[which].frames[sample.n_frames]) + 0x10;
	sample.frames = frames;
	sample.cpu = cpu;
	sample.vector = (uint32_t)(stacks[which].vector + 1);
	sample.syscall = stacks[which].syscall;
	sample.pid = sample.tgid = 1000 + (uint32_t)which;
	sample.comm = (ProtobufCBinaryData){ strlen(stacks[which].comm), (uint8_t *)stacks[which].comm };
	sample.cgroup_id = CGROUP_ID;
	record.kind_case = NETTO__RECORD__KIND_SAMPLE;
	record.sample = &sample;
	publish(f, &record);
	f->cpu_taken[cpu]++;
}

static void advance(struct fake *f, unsigned int cpu)
{
	const uint64_t thousandth_ns = f->period_ms * MS_NS / 1000;

	f->softirq_ns[cpu][VECTOR_NET_RX] += vary(f, (cpu ? 100 : 200) * thousandth_ns);
	f->softirq_ns[cpu][VECTOR_NET_TX] += vary(f, 10 * thousandth_ns);
	f->softirq_ns[cpu][VECTOR_TIMER] += vary(f, 50 * thousandth_ns);
	f->softirq_events[cpu][VECTOR_NET_RX] += 1000;
	f->softirq_events[cpu][VECTOR_NET_TX] += 100;
	f->softirq_events[cpu][VECTOR_TIMER] += 100;
	f->irq_ns[cpu] += vary(f, 5 * thousandth_ns);
	f->irq_events[cpu] += 100;
}

static void publish_counters(struct fake *f, unsigned int cpu)
{
	Netto__IrqHandler net = NETTO__IRQ_HANDLER__INIT, disk = NETTO__IRQ_HANDLER__INIT;
	Netto__IrqHandler *handlers[] = { &net, &disk };
	Netto__SamplesLost lost = NETTO__SAMPLES_LOST__INIT;
	Netto__Counters counters = NETTO__COUNTERS__INIT;
	Netto__Record record = NETTO__RECORD__INIT;

	net.handler = address_of("igb_msix_ring");
	net.name = (ProtobufCBinaryData){ 11, (uint8_t *)"eth0-TxRx-0" };
	net.ns = f->irq_ns[cpu];
	net.events = f->irq_events[cpu];
	disk.handler = address_of("ahci_single_level_irq_intr");
	disk.name = (ProtobufCBinaryData){ 4, (uint8_t *)"ahci" };
	disk.ns = f->irq_ns[cpu] / 5;
	disk.events = f->irq_events[cpu];
	counters.snapshot = f->snapshot;
	counters.last_of_snapshot = cpu == f->cpus - 1;
	counters.cpu = cpu;
	counters.time_ns = f->time_ns;
	counters.n_softirq_ns = counters.n_softirq_events = VECTORS;
	counters.softirq_ns = f->softirq_ns[cpu];
	counters.softirq_events = f->softirq_events[cpu];
	counters.n_irq_handlers = 2;
	counters.irq_handlers = handlers;
	counters.samples_taken = f->cpu_taken[cpu];
	counters.samples_filtered = 9 * f->cpu_taken[cpu];
	counters.lost = &lost;
	if (counters.last_of_snapshot)
		counters.collector_cpu_ns = f->snapshot * MS_NS;
	record.kind_case = NETTO__RECORD__KIND_COUNTERS;
	record.counters = &counters;
	publish(f, &record);
}

static void publish_period(struct fake *f)
{
	const uint64_t samples = (uint64_t)f->rate_hz * f->period_ms / 1000;

	/* the first snapshot is where counting starts */
	if (f->snapshot++) {
		f->time_ns += f->period_ms * MS_NS;
		for (unsigned int cpu = 0; cpu < f->cpus; cpu++) {
			for (uint64_t i = 0; i < samples; i++)
				publish_sample(f, cpu);
			advance(f, cpu);
		}
	}
	for (unsigned int i = 0; i < f->flood; i++)
		publish_sample(f, i % f->cpus);
	for (unsigned int cpu = 0; cpu < f->cpus; cpu++)
		publish_counters(f, cpu);
	if (f->broken == BREAK_RING_SHRINKS && f->told == 2 && ftruncate(f->ring_fd, 0))
		die("cannot shrink the ring");
	ring_bell(f);
}

static void run(struct fake *f)
{
	uint64_t next_ns = now_ns(), now;
	uint64_t done = 0;

	while (!ended && (!f->snapshots || done < f->snapshots)) {
		struct pollfd poll_fd = { .fd = f->listener, .events = POLLIN };

		if (restart || (f->restart_every && f->snapshot == f->restart_every)) {
			restart = 0;
			end(f);
			begin(f);
		}
		now = now_ns();
		if (now < next_ns) {
			if (poll(&poll_fd, 1, (int)((next_ns - now) / MS_NS) + 1) > 0)
				accept_clients(f);
			continue;
		}
		/* where the file is short the writer's own mapping has gone too */
		if (f->broken != BREAK_RING_TRUNCATED &&
		    (f->broken != BREAK_RING_SHRINKS || f->told < 3))
			publish_period(f);
		done++;
		next_ns += f->period_ms * MS_NS;
	}
}

static unsigned int number(const char *text, unsigned int min, unsigned int max)
{
	char *rest;
	unsigned long value = strtoul(text, &rest, 10);

	if (!*text || *rest || value < min || value > max)
		die("%s: give %u to %u", text, min, max);
	return (unsigned int)value;
}

static enum breakage parse_breakage(const char *name)
{
	for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++)
		if (!strcmp(breakages[i].name, name))
			return (enum breakage)i;
	for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++)
		fprintf(stderr, "  %-15s %s\n", breakages[i].name, breakages[i].meaning);
	die("--break=%s: one of the above", name);
}

static void parse(struct fake *f, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "runtime-dir", 1, NULL, 'd' }, { "cpus", 1, NULL, 'c' }, { "rate", 1, NULL, 'r' },
		{ "period", 1, NULL, 'p' }, { "snapshots", 1, NULL, 's' },
		{ "restart-every", 1, NULL, 'R' }, { "wobble", 0, NULL, 'w' },
		{ "flood", 1, NULL, 'f' }, { "break", 1, NULL, 'b' }, { "mode", 1, NULL, 'm' },
		{ "owner", 1, NULL, 'o' }, { "peek", 0, NULL, 'P' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd': f->dir = optarg; break;
		case 'c': f->cpus = number(optarg, 1, CPUS_MAX); break;
		case 'r': f->rate_hz = number(optarg, 1, 100000); break;
		case 'p': f->period_ms = number(optarg, 1, 60000); break;
		case 's': f->snapshots = number(optarg, 0, 1u << 30); break;
		case 'R': f->restart_every = number(optarg, 0, 1u << 30); break;
		case 'w': f->wobble = true; break;
		case 'f': f->flood = number(optarg, 0, 10000000); break;
		case 'b': f->broken = parse_breakage(optarg); break;
		case 'm': f->mode = (unsigned int)strtoul(optarg, NULL, 8); break;
		case 'o': f->owner = (int)number(optarg, 0, 1u << 30); break;
		case 'P': f->peek = true; break;
		default: exit(64);
		}
	}
	if (!f->dir)
		die("give --runtime-dir=DIR");
}

int main(int argc, char *argv[])
{
	static struct fake f = { .cpus = 2, .rate_hz = 100, .period_ms = 500, .mode = 0440, .owner = -1 };
	struct sigaction action = { .sa_handler = on_signal };

	parse(&f, argc, argv);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < CLIENTS_MAX; i++)
		f.clients[i] = -1;
	if (mkdir(f.dir, 0755) && errno != EEXIST)
		die("cannot make %s: %s", f.dir, strerror(errno));
	begin(&f);
	puts("ready");
	fflush(stdout);
	run(&f);
	end(&f);
	(void)unlink(path_of(&f, "collector.sock"));
	(void)unlink(path_of(&f, "symbols"));
	(void)unlink(path_of(&f, "ring"));
	if (f.peek)
		printf("published %llu\n", (unsigned long long)f.published);
	return 0;
}
