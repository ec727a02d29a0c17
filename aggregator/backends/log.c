/* log.c - one JSON object a line and period
 *
 * Figures are of that period; adding all lines gives the totals. Numbers are
 * whole; generation alone may need 64 bits and is a decimal string. Components
 * and steps with nothing in them are left out, contexts never. The line that
 * follows on lines that could not be written says how many in lines_dropped.
 *
 * Lines go to --log-file, to standard output (--log), or to both.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "exit_status.h"
#include "json.h"
#include "line_sink.h"
#include "log.h"

#define SCHEMA_VERSION 1
#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u
#define GOOD_LINES 10   /* in a row, until an output that dropped lines is well again */

/* One place that lines go to. */
struct output {
	struct backend_ctx *ctx;
	const char *name;         /* for messages */
	struct line_sink *sink;   /* NULL: not wanted */
	bool ends_program;        /* when its reader goes */
	uint64_t dropped;         /* since the last good line */
	uint64_t trouble;         /* lines dropped since that was said; 0: all is well */
	unsigned int good;        /* lines since the last one dropped */
};

struct log {
	struct json json;
	struct output file;
	struct output stream;
};

static void write_time(struct json *j, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	char date[32], text[48];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03uZ", date, (unsigned int)(ns % NS_PER_S / NS_PER_MS));
	json_string(j, "time", text);
}

static void write_contexts(struct json *j, const struct totals *t)
{
	json_open_object(j, "contexts");
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		const struct context_figures *f = &t->period.contexts[c];

		json_open_object(j, context_names[c]);
		json_u64(j, "cpu_ns", f->ns);
		json_u64(j, "events", f->events);
		json_u64(j, "samples", f->samples);
		json_u64(j, "unexplained", f->unexplained);
		json_string(j, "source", t->exact[c] ? "exact" : "sampled");
		json_close_object(j);
	}
	json_close_object(j);
}

static void write_components(struct json *j, const struct figures *f)
{
	json_open_array(j, "components");
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		for (int k = 0; k < COMPONENT_COUNT; k++) {
			if (!f->components[c][k].ns && !f->components[c][k].samples)
				continue;
			json_open_object(j, NULL);
			json_string(j, "context", context_names[c]);
			json_string(j, "component", component_names[k]);
			json_u64(j, "cpu_ns", f->components[c][k].ns);
			json_u64(j, "samples", f->components[c][k].samples);
			json_close_object(j);
		}
	}
	json_close_array(j);
}

static void write_step(struct json *j, const struct figures *f, int c, int s)
{
	for (int family = 0; family < FAMILY_COUNT; family++) {
		if (!f->steps[c][s][family])
			continue;
		json_open_object(j, NULL);
		json_string(j, "context", context_names[c]);
		json_string(j, "step", step_names[s]);
		json_string(j, "family", family_names[family]);
		json_u64(j, "cpu_ns", f->steps[c][s][family]);
		json_close_object(j);
	}
}

static void write_steps(struct json *j, const struct figures *f)
{
	json_open_array(j, "rx_steps");
	for (int c = 0; c < CONTEXT_COUNT; c++)
		for (int s = 0; s < STEP_COUNT; s++)
			write_step(j, f, c, s);
	json_close_array(j);
}

static void write_cpu(struct json *j, size_t cpu, const struct cpu_figures *f)
{
	bool opened = false;

	for (int c = 0; c < CONTEXT_COUNT; c++) {
		if (!f->ns[c] && !f->events[c])
			continue;
		if (!opened) {
			json_open_object(j, NULL);
			json_u64(j, "cpu", cpu);
			json_open_object(j, "contexts");
			opened = true;
		}
		json_open_object(j, context_names[c]);
		json_u64(j, "cpu_ns", f->ns[c]);
		json_u64(j, "events", f->events[c]);
		json_close_object(j);
	}
	if (opened) {
		json_close_object(j);
		json_close_object(j);
	}
}

static void write_cpus(struct json *j, const struct totals *t)
{
	json_open_array(j, "per_cpu");
	for (size_t cpu = 0; cpu < t->cpu_slots; cpu++)
		write_cpu(j, cpu, &t->period.cpus[cpu]);
	json_close_array(j);
}

static void write_processes(struct json *j, const struct totals *t)
{
	json_open_array(j, "processes");
	for (size_t i = 0; i < t->process_count; i++) {
		const struct process_figures *p = &t->processes[i];

		json_open_object(j, NULL);
		json_u64(j, "pid", (uint64_t)p->pid);
		json_string(j, "comm", p->comm);
		json_bool(j, "alive", p->alive);
		json_u64(j, "user_ns", p->user_ns);
		json_close_object(j);
	}
	json_close_array(j);
}

static void write_accounts(struct json *j, const struct totals *t)
{
	const struct figures *f = &t->period;

	json_open_object(j, "samples");
	json_u64(j, "taken", f->samples_taken);
	json_u64(j, "filtered", f->samples_filtered);
	json_u64(j, "network", f->samples_network);
	json_u64(j, "other", f->samples_other);
	json_close_object(j);
	json_open_object(j, "lost");
	for (int i = 0; i < LOSS_COUNT; i++)
		json_u64(j, loss_names[i], f->lost[i]);
	json_close_object(j);
	json_u64(j, "clipped_ns", f->clipped_ns);
	json_u64(j, "frames_unmapped", f->frames_unmapped);
	json_u64(j, "calls_missed", f->calls_missed);
	json_u64(j, "symbols", t->symbols);
	json_open_object(j, "overhead");
	json_u64(j, "collector_cpu_ns", f->collector_cpu_ns);
	json_u64(j, "aggregator_cpu_ns", f->aggregator_cpu_ns);
	json_close_object(j);
	json_open_object(j, "proc_stat");
	for (int i = 0; i < PROC_STAT_COUNT; i++)
		json_u64(j, proc_stat_names[i], t->proc_stat_ns[i]);
	json_close_object(j);
	json_u64_string(j, "generation", t->generation);
	json_u64(j, "first_seq", t->first_seq);
	json_u64(j, "last_seq", t->last_seq);
	json_u64(j, "delivered", f->records);
	json_u64(j, "gaps", f->gaps);
	json_u64(j, "gap_ns", f->gap_ns);
}

/* The line but for its end, which differs from output to output. */
static void write_object(struct json *j, const struct totals *t)
{
	json_reset(j);
	json_open_object(j, NULL);
	json_u64(j, "schema_version", SCHEMA_VERSION);
	write_time(j, t->end_ns);
	json_u64(j, "period_ns", t->period.wall_ns);
	json_u64(j, "cpus", t->cpus_online);
	write_contexts(j, t);
	write_components(j, &t->period);
	write_steps(j, &t->period);
	write_cpus(j, t);
	write_processes(j, t);
	write_accounts(j, t);
}

static void count_dropped(struct output *o, int err, uint64_t lines)
{
	if (!o->trouble && err == -EAGAIN)
		log_warn("%s: its reader is too slow: lines are dropped until it follows", o->name);
	else if (!o->trouble)
		log_warn("cannot write %s: %s: lines are dropped until that works again", o->name,
			 strerror(-err));
	o->dropped += lines;
	o->trouble += lines;
	o->good = 0;
	o->ctx->counts.dropped += lines;
}

/* Not at the first line that gets through: a reader just too slow, or a disk
 * just full, lets one through now and then. */
static void count_delivered(struct output *o)
{
	o->ctx->counts.delivered++;
	o->dropped = 0;
	if (!o->trouble || ++o->good < GOOD_LINES)
		return;
	log_info("%s takes lines again: %" PRIu64 " were dropped", o->name, o->trouble);
	o->trouble = 0;
}

static void on_output_error(void *arg, int err, uint64_t lines)
{
	struct output *o = arg;

	if (err == -EPIPE && o->ends_program) {
		o->ctx->quit();
		return;
	}
	o->ctx->counts.delivered -= lines;   /* queued is not delivered after all */
	count_dropped(o, err, lines);
}

static void deliver(struct json *j, struct output *o)
{
	const size_t common_bytes = j->bytes;
	int err;

	if (!o->sink)
		return;
	json_u64(j, "lines_dropped", o->dropped);
	json_close_object(j);
	json_raw(j, "\n");
	err = j->err ? j->err : line_sink_write(o->sink, j->text, j->bytes);
	json_cut(j, common_bytes);
	if (err == -EPIPE && o->ends_program)
		o->ctx->quit();   /* "netto | head" is no failure */
	else if (err)
		count_dropped(o, err, 1);
	else
		count_delivered(o);
}

static void log_period(struct backend_ctx *ctx, const struct totals *t)
{
	struct log *log = ctx->state;

	write_object(&log->json, t);
	deliver(&log->json, &log->file);
	deliver(&log->json, &log->stream);
}

/* Whoever moved the file away may have made a new one that we cannot write. */
static void log_reopen(struct backend_ctx *ctx)
{
	struct output *o = &((struct log *)ctx->state)->file;
	struct line_sink *sink;
	int err;

	if (!o->sink)
		return;
	err = line_sink_open(&sink, ctx->loop, o->name, on_output_error, o);
	if (err) {
		log_warn("cannot open %s again: %s: lines go on into the old file", o->name,
			 strerror(-err));
		return;
	}
	(void)line_sink_close(o->sink);
	o->sink = sink;
}

static void close_output(struct output *o)
{
	uint64_t lines = line_sink_close(o->sink);

	o->dropped += lines;
	if (lines)
		log_warn("%s: the last %" PRIu64 " lines were dropped: its reader did not take them",
			 o->name, lines);
}

static void log_stop(struct backend_ctx *ctx)
{
	struct log *log = ctx->state;

	close_output(&log->file);
	close_output(&log->stream);
	json_free(&log->json);
	free(log);
	ctx->state = NULL;
}

static int open_outputs(struct backend_ctx *ctx, struct log *log)
{
	int err = 0;

	log->file = (struct output){ .ctx = ctx, .name = ctx->options->log_file };
	log->stream = (struct output){ .ctx = ctx, .name = "standard output", .ends_program = true };
	if (ctx->options->log_file)
		err = line_sink_open(&log->file.sink, ctx->loop, ctx->options->log_file,
				     on_output_error, &log->file);
	if (err) {
		log_error("cannot write %s: %s: give --log-file a path that can be written",
			  ctx->options->log_file, strerror(-err));
		return EXIT_ERR(EX_CANTCREAT);
	}
	if (ctx->options->log_stdout)
		err = line_sink_open_fd(&log->stream.sink, ctx->loop, STDOUT_FILENO,
					on_output_error, &log->stream);
	if (err) {
		log_error("cannot write standard output: %s: give --log-file=PATH", strerror(-err));
		return EXIT_ERR(EX_CANTCREAT);
	}
	return 0;
}

static int log_start(struct backend_ctx *ctx)
{
	struct log *log = calloc(1, sizeof(*log));
	int err;

	if (!log) {
		log_error("no memory for the log");
		return -ENOMEM;
	}
	ctx->state = log;
	err = open_outputs(ctx, log);
	if (err)
		log_stop(ctx);
	return err;
}

static bool log_wanted(const struct options *options)
{
	return options->log_file || options->log_stdout;
}

const struct backend log_backend = {
	.name = "log",
	.wanted = log_wanted,
	.start = log_start,
	.period = log_period,
	.reopen = log_reopen,
	.stop = log_stop,
};
