/* aggregator/http.h - a small web server inside the loop, for pages made beforehand
 *
 * GET and HEAD of a fixed set of paths, no request body, no state to change.
 * A page is bytes that never change: publishing a new one leaves the old to
 * the answers still being sent, so memory is bounded by the connections.
 * Nobody can hold the server up: a request with its answer has a deadline, and
 * where connections run out the oldest one goes (connections.h).
 */
#ifndef NETTO_AGGREGATOR_HTTP_H
#define NETTO_AGGREGATOR_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define HTTP_REQUEST_MS 10000          /* Prometheus' own default for a scrape */
#define HTTP_HEADER_BYTES (16u << 10)  /* memory of one connection */

struct MHD_Response;

/* What one path answers. path is the caller's; the rest is written by
 * http_publish() and the server. Until published: 503. */
struct http_page {
	const char *path;
	unsigned int status;
	struct MHD_Response *response;
	uint64_t delivered;   /* answers sent to their end */
	uint64_t dropped;     /* answers cut off: the reader left, or was too slow */
};

struct http_config {
	const char *host;          /* name or address; "": 127.0.0.1 */
	uint16_t port;             /* 0: any free one */
	struct http_page *pages;   /* the caller's, until after http_stop() */
	size_t page_count;
	unsigned int request_ms;   /* from connecting, or the answer before, to the answer's end */
};

struct http;

/* Resolve, listen, serve. config itself is not kept, host is copied.
 * 0; -ENOENT: the name does not resolve; -ENOMEM; -errno of socket, bind,
 * listen; -EIO: the server would not start. */
int http_start(struct http **http, uv_loop_t *loop, const struct http_config *config);

/* What it listens on, as text: "127.0.0.1:24040", "[::1]:24040". */
const char *http_address(const struct http *http);

/* Replace what a page answers. text (malloc) becomes the server's, also on
 * failure; content_type is copied. 0; -ENOMEM: the page stays as it was. */
int http_publish(struct http_page *page, unsigned int status, const char *content_type,
		 char *text, size_t bytes);

/* Close all connections at once. Takes NULL. The loop must run once more for
 * the handles to close; the pages are free at once. */
void http_stop(struct http *http);

#endif
