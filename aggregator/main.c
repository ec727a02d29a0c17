/* main.c - netto-aggregator: the ring of a collector in, backends out
 *
 * Never privileged, any number beside each other, one loop each. Started
 * against the direction of the data: nothing flows before its consumer exists.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "backend.h"
#include "exit_status.h"
#include "log.h"
#include "options.h"
#include "pipeline.h"
#include "procfs.h"
#include "sandbox.h"
#include "source.h"

#define SILENCE_MS 1000
#define STALL_MS 3000       /* a collector that publishes nothing for so long, */
#define STALL_PERIODS 5     /* and so many periods, is taken for stopped */
#define NS_PER_MS 1000000u

static const int signal_numbers[] = { SIGTERM, SIGINT, SIGHUP };

#define SIGNALS (sizeof(signal_numbers) / sizeof(signal_numbers[0]))

struct aggregator {
	struct options options;
	uv_loop_t loop;
	struct procfs *procfs;
	struct pipeline *pipeline;
	struct source *source;
	uv_signal_t signals[SIGNALS];
	uv_timer_t silence;      /* shows that the collector is away */
	bool handles_open;       /* signals and silence */
	bool collector_up;
	uint64_t period_ns;      /* of that collector */
	unsigned int quiet;      /* runs of silence since its last period or its hello */
	bool stalled;
};

static struct aggregator aggregator;

/* What a shell that was told ">&-" left closed would be the number of the next
 * file or socket, and messages would be written into that. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Signals wait until the loop can take them: the terminal may be in use by then. */
static void block_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&set, signal_numbers[i]);
	(void)sigprocmask(how, &set, NULL);
}

static void quit(void)
{
	uv_stop(&aggregator.loop);
}

static int on_hello(void *arg, const Netto__Hello *hello)
{
	struct aggregator *a = arg;
	int err = pipeline_hello(a->pipeline, hello);

	a->collector_up = !err;
	a->period_ns = hello->period_ns;
	a->quiet = 0;
	a->stalled = false;
	return err;
}

static int on_symbols(void *arg, const char *text, size_t bytes)
{
	struct aggregator *a = arg;

	return pipeline_symbols(a->pipeline, text, bytes);
}

static bool on_record(void *arg, uint64_t seq, uint64_t lost, const uint8_t *bytes, size_t count)
{
	struct aggregator *a = arg;

	return pipeline_record(a->pipeline, seq, lost, bytes, count);
}

static void on_period(const struct totals *totals)
{
	struct aggregator *a = &aggregator;

	if (a->stalled)
		log_info("the collector publishes again");
	a->stalled = false;
	a->quiet = 0;
	backends_period(totals);
}

/* Counted in runs of the timer, not by a clock: this process may have been
 * stopped itself. */
static void look_for_stall(struct aggregator *a)
{
	const uint64_t quiet_ms = (uint64_t)++a->quiet * SILENCE_MS;

	if (quiet_ms <= STALL_MS || quiet_ms <= STALL_PERIODS * a->period_ns / NS_PER_MS)
		return;
	if (!a->stalled)
		log_warn("the collector publishes nothing: is it stopped? waiting for it");
	a->stalled = true;
	backends_silence(pipeline_stall(a->pipeline));
}

static void show_silence(struct aggregator *a)
{
	if (a->collector_up)
		look_for_stall(a);
	else
		backends_silence(pipeline_silence(a->pipeline));
}

static void on_gone(void *arg)
{
	struct aggregator *a = arg;

	a->collector_up = false;
	show_silence(a);
}

static void on_silence(uv_timer_t *timer)
{
	show_silence(timer->data);
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)signal;
	if (number == SIGHUP)
		backends_reopen();
	else
		quit();
}

static int pipeline_start(struct aggregator *a)
{
	int err = procfs_open(&a->procfs, a->options.pids, a->options.pid_count);

	if (!err)
		err = pipeline_open(&a->pipeline, a->procfs, on_period);
	if (err)
		log_error("cannot start: %s", strerror(-err));
	return err;
}

static int source_begin(struct aggregator *a)
{
	static const struct source_events events = {
		.hello = on_hello, .symbols = on_symbols, .record = on_record, .gone = on_gone,
	};
	int err = source_start(&a->source, &a->loop, a->options.runtime_dir, &events, a);

	if (err)
		log_error("cannot start: %s", strerror(-err));
	return err;
}

static int signals_start(struct aggregator *a)
{
	int err = 0;

	for (size_t i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(&a->loop, &a->signals[i]);
		if (!err)
			err = uv_signal_start(&a->signals[i], on_signal, signal_numbers[i]);
	}
	(void)uv_timer_init(&a->loop, &a->silence);
	a->silence.data = a;
	(void)uv_timer_start(&a->silence, on_silence, SILENCE_MS, SILENCE_MS);
	a->handles_open = true;
	block_signals(SIG_UNBLOCK);
	if (err)
		log_error("cannot take signals: %s", strerror(-err));
	return err;
}

/* Against the order of the start; the loop runs once more to close its handles. */
static void aggregator_close(struct aggregator *a)
{
	source_stop(a->source);
	backends_stop();
	if (a->handles_open) {
		for (size_t i = 0; i < SIGNALS; i++)
			uv_close((uv_handle_t *)&a->signals[i], NULL);
		uv_close((uv_handle_t *)&a->silence, NULL);
	}
	(void)uv_run(&a->loop, UV_RUN_DEFAULT);
	pipeline_close(a->pipeline);
	procfs_close(a->procfs);
	(void)uv_loop_close(&a->loop);
}

int main(int argc, char *argv[])
{
	struct aggregator *a = &aggregator;
	int err;

	open_standard_files();
	log_open("netto-aggregator");
	options_parse(&a->options, argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);   /* a limit on files is one more full disk */
	block_signals(SIG_BLOCK);

	err = sandbox_enter(&a->options);       /* before anything is opened */
	if (err || uv_loop_init(&a->loop))
		return exit_status(err ? err : -ENOMEM);
	err = backends_start(&a->loop, &a->options, quit);
	if (!err)
		err = pipeline_start(a);
	if (!err)
		err = source_begin(a);
	if (!err)
		err = signals_start(a);
	if (!err) {
		sandbox_say();
		(void)uv_run(&a->loop, UV_RUN_DEFAULT);
	}

	aggregator_close(a);
	return exit_status(err);
}
