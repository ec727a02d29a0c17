/* test_log_backend.c - the lines of the log, and that they are whole whatever happens */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend.h"

#define CPUS 2
#define TEXT_BYTES (4u << 20)

extern const struct backend log_backend;

struct bench {
	uv_loop_t loop;
	struct options options;
	struct backend_ctx ctx;
	char dir[64];
	char path[96];
	struct totals totals;
	struct cpu_figures cpus[CPUS];
	Netto__Hello hello;
	struct process_figures process;
	int saved_stdout;
	int pipe_read;
};

static unsigned int quits;

static void quit(void)
{
	quits++;
}

/* Figures that are all different, so that none can stand in another's place. */
static void fill_totals(struct bench *b)
{
	struct figures *f = &b->totals.period;

	netto__hello__init(&b->hello);
	b->totals = (struct totals){ .collector_up = true, .hello = &b->hello, .cpu_slots = CPUS,
				     .cpus_online = 2, .end_ns = 1764045606123456789ull,
				     .generation = UINT64_MAX, .first_seq = 101, .last_seq = 144,
				     .symbols = 122000, .processes = &b->process, .process_count = 1 };
	f->cpus = b->cpus;
	f->wall_ns = 500000001;
	f->contexts[CONTEXT_SOFTIRQ_RX] = (struct context_figures){ 70, 71, 72, 73 };
	f->components[CONTEXT_SOFTIRQ_RX][COMPONENT_GRO] = (struct component_figures){ 40, 41 };
	f->components[CONTEXT_SOFTIRQ_RX][COMPONENT_TCP_RX] = (struct component_figures){ 30, 31 };
	f->steps[CONTEXT_SOFTIRQ_RX][STEP_GRO][FAMILY_NONE] = 40;
	f->steps[CONTEXT_SOFTIRQ_RX][STEP_LOCAL_DELIVERY][FAMILY_IPV6] = 30;
	b->cpus[1].ns[CONTEXT_SOFTIRQ_RX] = 70;
	b->cpus[1].events[CONTEXT_SOFTIRQ_RX] = 71;
	b->totals.exact[CONTEXT_SOFTIRQ_RX] = true;
	f->samples_taken = 201;
	f->samples_filtered = 202;
	f->samples_network = 203;
	f->samples_other = 204;
	f->lost[LOSS_BPF_RING_FULL] = 301;
	f->lost[LOSS_RING_OVERRUN] = 302;
	f->records = 43;
	f->clipped_ns = 401;
	f->frames_unmapped = 402;
	f->calls_missed = 403;
	f->gaps = 403;
	f->gap_ns = 404;
	f->collector_cpu_ns = 501;
	f->aggregator_cpu_ns = 502;
	b->totals.proc_stat_ns[PROC_STAT_SOFTIRQ] = 601;
	b->process = (struct process_figures){ 4711, "a\"\n\xff", true, 701, 702 };
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/netto-log-XXXXXX");
	if (uv_loop_init(&b->loop) || !mkdtemp(b->dir))
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/log", b->dir);
	b->ctx = (struct backend_ctx){ .loop = &b->loop, .options = &b->options, .quit = quit };
	b->saved_stdout = -1;
	fill_totals(b);
	quits = 0;
	*state = b;
	return 0;
}

static void stop(struct bench *b)
{
	log_backend.stop(&b->ctx);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	if (b->saved_stdout < 0)
		return;
	dup2(b->saved_stdout, STDOUT_FILENO);
	close(b->saved_stdout);
	b->saved_stdout = -1;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	char rotated[128];

	snprintf(rotated, sizeof(rotated), "%s.1", b->path);
	(void)unlink(rotated);
	(void)unlink(b->path);
	(void)rmdir(b->dir);
	if (uv_loop_close(&b->loop))
		return -1;
	free(b);
	return 0;
}

static void start_file(struct bench *b)
{
	b->options.log_file = b->path;
	assert_int_equal(log_backend.start(&b->ctx), 0);
}

/* Standard output becomes a pipe that nobody reads by himself. */
static void start_pipe(struct bench *b)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(stdout);
	b->saved_stdout = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	b->pipe_read = ends[0];
	b->options.log_stdout = true;
	assert_int_equal(log_backend.start(&b->ctx), 0);
}

/* Periods are told apart by first_seq. */
static void write_periods(struct bench *b, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		b->totals.first_seq = i;
		log_backend.period(&b->ctx, &b->totals);
	}
}

static char *read_fd(int fd)
{
	char *text = malloc(TEXT_BYTES);
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, TEXT_BYTES - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return text;
}

static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	char *text;

	assert_true(fd >= 0);
	text = read_fd(fd);
	close(fd);
	return text;
}

static uint64_t number_at(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	assert_non_null(at);
	return strtoull(at + strlen(key), NULL, 10);
}

/* Every line is whole, in order, and says what is missing before it. Lines;
 * what is missing is added to *dropped. */
static uint64_t check_lines(char *text, uint64_t *dropped)
{
	uint64_t lines = 0, last = 0;

	if (*text)
		assert_int_equal(text[strlen(text) - 1], '\n');
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		uint64_t seq, missing;

		assert_int_equal(strncmp(line, "{\"schema_version\":1,", 20), 0);
		assert_null(strstr(line + 20, "schema_version"));
		assert_string_equal(line + strlen(line) - 1, "}");
		seq = number_at(line, "\"first_seq\":");
		missing = number_at(line, "\"lines_dropped\":");
		if (lines || missing)
			assert_int_equal(seq, last + 1 + missing);
		*dropped += missing;
		last = seq;
		lines++;
	}
	return lines;
}

static const char *const pieces[] = {
	"{\"schema_version\":1,\"time\":\"2025-11-25T04:40:06.123Z\",\"period_ns\":500000001,\"cpus\":2,",
	"\"contexts\":{\"syscall_tx\":{\"cpu_ns\":0,\"events\":0,\"samples\":0,\"unexplained\":0,"
	"\"source\":\"sampled\"},",
	"\"softirq_rx\":{\"cpu_ns\":70,\"events\":71,\"samples\":72,\"unexplained\":73,"
	"\"source\":\"exact\"},",
	"\"components\":[{\"context\":\"softirq_rx\",\"component\":\"gro\",\"cpu_ns\":40,\"samples\":41},"
	"{\"context\":\"softirq_rx\",\"component\":\"tcp_rx\",\"cpu_ns\":30,\"samples\":31}],",
	"\"rx_steps\":[{\"context\":\"softirq_rx\",\"step\":\"gro\",\"family\":\"\",\"cpu_ns\":40},"
	"{\"context\":\"softirq_rx\",\"step\":\"local_delivery\",\"family\":\"ipv6\",\"cpu_ns\":30}],",
	"\"per_cpu\":[{\"cpu\":1,\"contexts\":{\"softirq_rx\":{\"cpu_ns\":70,\"events\":71}}}],",
	"\"processes\":[{\"pid\":4711,\"comm\":\"a\\\"\\u000a\xef\xbf\xbd\",\"alive\":true,"
	"\"user_ns\":701}],",
	"\"samples\":{\"taken\":201,\"filtered\":202,\"network\":203,\"other\":204},",
	"\"lost\":{\"bpf_ring_full\":301,\"no_stack\":0,\"no_scratch\":0,\"encode\":0,"
	"\"ring_overrun\":302,\"decode\":0},",
	"\"clipped_ns\":401,\"frames_unmapped\":402,\"calls_missed\":403,\"symbols\":122000,",
	"\"overhead\":{\"collector_cpu_ns\":501,\"aggregator_cpu_ns\":502},",
	"\"softirq\":601,\"steal\":0},",
	"\"generation\":\"18446744073709551615\",\"first_seq\":101,\"last_seq\":144,\"delivered\":43,"
	"\"gaps\":403,\"gap_ns\":404,\"lines_dropped\":0}\n",
};

static void a_line_holds_every_figure_of_the_period(void **state)
{
	struct bench *b = *state;
	char *text;

	start_file(b);
	log_backend.period(&b->ctx, &b->totals);
	stop(b);
	text = read_file(b->path);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		if (!strstr(text, pieces[i]))
			fail_msg("%s is not in %s", pieces[i], text);
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		char key[64];

		snprintf(key, sizeof(key), "\"%s\":{\"cpu_ns\":", context_names[c]);
		assert_non_null(strstr(text, key));
	}
	assert_int_equal(b->ctx.counts.delivered, 1);
	free(text);
}

static void the_file_is_made_for_owner_and_group(void **state)
{
	struct bench *b = *state;
	mode_t mask = umask(0);
	struct stat st;

	start_file(b);
	(void)umask(mask);
	stop(b);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void lines_are_appended_behind_a_line_that_a_crash_cut(void **state)
{
	struct bench *b = *state;
	FILE *file = fopen(b->path, "w");
	uint64_t dropped = 0;
	char *text;

	fputs("{\"schema_version\":1,\"ti", file);
	fclose(file);
	start_file(b);
	write_periods(b, 1, 2);
	stop(b);
	text = read_file(b->path);
	assert_int_equal(strncmp(text, "{\"schema_version\":1,\"ti\n", 24), 0);
	assert_int_equal(check_lines(text + 24, &dropped), 2);
	free(text);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The limit on files cuts a write() short and refuses the next one, as a full
 * disk does. */
static void a_full_disk_loses_whole_lines_and_counts_them(void **state)
{
	struct bench *b = *state;
	uint64_t dropped = 0;
	struct stat st;
	char *text;

	start_file(b);
	write_periods(b, 1, 3);
	assert_int_equal(stat(b->path, &st), 0);
	limit_files((rlim_t)st.st_size + 100);
	write_periods(b, 4, 5);
	text = read_file(b->path);
	assert_int_equal(check_lines(text, &dropped), 3);
	free(text);
	limit_files(RLIM_INFINITY);
	write_periods(b, 9, 4);
	stop(b);

	text = read_file(b->path);
	assert_int_equal(check_lines(text, &dropped), 7);
	assert_int_equal(dropped, 5);
	assert_int_equal(b->ctx.counts.delivered, 7);
	assert_int_equal(b->ctx.counts.dropped, 5);
	free(text);
}

static void rotation_by_rename_goes_on_in_a_new_file(void **state)
{
	struct bench *b = *state;
	char rotated[128];
	uint64_t dropped = 0;
	char *text;

	snprintf(rotated, sizeof(rotated), "%s.1", b->path);
	start_file(b);
	write_periods(b, 1, 2);
	assert_int_equal(rename(b->path, rotated), 0);
	write_periods(b, 3, 1);
	log_backend.reopen(&b->ctx);
	write_periods(b, 4, 2);
	stop(b);
	text = read_file(rotated);
	assert_int_equal(check_lines(text, &dropped), 3);
	free(text);
	text = read_file(b->path);
	assert_int_equal(check_lines(text, &dropped), 2);
	assert_int_equal(dropped, 0);
	free(text);
}

static void a_file_that_cannot_be_reopened_goes_on(void **state)
{
	struct bench *b = *state;
	uint64_t dropped = 0;
	char rotated[128], *text;

	snprintf(rotated, sizeof(rotated), "%s.1", b->path);
	start_file(b);
	assert_int_equal(rename(b->path, rotated), 0);
	assert_int_equal(mkdir(b->path, 0755), 0);
	log_backend.reopen(&b->ctx);
	write_periods(b, 1, 2);
	stop(b);
	assert_int_equal(rmdir(b->path), 0);
	text = read_file(rotated);
	assert_int_equal(check_lines(text, &dropped), 2);
	free(text);
}

static void a_slow_reader_gets_whole_lines_and_their_loss_counted(void **state)
{
	const uint64_t count = 400;   /* above pipe and queue together */
	struct bench *b = *state;
	uint64_t dropped = 0, lines;
	char *text = malloc(TEXT_BYTES), *end = text;
	ssize_t n;

	/* lines above PIPE_BUF: the pipe takes parts of them */
	for (int c = 0; c < CONTEXT_COUNT; c++)
		for (int k = 0; k < COMPONENT_COUNT; k++)
			b->totals.period.components[c][k].ns = 1;
	start_pipe(b);
	write_periods(b, 1, count);
	assert_true(b->ctx.counts.dropped > 0);
	assert_int_equal(b->ctx.counts.delivered + b->ctx.counts.dropped, count);

	assert_int_equal(fcntl(b->pipe_read, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(b->pipe_read, end, TEXT_BYTES - 1 - (size_t)(end - text))) > 0) {
		end += n;
		uv_run(&b->loop, UV_RUN_NOWAIT);
	}
	write_periods(b, count + 1, 1);
	while ((n = read(b->pipe_read, end, TEXT_BYTES - 1 - (size_t)(end - text))) > 0)
		end += n;
	stop(b);
	*end = '\0';
	lines = check_lines(text, &dropped);
	assert_int_equal(lines, b->ctx.counts.delivered);
	assert_int_equal(lines + dropped, count + 1);
	close(b->pipe_read);
	free(text);
}

static void a_reader_that_goes_ends_the_program_quietly(void **state)
{
	struct bench *b = *state;

	start_pipe(b);
	write_periods(b, 1, 1);
	assert_int_equal(quits, 0);
	close(b->pipe_read);
	write_periods(b, 2, 1);
	assert_int_equal(quits, 1);
	assert_int_equal(b->ctx.counts.dropped, 0);
	stop(b);
}

static void a_reader_that_goes_is_noticed_without_a_line(void **state)
{
	struct bench *b = *state;

	start_pipe(b);
	close(b->pipe_read);
	uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(quits, 1);
	stop(b);
}

static void standard_output_is_blocking_again_in_the_end(void **state)
{
	struct bench *b = *state;
	int ends[2], flags;

	start_pipe(b);
	ends[0] = dup(STDOUT_FILENO);
	stop(b);
	flags = fcntl(ends[0], F_GETFL);
	close(ends[0]);
	close(b->pipe_read);
	assert_false(flags & O_NONBLOCK);
}

static void paths_that_cannot_be_written_are_refused(void **state)
{
	static const char *const paths[] = { "/nonexistent/log", "/tmp", "/dev/null/log", "/proc/log" };
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		b->options.log_file = paths[i];
		assert_int_not_equal(log_backend.start(&b->ctx), 0);
		uv_run(&b->loop, UV_RUN_DEFAULT);
	}
}

static void a_device_without_room_drops_every_line(void **state)
{
	struct bench *b = *state;

	b->options.log_file = "/dev/full";
	assert_int_equal(log_backend.start(&b->ctx), 0);
	write_periods(b, 1, 3);
	assert_int_equal(b->ctx.counts.dropped, 3);
	assert_int_equal(b->ctx.counts.delivered, 0);
	stop(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_holds_every_figure_of_the_period),
		TEST(the_file_is_made_for_owner_and_group),
		TEST(lines_are_appended_behind_a_line_that_a_crash_cut),
		TEST(a_full_disk_loses_whole_lines_and_counts_them),
		TEST(rotation_by_rename_goes_on_in_a_new_file),
		TEST(a_file_that_cannot_be_reopened_goes_on),
		TEST(a_slow_reader_gets_whole_lines_and_their_loss_counted),
		TEST(a_reader_that_goes_ends_the_program_quietly),
		TEST(a_reader_that_goes_is_noticed_without_a_line),
		TEST(standard_output_is_blocking_again_in_the_end),
		TEST(paths_that_cannot_be_written_are_refused),
		TEST(a_device_without_room_drops_every_line),
	};

	/* as main.c does */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
