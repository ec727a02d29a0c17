/* fuzz_http.c - any bytes sent to the metrics server, over a real connection
 *
 * Holds that the server answers in HTTP or not at all, and that a Host header
 * which is let through has no name but ours in it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "http_host.h"

#define TURNS 8   /* of the loop; what needs more has seen the end of its input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static uv_loop_t loop;
static struct http *http;
static struct http_page page = { .path = "/" };

/* A macro, so that a finding says which line and, of a call, why. */
#define must(holds) do { \
	if (!(holds)) { \
		fprintf(stderr, "line %d: " #holds ": errno %d\n", __LINE__, errno); \
		abort(); \
	} \
} while (0)

static void start(void)
{
	uv_loop_init(&loop);
	must(!http_start(&http, &loop, &(struct http_config){
		.host = "", .pages = &page, .page_count = 1, .request_ms = 1000 }));
	must(!http_publish(&page, 200, "text/plain", strdup("hello"), 5));
}

static void check_host(const uint8_t *data, size_t bytes)
{
	char *host = strndup((const char *)data, bytes);

	must(host);
	if (http_host_is_ours(host, "localhost"))
		must(!host[strspn(host, "0123456789abcdefABCDEF.:[]")] ||
		     !strncasecmp(host, "localhost", strlen("localhost")) ||
		     !strncasecmp(host, "[localhost]", strlen("[localhost]")));
	free(host);
}

/* The fuzzer's own clock interrupts calls; a connect goes on nevertheless. */
static bool connect_to(int fd, const struct sockaddr_in *at)
{
	while (connect(fd, (const struct sockaddr *)at, sizeof(*at))) {
		if (errno == EISCONN)
			return true;
		if (errno != EINTR && errno != EALREADY)
			return false;
	}
	return true;
}

static void converse(const uint8_t *data, size_t bytes)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger reset = { .l_onoff = 1 };   /* no port is left waiting */
	char answer[4096];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t got;

	at.sin_port = htons((uint16_t)atoi(strrchr(http_address(http), ':') + 1));
	must(fd >= 0 && connect_to(fd, &at));
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)send(fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < TURNS; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	must(got <= 0 || (got > 12 && !memcmp(answer, "HTTP/1.", 7)));
	close(fd);
	uv_run(&loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (!http)
		start();
	check_host(data, bytes);
	converse(data, bytes);
	return 0;
}
