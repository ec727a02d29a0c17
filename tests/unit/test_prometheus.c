/* test_prometheus.c - the endpoint as a scraper and a load balancer see it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"
#include "exit_status.h"

extern const struct backend prometheus_backend;

static struct options options;
static struct backend_ctx ctx;
static uv_loop_t loop;
static struct cpu_figures cpus[2];
static struct totals totals;
static char answer[256 << 10];

/* A free port: what the kernel gives is free again once closed. */
static uint16_t free_port(int *keep)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &bytes), 0);
	if (keep)
		*keep = fd;
	else
		close(fd);
	return ntohs(at.sin_port);
}

static int setup(void **state)
{
	(void)state;
	memset(&options, 0, sizeof(options));
	memset(&totals, 0, sizeof(totals));
	options.prometheus = true;
	options.prometheus_port = free_port(NULL);
	totals.cpu_slots = 2;
	totals.cpus_online = 2;
	totals.total.cpus = totals.period.cpus = cpus;
	totals.collector_up = true;
	totals.end_ns = 1700000000500000000;
	uv_loop_init(&loop);
	ctx = (struct backend_ctx){ .loop = &loop, .options = &options };
	assert_int_equal(prometheus_backend.start(&ctx), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	prometheus_backend.stop(&ctx);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

/* Ask for path and read to the end of the connection, the loop turning. */
static const char *get(const char *path)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(options.prometheus_port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t count = 0;
	ssize_t got = -1;

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_true(dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
			    path) > 0);
	for (int turns = 0; got && turns < 10000; turns++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1);
		got = recv(fd, answer + count, sizeof(answer) - 1 - count, MSG_DONTWAIT);
		if (got > 0)
			count += (size_t)got;
	}
	close(fd);
	assert_int_equal(got, 0);
	answer[count] = '\0';
	return answer;
}

static void check_status(const char *path, int status)
{
	char want[32];

	snprintf(want, sizeof(want), "HTTP/1.1 %d ", status);
	assert_memory_equal(get(path), want, strlen(want));
}

static void check_has(const char *text)
{
	if (!strstr(answer, text))
		fail_msg("no \"%s\" in:\n%s", text, answer);
}

static void check_has_not(const char *text)
{
	if (strstr(answer, text))
		fail_msg("\"%s\" should not be in:\n%s", text, answer);
}

static void ready_only_after_a_period_and_while_the_collector_is_there(void **state)
{
	(void)state;
	check_status("/-/ready", 503);
	prometheus_backend.period(&ctx, &totals);
	check_status("/-/ready", 200);
	totals.collector_up = false;
	prometheus_backend.silence(&ctx, &totals);
	check_status("/-/ready", 503);
	totals.collector_up = true;
	prometheus_backend.period(&ctx, &totals);
	check_status("/-/ready", 200);
}

static void healthy_whether_or_not_there_is_a_collector(void **state)
{
	(void)state;
	check_status("/-/healthy", 200);
	totals.collector_up = false;
	prometheus_backend.silence(&ctx, &totals);
	check_status("/-/healthy", 200);
}

static void metrics_have_the_content_type_that_prometheus_needs(void **state)
{
	(void)state;
	check_status("/metrics", 200);
	check_has("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
}

static void metrics_are_there_before_any_collector(void **state)
{
	(void)state;
	check_status("/metrics", 200);
	check_has("\nnetto_collector_up 0\n");
	check_has("\nnetto_collector_last_update_timestamp_seconds 0\n");
	check_has("\nprocess_open_fds ");
	check_has_not("netto_cpu_seconds_total");
}

static void a_period_shows_at_the_next_scrape(void **state)
{
	(void)state;
	cpus[1].ns[CONTEXT_SOFTIRQ_RX] = 1234567891;
	prometheus_backend.period(&ctx, &totals);
	check_status("/metrics", 200);
	check_has("\nnetto_cpu_seconds_total{cpu=\"1\",context=\"softirq_rx\"} 1.234567891\n");
	cpus[1].ns[CONTEXT_SOFTIRQ_RX] = 2000000000;
	prometheus_backend.period(&ctx, &totals);
	check_status("/metrics", 200);
	check_has("\nnetto_cpu_seconds_total{cpu=\"1\",context=\"softirq_rx\"} 2\n");
}

static void silence_takes_the_measurements_away_and_keeps_the_time_of_the_last(void **state)
{
	(void)state;
	prometheus_backend.period(&ctx, &totals);
	totals.collector_up = false;
	totals.end_ns += 1000000000;
	prometheus_backend.silence(&ctx, &totals);
	check_status("/metrics", 200);
	check_has("\nnetto_collector_up 0\n");
	check_has("\nnetto_collector_last_update_timestamp_seconds 1700000000.5\n");
	check_has_not("netto_cpu_seconds_total");
}

static void scrapes_are_counted_and_other_pages_are_not(void **state)
{
	(void)state;
	get("/metrics");
	get("/metrics");
	get("/");
	prometheus_backend.period(&ctx, &totals);
	assert_int_equal(ctx.counts.delivered, 2);
	assert_int_equal(ctx.counts.dropped, 0);
}

static void home_leads_to_the_metrics(void **state)
{
	(void)state;
	check_status("/", 200);
	check_has("Content-Type: text/html");
	check_has("<a href=\"/metrics\">");
}

static void an_address_that_cannot_be_had_ends_the_start_with_69(void **state)
{
	static const struct { const char *host, *why; } hosts[] = {
		{ "", "the port is taken" },
		{ "no-such-host.invalid", "the name does not resolve" },
		{ "192.0.2.1", "the address is another machine's" },
	};
	struct options bad = { .prometheus = true };
	struct backend_ctx other = { .loop = &loop, .options = &bad };
	int taken;

	(void)state;
	bad.prometheus_port = free_port(&taken);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(bad.prometheus_host, sizeof(bad.prometheus_host), "%s", hosts[i].host);
		if (prometheus_backend.start(&other) != EXIT_ERR(EX_UNAVAILABLE))
			fail_msg("started although %s", hosts[i].why);
	}
	close(taken);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_only_after_a_period_and_while_the_collector_is_there),
		TEST(healthy_whether_or_not_there_is_a_collector),
		TEST(metrics_have_the_content_type_that_prometheus_needs),
		TEST(metrics_are_there_before_any_collector),
		TEST(a_period_shows_at_the_next_scrape),
		TEST(silence_takes_the_measurements_away_and_keeps_the_time_of_the_last),
		TEST(scrapes_are_counted_and_other_pages_are_not),
		TEST(home_leads_to_the_metrics),
		TEST(an_address_that_cannot_be_had_ends_the_start_with_69),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
