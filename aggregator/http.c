/* http.c - libmicrohttpd's epoll descriptor inside the libuv loop */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connections.h"
#include "http_host.h"
#include "tcp_listen.h"

#define SWEEP_MS 1000
#define REST_MS 100
#define LOOPBACK "127.0.0.1"

enum refusal {
	REFUSAL_HOST,
	REFUSAL_PATH,
	REFUSAL_METHOD,
	REFUSAL_BODY,
	REFUSAL_EMPTY,
	REFUSAL_COUNT
};

static const struct { unsigned int status; const char *text; } refusals[] = {
	[REFUSAL_HOST] = { MHD_HTTP_MISDIRECTED_REQUEST,
			   "This server answers to addresses, localhost and its own name.\n" },
	[REFUSAL_PATH] = { MHD_HTTP_NOT_FOUND, "No such page: see /\n" },
	[REFUSAL_METHOD] = { MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only.\n" },
	[REFUSAL_BODY] = { MHD_HTTP_CONTENT_TOO_LARGE, "A request has no body here.\n" },
	[REFUSAL_EMPTY] = { MHD_HTTP_SERVICE_UNAVAILABLE, "Nothing here yet.\n" },
};
_Static_assert(sizeof(refusals) / sizeof(refusals[0]) == REFUSAL_COUNT, "a text for each refusal");

struct http {
	struct MHD_Daemon *daemon;
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_timer_t timer;
	int open_handles;
	struct http_page *pages;
	size_t page_count;
	struct http_page refused[REFUSAL_COUNT];
	struct connections connections;
	uint64_t accepted;        /* connections ever */
	unsigned int request_ms;
	struct tcp_listener listener;
	char name[NI_MAXHOST];    /* as it was told */
};

/* ---- who may ask, and for what ---- */

/* What the headers of one request amount to; filled line by line. */
struct headers {
	const struct http *http;
	bool body;
	bool foreign_host;
};

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	struct headers *headers = arg;

	(void)kind;   /* headers are all that was asked for */
	if (!value)
		value = "";
	if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING))
		headers->body = true;
	else if (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) && strcmp(value, "0"))
		headers->body = true;
	else if (!strcasecmp(name, MHD_HTTP_HEADER_HOST) && headers->http->listener.loopback &&
		 !http_host_is_ours(value, headers->http->name))
		headers->foreign_host = true;
	return MHD_YES;
}

static struct http_page *find_page(struct http *http, const char *path)
{
	for (size_t i = 0; i < http->page_count; i++)
		if (!strcmp(path, http->pages[i].path))
			return &http->pages[i];
	return NULL;
}

static struct http_page *choose_page(struct http *http, const struct headers *headers,
				     const char *path, const char *method)
{
	struct http_page *page = find_page(http, path);

	if (headers->foreign_host)
		return &http->refused[REFUSAL_HOST];
	if (!page)
		return &http->refused[REFUSAL_PATH];
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return &http->refused[REFUSAL_METHOD];
	if (headers->body)
		return &http->refused[REFUSAL_BODY];
	return page->response ? page : &http->refused[REFUSAL_EMPTY];
}

/* Called once when the headers are there and once more at the request's end.
 * Only an answer to the second keeps the connection; one to the first makes
 * the library close it, which is what a body deserves. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *body_bytes, void **request)
{
	struct http_page *page = *request;

	(void)version;   /* 1.0 and 1.1 get the same */
	(void)body;      /* none is accepted */
	if (!page) {
		struct headers headers = { .http = arg };

		MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &headers);
		page = *request = choose_page(arg, &headers, path, method);
		if (!headers.body)
			return MHD_YES;
	} else if (*body_bytes) {
		return MHD_NO;
	}
	return MHD_queue_response(connection, page->status, page->response);
}

/* ---- connections ---- */

static struct connection *connection_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection,
				       MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct http *http = arg;
	struct http_page *page = *request;

	if (!page)
		return;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		page->delivered++;
	else
		page->dropped++;
	connections_renew(connection_of(connection), uv_now(http->loop));
}

static struct in6_addr client_address(struct MHD_Connection *connection)
{
	struct in6_addr address = IN6ADDR_ANY_INIT;
	const struct sockaddr *sa;

	sa = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	if (sa && sa->sa_family == AF_INET6)
		address = ((const struct sockaddr_in6 *)sa)->sin6_addr;
	else if (sa && sa->sa_family == AF_INET)
		address.s6_addr32[3] = ((const struct sockaddr_in *)sa)->sin_addr.s_addr;
	return address;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = arg;
	struct in6_addr address;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		connections_remove(&http->connections, *context);
		return;
	}
	http->accepted++;
	address = client_address(connection);
	*context = connections_add(&http->connections, uv_now(http->loop), &address,
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
}

/* ---- the loop ---- */

static void on_timer(uv_timer_t *timer);
static void on_readable(uv_poll_t *poll, int status, int events);

/* Once more at once where the library has work left, and after the last client
 * has gone: where descriptors ran out it stopped to listen, and begins again no
 * sooner than in the run after that. Else the next look at the deadlines, which
 * traffic must not put off, and only while somebody is connected: an idle server
 * never wakes the machine. */
static void turn(struct http *http)
{
	const size_t before = http->connections.count;
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	bool again;

	(void)MHD_run(http->daemon);   /* fails only without a daemon */
	again = (MHD_get_timeout(http->daemon, &timeout_ms) == MHD_YES && !timeout_ms) ||
		(before && !http->connections.count);
	if (again)
		uv_timer_start(&http->timer, on_timer, 0, 0);
	else if (!http->connections.count)
		uv_timer_stop(&http->timer);
	else if (!uv_is_active((uv_handle_t *)&http->timer))
		uv_timer_start(&http->timer, on_timer,
			       http->request_ms < SWEEP_MS ? http->request_ms : SWEEP_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct http *http = timer->data;

	connections_expire(&http->connections, uv_now(http->loop), http->request_ms);
	if (!uv_is_active((uv_handle_t *)&http->poll))
		(void)uv_poll_start(&http->poll, UV_READABLE, on_readable);   /* it was before */
	turn(http);
}

/* Where there is no descriptor left for the first client, the library leaves
 * him waiting, and epoll would say so again at once. */
static void rest(struct http *http)
{
	(void)uv_poll_stop(&http->poll);
	uv_timer_start(&http->timer, on_timer, REST_MS, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct http *http = poll->data;
	const uint64_t accepted = http->accepted;
	const bool idle = !http->connections.count;

	(void)status;   /* whatever it is, the library looks for itself */
	(void)events;
	turn(http);
	if (idle && accepted == http->accepted)
		rest(http);
}

/* ---- start and stop ---- */

static int prepare_refusals(struct http *http)
{
	for (size_t i = 0; i < REFUSAL_COUNT; i++) {
		struct http_page *page = &http->refused[i];
		char *text = strdup(refusals[i].text);

		if (!text || http_publish(page, refusals[i].status, "text/plain; charset=utf-8",
					  text, strlen(text)))
			return -ENOMEM;
	}
	if (MHD_add_response_header(http->refused[REFUSAL_METHOD].response, MHD_HTTP_HEADER_ALLOW,
				    "GET, HEAD") != MHD_YES)
		return -ENOMEM;
	return 0;
}

static int start_daemon(struct http *http)
{
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, http->listener.fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,   /* or HTTP/1.1 could leave its Host out */
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_END);
	return http->daemon ? 0 : -EIO;
}

static int start_handles(struct http *http)
{
	const union MHD_DaemonInfo *info;
	int err;

	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EIO;
	http->timer.data = http->poll.data = http;
	uv_timer_init(http->loop, &http->timer);
	http->open_handles++;
	err = uv_poll_init(http->loop, &http->poll, info->epoll_fd);
	if (err)
		return err;
	http->open_handles++;
	return uv_poll_start(&http->poll, UV_READABLE, on_readable);
}

int http_start(struct http **out, uv_loop_t *loop, const struct http_config *config)
{
	struct http *http;
	int err;

	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->loop = loop;
	http->pages = config->pages;
	http->page_count = config->page_count;
	http->request_ms = config->request_ms;
	snprintf(http->name, sizeof(http->name), "%s",
		 *config->host ? config->host : LOOPBACK);

	err = prepare_refusals(http);
	if (!err)
		err = tcp_listen(&http->listener, http->name, config->port);
	if (err)
		goto fail;
	err = start_daemon(http);
	if (err) {
		close(http->listener.fd);   /* else it is the daemon's */
		goto fail;
	}
	err = start_handles(http);
	if (err)
		goto fail;
	*out = http;
	return 0;
fail:
	http_stop(http);
	return err;
}

const char *http_address(const struct http *http)
{
	return http->listener.address;
}

int http_publish(struct http_page *page, unsigned int status, const char *content_type,
		 char *text, size_t bytes)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return -ENOMEM;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type) !=
	    MHD_YES) {
		MHD_destroy_response(response);
		return -ENOMEM;
	}
	if (page->response)   /* lives on until the last answer with it is sent */
		MHD_destroy_response(page->response);
	page->response = response;
	page->status = status;
	return 0;
}

static void release_pages(struct http_page *pages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pages[i].response)
			MHD_destroy_response(pages[i].response);
		pages[i].response = NULL;
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct http *http = handle->data;

	if (--http->open_handles == 0)
		free(http);
}

void http_stop(struct http *http)
{
	int handles;

	if (!http)
		return;
	handles = http->open_handles;
	if (handles > 1)   /* before the daemon closes the descriptor it watches */
		uv_close((uv_handle_t *)&http->poll, on_closed);
	if (handles > 0)
		uv_close((uv_handle_t *)&http->timer, on_closed);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	release_pages(http->pages, http->page_count);
	release_pages(http->refused, REFUSAL_COUNT);
	if (!handles)
		free(http);
}
