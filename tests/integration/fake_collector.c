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
 *     --break=WHAT       what is wrong, see the table in fake_options.c
 *     --mode=OCTAL       mode of the ring file (0440)
 *     --owner=UID        owner of the ring file (root only)
 *     --peek             print "published N" (records written so far) at the end
 *
 * Without --wobble it is steady: every period is exactly alike and --period
 * long, whatever the clock says. Of it, in thousandths: NET_RX 200 on CPU 0 and
 * 100 on each other one, NET_TX 10, TIMER 50, the handler of eth0 5; 1000
 * NET_RX events, 100 of the others. Samples go round through stacks[] of fake_data.h.
 * DIR is made if need be. Prints "ready" once connections are accepted; SIGTERM
 * and SIGINT remove what it published.
 */
#include "fake_collector.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fake_data.h"
#include "message.h"

#define CGROUP_ID 4711
#define MS_NS 1000000ull

static volatile sig_atomic_t ended, restart;

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		restart = 1;
	else
		ended = 1;
}

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...)
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

uint32_t noise(struct fake *f)
{
	f->noise = f->noise * 1664525 + 1013904223;
	return f->noise >> 8;
}

void fill_with_noise(struct fake *f, uint8_t *buf, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf[i] = (uint8_t)noise(f);
}

/* amount, or with --wobble half to one and a half of it */
static uint64_t vary(struct fake *f, uint64_t amount)
{
	return f->wobble ? amount / 2 + amount * (noise(f) % 1000) / 1000 : amount;
}

static void begin(struct fake *f)
{
	f->identity.generation = now_ns() | 1;
	f->snapshot = f->told = f->stack = f->taken = f->filtered = 0;
	f->started_ns = f->time_ns = now_ns();
	memset(f->softirq_ns, 0, sizeof(f->softirq_ns));
	memset(f->softirq_events, 0, sizeof(f->softirq_events));
	memset(f->irq_ns, 0, sizeof(f->irq_ns));
	memset(f->irq_events, 0, sizeof(f->irq_events));
	memset(f->cpu_taken, 0, sizeof(f->cpu_taken));
	publish_files(f);
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

int main(int argc, char *argv[])
{
	static struct fake f = { .cpus = 2, .rate_hz = 100, .period_ms = 500, .mode = 0440, .owner = -1 };
	struct sigaction action = { .sa_handler = on_signal };

	parse_options(&f, argc, argv);
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
	remove_files(&f);
	if (f.peek)
		printf("published %llu\n", (unsigned long long)f.published);
	return 0;
}
