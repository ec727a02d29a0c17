/* backends.c - the list of backends, and those of it that run
 *
 * To add one: its file under backends/, a line below, its option in options.c.
 */
#include "backend.h"

extern const struct backend table_backend, log_backend, prometheus_backend;

static const struct backend *const backends[] = {
	&table_backend,
	&log_backend,
	&prometheus_backend,
};

#define BACKENDS_COUNT (sizeof(backends) / sizeof(backends[0]))

static struct running {
	const struct backend *backend;
	struct backend_ctx ctx;
} running[BACKENDS_COUNT];
static size_t running_count;

int backends_start(uv_loop_t *loop, const struct options *options, void (*quit)(void))
{
	for (size_t i = 0; i < BACKENDS_COUNT; i++) {
		struct running *r = &running[running_count];
		int err;

		if (!backends[i]->wanted(options))
			continue;
		*r = (struct running){ .backend = backends[i],
				       .ctx = { .loop = loop, .options = options, .quit = quit } };
		err = r->backend->start(&r->ctx);
		if (err) {
			backends_stop();
			return err;
		}
		running_count++;
	}
	return 0;
}

void backends_period(const struct totals *totals)
{
	for (size_t i = 0; i < running_count; i++)
		running[i].backend->period(&running[i].ctx, totals);
}

void backends_silence(const struct totals *totals)
{
	for (size_t i = 0; i < running_count; i++)
		if (running[i].backend->silence)
			running[i].backend->silence(&running[i].ctx, totals);
}

void backends_reopen(void)
{
	for (size_t i = 0; i < running_count; i++)
		if (running[i].backend->reopen)
			running[i].backend->reopen(&running[i].ctx);
}

/* Last started, first stopped. */
void backends_stop(void)
{
	while (running_count) {
		struct running *r = &running[--running_count];

		r->backend->stop(&r->ctx);
	}
}

const struct backend_counts *backends_counts(size_t i, const char **name)
{
	if (i >= running_count)
		return NULL;
	*name = running[i].backend->name;
	return &running[i].ctx.counts;
}
