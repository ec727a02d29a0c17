/* test_http.c - the web server against polite, clumsy and hostile clients, over real sockets */
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

#include "connections.h"
#include "http.h"
#include "http_host.h"

#define ANSWER_BYTES (4u << 20)
#define TURNS_MAX 20000     /* of a millisecond at most: a bound, not an expectation */
#define REQUEST_MS 300      /* short, so that a deadline can be waited for */
#define FOREVER_MS 3600000  /* long, so that no deadline helps */
#define GET "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_AND_CLOSE "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

enum { PAGE, EMPTY, PAGES };

static uv_loop_t loop;
static struct http *http;
static struct http_page pages[PAGES];
static char answer[ANSWER_BYTES];

static void publish(const char *text)
{
	char *copy = strdup(text);

	assert_int_equal(http_publish(&pages[PAGE], 200, "text/plain", copy, strlen(copy)), 0);
}

static int start(const char *host, unsigned int request_ms)
{
	memset(pages, 0, sizeof(pages));
	pages[PAGE].path = "/page";
	pages[EMPTY].path = "/empty";
	uv_loop_init(&loop);
	return http_start(&http, &loop, &(struct http_config){
		.host = host,
		.pages = pages,
		.page_count = PAGES,
		.request_ms = request_ms,
	});
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(start("", HTTP_REQUEST_MS), 0);
	publish("hello");
	return 0;
}

static int setup_impatient(void **state)
{
	(void)state;
	assert_int_equal(start("", REQUEST_MS), 0);
	publish("hello");
	return 0;
}

static int setup_patient(void **state)
{
	(void)state;
	assert_int_equal(start("", FOREVER_MS), 0);
	publish("hello");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_stop(http);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

static void turn(void)
{
	uv_run(&loop, UV_RUN_NOWAIT);
	poll(NULL, 0, 1);
}

/* Connect from the nth address of loopback, 127.0.0.1 being the 0th. */
static int dial_from(unsigned int nth)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + nth);
	at.sin_port = htons((uint16_t)atoi(strrchr(http_address(http), ':') + 1));
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	return fd;
}

static int dial(void)
{
	return dial_from(0);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read until the server closes, or until as many bytes are there. */
static const char *hear(int fd, size_t enough)
{
	size_t count = 0;

	for (int turns = 0; count < enough && turns < TURNS_MAX; turns++) {
		ssize_t got = recv(fd, answer + count, ANSWER_BYTES - 1 - count, MSG_DONTWAIT);

		if (!got || (got < 0 && errno != EAGAIN))
			break;
		if (got > 0)
			count += (size_t)got;
		else
			turn();
	}
	answer[count] = '\0';
	return answer;
}

static const char *ask(const char *request)
{
	int fd = dial();

	say(fd, request);
	hear(fd, ANSWER_BYTES);
	close(fd);
	return answer;
}

static int status_of(const char *text)
{
	return strncmp(text, "HTTP/1.", 7) ? 0 : atoi(text + 9);
}

static void check_served(void)
{
	assert_int_equal(status_of(ask(GET_AND_CLOSE)), 200);
}

static bool is_closed(int fd)
{
	for (int turns = 0; turns < TURNS_MAX; turns++) {
		char any[4096];
		ssize_t got = recv(fd, any, sizeof(any), MSG_DONTWAIT);

		if (!got || (got < 0 && errno != EAGAIN))
			return true;
		turn();
	}
	return false;
}

static void requests_get_the_status_they_deserve(void **state)
{
	static const struct { const char *request; int want; const char *why; } cases[] = {
		{ GET_AND_CLOSE, 200, "plain" },
		{ "GET /page HTTP/1.0\r\n\r\n", 200, "1.0 needs no Host" },
		{ "GET /page?a=b HTTP/1.0\r\n\r\n", 200, "a query changes nothing" },
		{ "GET /empty HTTP/1.0\r\n\r\n", 503, "nothing published yet" },
		{ "GET /none HTTP/1.0\r\n\r\n", 404, "no such path" },
		{ "GET /page/ HTTP/1.0\r\n\r\n", 404, "paths are exact" },
		{ "GET /../page HTTP/1.0\r\n\r\n", 404, "paths are exact" },
		{ "GET * HTTP/1.0\r\n\r\n", 404, "not a path" },
		{ "POST /page HTTP/1.0\r\n\r\n", 405, "nothing to change here" },
		{ "DELETE /page HTTP/1.0\r\n\r\n", 405, "nothing to change here" },
		{ "get /page HTTP/1.0\r\n\r\n", 405, "methods are exact" },
		{ "POST /page HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", 405,
		  "the method is refused before the body" },
		{ "GET /page HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", 413, "no body" },
		{ "GET /page HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "0\r\n\r\n", 413, "no body, however empty" },
		{ "GET /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
		  "Content-Length: 5\r\n\r\nhello", 413, "two lengths" },
		{ "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		  "Content-Length: 0\r\n\r\n", 200, "a body of nothing is none" },
		{ "GET /page HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421,
		  "DNS rebinding" },
		{ "GET /page HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"
		  "Connection: close\r\n\r\n", 421, "one of two is foreign" },
		{ "GET /none HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421,
		  "strangers do not learn which paths there are" },
		{ "GET /page HTTP/1.1\r\n\r\n", 400, "1.1 without a Host" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (status_of(ask(cases[i].request)) != cases[i].want)
			fail_msg("%s: want %d, got:\n%s", cases[i].why, cases[i].want, answer);
}

static void a_refused_method_is_told_which_are_allowed(void **state)
{
	(void)state;
	assert_non_null(strstr(ask("PUT /page HTTP/1.0\r\n\r\n"), "\r\nAllow: GET, HEAD\r\n"));
}

static void head_is_get_without_the_body(void **state)
{
	(void)state;
	ask("HEAD /page HTTP/1.0\r\n\r\n");
	assert_int_equal(status_of(answer), 200);
	assert_non_null(strstr(answer, "\r\nContent-Length: 5\r\n"));
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void one_connection_takes_several_requests(void **state)
{
	int fd;

	(void)state;
	fd = dial();
	say(fd, GET);
	assert_int_equal(status_of(hear(fd, 1)), 200);
	publish("world");
	say(fd, GET_AND_CLOSE);
	assert_non_null(strstr(hear(fd, ANSWER_BYTES), "\r\n\r\nworld"));
	close(fd);
	assert_int_equal(pages[PAGE].delivered, 2);
}

static void hosts_are_addresses_localhost_and_the_own_name(void **state)
{
	static const struct { const char *host; bool want; const char *why; } cases[] = {
		{ "localhost", true, "by name" },
		{ "LocalHost:24040", true, "whatever the case, with a port" },
		{ "127.0.0.1", true, "by address" },
		{ "127.0.0.1:80", true, "any port: a tunnel has its own" },
		{ "[::1]", true, "IPv6" },
		{ "[::1]:24040", true, "IPv6 with a port" },
		{ "192.0.2.7:1", true, "no name, so nothing to rebind" },
		{ "box.lan:24040", true, "the name it was told to listen on" },
		{ "evil.example", false, "a foreign name" },
		{ "localhost.evil.example", false, "only starts like ours" },
		{ "127.0.0.1.evil.example", false, "only starts like an address" },
		{ "evil.example:127", false, "a foreign name with a port" },
		{ "localhost:80x", false, "rubbish after the port" },
		{ "localhost:80:80", false, "two ports" },
		{ "localhost@evil.example", false, "rubbish" },
		{ "[::1", false, "an open bracket" },
		{ "[::1]x", false, "rubbish after the bracket" },
		{ "[evil.example]", false, "a name in brackets" },
		{ "", false, "nothing" },
		{ ":80", false, "a port alone" },
		{ "[]", false, "empty brackets" },
	};
	char endless[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_host_is_ours(cases[i].host, "box.lan") != cases[i].want)
			fail_msg("\"%s\": %s", cases[i].host, cases[i].why);
	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_false(http_host_is_ours(endless, "box.lan"));
}

static void a_server_for_the_network_answers_to_any_name(void **state)
{
	(void)state;
	assert_int_equal(start("0.0.0.0", HTTP_REQUEST_MS), 0);
	publish("hello");
	assert_int_equal(status_of(ask("GET /page HTTP/1.1\r\nHost: box.example\r\n"
				       "Connection: close\r\n\r\n")), 200);
}

static void an_endless_header_is_refused_and_the_next_client_served(void **state)
{
	char line[4096];
	int fd;

	(void)state;
	memset(line, 'a', sizeof(line));
	fd = dial();
	say(fd, "GET /page HTTP/1.1\r\nHost: localhost\r\nX: ");
	for (int i = 0; i < 64; i++) {   /* 256 KiB, or until it is cut off */
		if (send(fd, line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		turn();
	}
	assert_true(is_closed(fd));
	close(fd);
	check_served();
}

static void noise_closes_the_connection_and_the_next_client_is_served(void **state)
{
	static const char *const noise[] = {
		"\r\n\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /page HTTP/9.9\r\n\r\n", ": : :\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		int fd = dial();

		say(fd, noise[i]);
		shutdown(fd, SHUT_WR);
		hear(fd, ANSWER_BYTES);
		assert_int_not_equal(status_of(answer), 200);
		close(fd);
		check_served();
	}
}

static void dripping_headers_end_at_the_deadline(void **state)
{
	bool open = true;
	int fd;

	(void)state;
	fd = dial();
	say(fd, "GET /page HTTP/1.1\r\n");
	/* a byte now and then: an idle time-out alone would never come */
	for (int turns = 0; open && turns < TURNS_MAX; turns++) {
		char any;

		if (turns % 20 == 0)
			open = send(fd, "X", 1, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
		open = open && recv(fd, &any, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
		turn();
	}
	close(fd);
	assert_false(open);
	check_served();
}

static void an_idle_connection_is_closed(void **state)
{
	int fd;

	(void)state;
	fd = dial();
	say(fd, GET);
	hear(fd, 1);
	assert_true(is_closed(fd));
	close(fd);
}

static void a_flood_of_silent_connections_locks_nobody_out(void **state)
{
	enum { FLOOD = 4 * CONNECTIONS_MAX };
	int fds[FLOOD];

	(void)state;
	for (int i = 0; i < FLOOD; i++) {
		fds[i] = dial();
		say(fds[i], "GET /page HT");
		if (i % CONNECTIONS_PER_ADDRESS == 0)
			check_served();
	}
	check_served();
	for (int i = 0; i < FLOOD; i++)
		close(fds[i]);
	check_served();
}

static void a_flood_from_many_addresses_locks_nobody_out(void **state)
{
	enum { ADDRESSES = 16, EACH = CONNECTIONS_PER_ADDRESS / 2 };
	int fds[ADDRESSES * EACH];

	(void)state;
	for (int i = 0; i < ADDRESSES * EACH; i++) {
		fds[i] = dial_from(1 + (unsigned int)i / EACH);
		say(fds[i], "GET /page HT");
	}
	check_served();
	for (int i = 0; i < ADDRESSES * EACH; i++)
		close(fds[i]);
}

static void the_oldest_makes_room_not_the_one_being_served(void **state)
{
	int fds[CONNECTIONS_PER_ADDRESS + 4], served = -1;

	(void)state;
	for (int i = 0; i < CONNECTIONS_PER_ADDRESS + 4; i++) {
		if (i == CONNECTIONS_PER_ADDRESS) {
			served = dial();
			say(served, "GET /page HTTP/1.0\r\n");
			turn();
		}
		fds[i] = dial();
		turn();
	}
	say(served, "\r\n");
	assert_int_equal(status_of(hear(served, ANSWER_BYTES)), 200);
	assert_true(is_closed(fds[0]));
	close(served);
	for (int i = 0; i < CONNECTIONS_PER_ADDRESS + 4; i++)
		close(fds[i]);
}

static void a_slow_reader_gets_the_page_it_asked_for_and_holds_up_nobody(void **state)
{
	const size_t bytes = ANSWER_BYTES - 4096;   /* more than socket buffers hold */
	char *big = malloc(bytes + 1);
	const char *body;
	int fd;

	(void)state;
	memset(big, 'x', bytes);
	big[bytes] = '\0';
	assert_int_equal(http_publish(&pages[PAGE], 200, "text/plain", big, bytes), 0);
	fd = dial();
	say(fd, GET_AND_CLOSE);
	turn();
	for (int i = 0; i < 5; i++) {
		publish("new");
		check_served();
		assert_non_null(strstr(answer, "\r\n\r\nnew"));
	}
	body = strstr(hear(fd, ANSWER_BYTES), "\r\n\r\n");
	close(fd);
	assert_non_null(body);
	assert_int_equal(strspn(body + 4, "x"), bytes);
}

static void an_answer_that_is_never_read_is_cut_off_and_counted(void **state)
{
	const size_t bytes = 16u << 20;
	char *big = calloc(1, bytes);
	int fd;

	(void)state;
	assert_int_equal(http_publish(&pages[PAGE], 200, "text/plain", big, bytes), 0);
	fd = dial();
	say(fd, GET);
	for (int turns = 0; !pages[PAGE].dropped && turns < TURNS_MAX; turns++)
		turn();
	close(fd);
	assert_int_equal(pages[PAGE].dropped, 1);
	assert_int_equal(pages[PAGE].delivered, 0);
}

static void stopping_under_load_leaves_nothing(void **state)
{
	int fds[8];
	char any;

	(void)state;
	for (int i = 0; i < 8; i++) {
		fds[i] = dial();
		say(fds[i], i % 2 ? GET : "GET /pa");
	}
	turn();
	http_stop(http);
	http = NULL;
	for (int i = 0; i < 8; i++) {
		while (recv(fds[i], &any, 1, 0) > 0)
			;
		close(fds[i]);
	}
	assert_null(pages[PAGE].response);
}

static void an_idle_server_sleeps(void **state)
{
	int timeout_ms;

	(void)state;
	check_served();
	for (int turns = 0; turns < 50; turns++)
		turn();
	timeout_ms = uv_backend_timeout(&loop);
	assert_int_equal(timeout_ms, -1);
}

static void what_cannot_be_listened_on_is_told(void **state)
{
	static const struct { const char *host; int want; const char *why; } cases[] = {
		{ "no-such-host.invalid", -ENOENT, "a name that does not resolve" },
		{ "192.0.2.1", -EADDRNOTAVAIL, "another machine's address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (start(cases[i].host, HTTP_REQUEST_MS) != cases[i].want)
			fail_msg("%s", cases[i].why);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&loop), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_IMPATIENT(name) cmocka_unit_test_setup_teardown(name, setup_impatient, teardown)
#define TEST_PATIENT(name) cmocka_unit_test_setup_teardown(name, setup_patient, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_get_the_status_they_deserve),
		TEST(a_refused_method_is_told_which_are_allowed),
		TEST(head_is_get_without_the_body),
		TEST(one_connection_takes_several_requests),
		cmocka_unit_test(hosts_are_addresses_localhost_and_the_own_name),
		cmocka_unit_test_setup_teardown(a_server_for_the_network_answers_to_any_name, NULL,
						teardown),
		TEST_PATIENT(an_endless_header_is_refused_and_the_next_client_served),
		TEST_IMPATIENT(noise_closes_the_connection_and_the_next_client_is_served),
		TEST_IMPATIENT(dripping_headers_end_at_the_deadline),
		TEST_IMPATIENT(an_idle_connection_is_closed),
		TEST_PATIENT(a_flood_of_silent_connections_locks_nobody_out),
		TEST_PATIENT(a_flood_from_many_addresses_locks_nobody_out),
		TEST_PATIENT(the_oldest_makes_room_not_the_one_being_served),
		TEST(a_slow_reader_gets_the_page_it_asked_for_and_holds_up_nobody),
		TEST_IMPATIENT(an_answer_that_is_never_read_is_cut_off_and_counted),
		TEST(stopping_under_load_leaves_nothing),
		TEST(an_idle_server_sleeps),
		cmocka_unit_test(what_cannot_be_listened_on_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
