/* prometheus.c - the metrics endpoint: pages made once a period, served from memory */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "exit_status.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "self.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"   /* Prometheus 3 insists on it */
#define TEXT_TYPE "text/plain; charset=utf-8"
#define HTML_TYPE "text/html; charset=utf-8"
#define BACKENDS_MAX 16
#define STATUS_OK 200
#define STATUS_UNAVAILABLE 503

enum page { PAGE_METRICS, PAGE_HEALTHY, PAGE_READY, PAGE_HOME, PAGE_COUNT };

static const char home[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n"
	"<head><meta charset=\"utf-8\"><title>netto</title></head>\n"
	"<body><h1>netto " NETTO_VERSION "</h1>\n"
	"<p>How much CPU the network stack takes: <a href=\"/metrics\">metrics</a> for Prometheus, "
	"<a href=\"/-/healthy\">healthy</a>, <a href=\"/-/ready\">ready</a>.</p></body></html>\n";

struct prometheus {
	struct http *http;
	struct http_page pages[PAGE_COUNT];
	uint64_t render_failures;
	uint64_t last_update_ns;
};

static bool prometheus_wanted(const struct options *options)
{
	return options->prometheus;
}

static int publish_text(struct http_page *page, unsigned int status, const char *type,
			const char *text)
{
	char *copy = strdup(text);

	return copy ? http_publish(page, status, type, copy, strlen(copy)) : -ENOMEM;
}

static int publish_ready(struct prometheus *p, bool ready)
{
	struct http_page *page = &p->pages[PAGE_READY];
	unsigned int status = ready ? STATUS_OK : STATUS_UNAVAILABLE;

	if (page->status == status)
		return 0;
	return publish_text(page, status, TEXT_TYPE, ready ? "netto is ready.\n"
			    : "netto waits for the collector's first period.\n");
}

static int publish_metrics(struct prometheus *p, const struct totals *t)
{
	struct metrics_backend backends[BACKENDS_MAX];
	const struct backend_counts *counts;
	struct self_figures self;
	struct metrics_input in = {
		.totals = t,
		.last_update_ns = p->last_update_ns,
		.self = &self,
		.backends = backends,
	};
	char *text;
	size_t bytes;
	int err;

	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		counts = backends_counts(i, &backends[i].name);
		if (!counts)
			break;
		backends[i].counts = *counts;
		in.backend_count++;
	}
	self_read(&self);
	err = metrics_render(&in, &text, &bytes);
	if (!err)
		err = http_publish(&p->pages[PAGE_METRICS], STATUS_OK, METRICS_TYPE, text, bytes);
	return err;
}

/* The page before is served on where there is no memory for the next one. */
static void publish(struct backend_ctx *ctx, const struct totals *t)
{
	struct prometheus *p = ctx->state;
	const struct http_page *page = &p->pages[PAGE_METRICS];

	if (publish_metrics(p, t) || publish_ready(p, t->collector_up))
		p->render_failures++;
	ctx->counts.delivered = page->delivered;
	ctx->counts.dropped = page->dropped + p->render_failures;
}

static void prometheus_period(struct backend_ctx *ctx, const struct totals *t)
{
	struct prometheus *p = ctx->state;

	p->last_update_ns = t->end_ns;
	publish(ctx, t);
}

static const char *listen_advice(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return "address in use: stop what listens there or give another port";
	case -ENOENT:
		return "the name does not resolve: give an address of this machine";
	case -EADDRNOTAVAIL:
		return "not an address of this machine: give one of its own, or 0.0.0.0 for all";
	case -EACCES:
		return "ports below 1024 need privilege: give a higher one";
	default:
		return strerror(-err);
	}
}

static int listen_failed(const struct options *options, int err)
{
	const char *host = options->prometheus_host;
	const char *bracket = strchr(host, ':') ? "[" : "";

	log_error("prometheus: cannot listen on %s%s%s:%u: %s", bracket,
		  *host ? host : "127.0.0.1", *bracket ? "]" : "", options->prometheus_port,
		  listen_advice(err));
	return err == -ENOMEM ? err : EXIT_ERR(EX_UNAVAILABLE);
}

static void prometheus_stop(struct backend_ctx *ctx)
{
	struct prometheus *p = ctx->state;

	http_stop(p->http);
	free(p);
}

static int prometheus_start(struct backend_ctx *ctx)
{
	static const struct totals nothing_yet;
	struct prometheus *p;
	int err;

	p = calloc(1, sizeof(*p));
	if (!p) {
		log_error("prometheus: cannot start: out of memory");
		return -ENOMEM;
	}
	p->pages[PAGE_METRICS].path = "/metrics";
	p->pages[PAGE_HEALTHY].path = "/-/healthy";
	p->pages[PAGE_READY].path = "/-/ready";
	p->pages[PAGE_HOME].path = "/";
	ctx->state = p;

	err = http_start(&p->http, ctx->loop, &(struct http_config){
		.host = ctx->options->prometheus_host,
		.port = ctx->options->prometheus_port,
		.pages = p->pages,
		.page_count = PAGE_COUNT,
		.request_ms = HTTP_REQUEST_MS,
	});
	if (err) {
		err = listen_failed(ctx->options, err);
		goto fail;
	}
	err = publish_text(&p->pages[PAGE_HEALTHY], STATUS_OK, TEXT_TYPE, "netto is healthy.\n");
	if (!err)
		err = publish_text(&p->pages[PAGE_HOME], STATUS_OK, HTML_TYPE, home);
	if (err) {
		log_error("prometheus: cannot start: out of memory");
		goto fail;
	}
	publish(ctx, &nothing_yet);
	log_info("prometheus: listening on http://%s/metrics", http_address(p->http));
	return 0;
fail:
	prometheus_stop(ctx);
	return err;
}

const struct backend prometheus_backend = {
	.name = "prometheus",
	.wanted = prometheus_wanted,
	.start = prometheus_start,
	.period = prometheus_period,
	.silence = publish,
	.stop = prometheus_stop,
};
