/* loop.c - the steady state: drain, publish, ring the bell */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "exit_status.h"
#include "log.h"

#define NS_PER_S 1000000000ull
#define DRAIN_NS 100000000ull
#define DRAIN_SAMPLES 200   /* at most between two drains: the largest of them fit in a CPU's ring */
#define BELL_SHARE 8   /* of the ring: so much is never left untold */

static volatile sig_atomic_t ended;

static void on_end(int signal)
{
	(void)signal;
	ended = 1;
}

void loop_catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end };   /* no SA_RESTART: sleep is cut short */
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGTERM, &end, NULL);
	(void)sigaction(SIGINT, &end, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(uint64_t time_ns)
{
	const struct timespec until = {
		.tv_sec = time_ns / NS_PER_S,
		.tv_nsec = time_ns % NS_PER_S,
	};

	/* an early return does no harm: whoever calls looks at the clock */
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* The first multiple of step_ns behind due_ns that is still to come: what was
 * missed while the machine slept is not made up for. */
static uint64_t next_due(uint64_t due_ns, uint64_t step_ns, uint64_t now_ns)
{
	return due_ns + ((now_ns - due_ns) / step_ns + 1) * step_ns;
}

/* One record a CPU, in one pass. */
static void take_snapshot(struct collector *c)
{
	struct counters_of of = {
		.time_ns = read_clock(CLOCK_MONOTONIC),
		.symbols_missed = symbols_live_missed(c->symbols_live),
		.collector_cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID),
	};
	const unsigned int slots = probes_cpu_slots(c->probes);
	unsigned int left = probes_cpus_online(c->probes);

	for (; of.cpu < slots && left; of.cpu++) {
		if (!probes_cpu_is_online(c->probes, of.cpu))
			continue;
		of.last = --left == 0;
		publish_counters(c->publisher, probes_cpu(c->probes, of.cpu), &of);
	}
}

/* Before the samples that use what is new. */
static void follow_symbols(struct collector *c, uint64_t now_ns)
{
	const uint64_t generation = symbols_live_follow(c->symbols_live, now_ns);

	if (generation)
		publish_symbols_changed(c->publisher, generation);
}

/* What only a fresh start mends. */
static int check(const struct collector *c)
{
	if (probes_cpus_changed(c->probes)) {
		log_warn("the set of CPUs changed: ending, so that a new start samples all of them");
		return EXIT_ERR(EX_TEMPFAIL);
	}
	if (!runtime_intact(c->runtime)) {
		log_warn("files in %s were removed or replaced: ending, so that a new start makes "
			 "them again", c->options.runtime_dir);
		return EXIT_ERR(EX_TEMPFAIL);
	}
	return 0;
}

/* A snapshot makes figures of what came before it; samples alone wait for it,
 * as to wake every aggregator for them would cost more than all else that both
 * programs do. */
static void ring_bell(struct collector *c, bool snapshot)
{
	const uint64_t position = ring_writer_position(c->ring);
	const bool due = snapshot ||
			 position - c->told_position >= c->options.ring_bytes / BELL_SHARE;

	listener_ring(c->listener, ring_writer_next_seq(c->ring), due);
	if (due)
		c->told_position = position;
}

static uint64_t drain_step_ns(uint32_t rate_hz)
{
	const uint64_t step_ns = DRAIN_SAMPLES * NS_PER_S / rate_hz;

	return step_ns < DRAIN_NS ? step_ns : DRAIN_NS;
}

bool loop_ended(void)
{
	return ended;
}

int loop_run(struct collector *c)
{
	const uint64_t start_ns = read_clock(CLOCK_MONOTONIC);
	const uint64_t drain_ns = drain_step_ns(c->options.rate_hz);
	uint64_t drain_due = start_ns + drain_ns;
	uint64_t snapshot_due = start_ns + c->options.period_ns;
	int err = 0;

	while (!ended && !err) {
		bool snapshot;
		uint64_t now;

		sleep_until(drain_due < snapshot_due ? drain_due : snapshot_due);
		now = read_clock(CLOCK_MONOTONIC);
		follow_symbols(c, now);
		/* before the snapshot: what was sampled before it stands before it */
		probes_drain(c->probes, publish_sample, c->publisher);
		if (now >= drain_due)
			drain_due = next_due(drain_due, drain_ns, now);
		snapshot = now >= snapshot_due;
		if (snapshot) {
			take_snapshot(c);
			err = check(c);
			snapshot_due = next_due(snapshot_due, c->options.period_ns, now);
		}
		ring_bell(c, snapshot);
	}
	return err;
}
