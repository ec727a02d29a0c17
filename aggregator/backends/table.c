/* table.c - the live table: keys, periods, and what a terminal does to a program */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "exit_status.h"
#include "log.h"
#include "table_layout.h"
#include "table_plain.h"
#include "table_screen.h"
#include "table_view.h"

#define CTRL_L 12
#define MESSAGE_NS UINT64_C(10000000000)

struct table_state {
	struct backend_ctx *ctx;
	struct table_window window;
	struct table_view view;
	struct table_canvas canvas;
	enum table_page page;
	bool screen;                  /* else plain text, a picture each period */
	bool utf8;
	bool log_held;
	char latest[256];             /* message */
	uint64_t message_until_ns;    /* CLOCK_MONOTONIC */
	bool waiting_said;            /* plain: that the collector is away */
	bool has_input;               /* input is open */
	uv_poll_t input;
	uv_signal_t resized, stopped, continued;
};

/* One, as there is one terminal; and handles may close after stop(). */
static struct table_state state;

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* With nobody left to look at it, the table and with it the program end. */
static void count_picture(struct table_state *table, int err)
{
	if (err)
		table->ctx->counts.dropped++;
	else
		table->ctx->counts.delivered++;
	if (err && err != -EAGAIN)
		table->ctx->quit();
}

static void on_input(uv_poll_t *poll, int status, int events);

static void draw_screen(struct table_state *table)
{
	int rows, cols, err;

	screen_size(&rows, &cols);
	if (!rows || !cols) {
		rows = 24;
		cols = 80;
	}
	if (rows != table->canvas.rows || cols != table->canvas.cols)
		screen_renew();
	canvas_clear(&table->canvas, rows, cols, table->utf8);
	table_layout(&table->canvas, &table->view, table->page);
	err = screen_draw(&table->canvas);
	count_picture(table, err);
	/* on_input() ended it in the background */
	if (!err && table->has_input && !uv_is_active((uv_handle_t *)&table->input))
		(void)uv_poll_start(&table->input, UV_READABLE, on_input);
}

static void show(struct table_state *table)
{
	if (table->screen)
		draw_screen(table);
	else
		count_picture(table, table_plain_print(&table->canvas, &table->view));
}

/* The latest message is on the screen for a while, then it is old news. */
static void update_message(struct table_state *table, uint64_t now_ns)
{
	const char *latest = table->log_held ? log_held_last() : NULL;

	if (!latest)
		return;
	if (strncmp(latest, table->latest, sizeof(table->latest) - 1) != 0) {
		snprintf(table->latest, sizeof(table->latest), "%s", latest);
		table->message_until_ns = now_ns + MESSAGE_NS;
	}
	snprintf(table->view.message, sizeof(table->view.message), "%s",
		 now_ns < table->message_until_ns ? table->latest : "");
}

static void update(struct table_state *table, const struct totals *totals)
{
	uint64_t now_ns = monotonic_ns();

	if (table->view.paused)
		return;
	table_view_update(&table->view, &table->window, totals, now_ns);
	update_message(table, now_ns);
	show(table);
}

static void on_key(struct table_state *table, char key)
{
	switch (key) {
	case 'q':
	case 'Q':
		table->ctx->quit();
		return;
	case ' ':
		if (table->page == TABLE_PAGE_FIGURES)
			table->view.paused = !table->view.paused;
		table->page = TABLE_PAGE_FIGURES;
		break;
	case '?':
	case 'h':
		table->page = table->page == TABLE_PAGE_HELP ? TABLE_PAGE_FIGURES : TABLE_PAGE_HELP;
		break;
	case CTRL_L:
		screen_renew();
		break;
	default:
		table->page = TABLE_PAGE_FIGURES;
	}
	draw_screen(table);
}

/* Single bytes are enough: no key of ours is an escape sequence, and getch()
 * cannot tell a terminal that hung up from one where nothing is typed. */
static void on_input(uv_poll_t *poll, int status, int events)
{
	struct table_state *table = poll->data;
	char keys[64];
	ssize_t bytes;

	(void)events;
	/* What is typed is the shell's, and read() would stop us (SIGTTIN). */
	if (!screen_in_foreground()) {
		uv_poll_stop(poll);
		return;
	}
	bytes = status < 0 ? 0 : read(STDIN_FILENO, keys, sizeof(keys));
	if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (bytes <= 0) {
		uv_poll_stop(poll);
		table->ctx->quit();
		return;
	}
	if (keys[0] == '\033')
		return;
	for (ssize_t i = 0; i < bytes; i++)
		on_key(table, keys[i]);
}

static void on_resized(uv_signal_t *signal, int number)
{
	(void)number;
	screen_renew();
	draw_screen(signal->data);
}

/* Ctrl-Z. SIGSTOP goes to this process only: the others of the job got their
 * own SIGTSTP. */
static void on_stopped(uv_signal_t *signal, int number)
{
	(void)signal;
	(void)number;
	screen_suspend();
	kill(getpid(), SIGSTOP);
}

/* Also after a SIGSTOP from elsewhere, when the shell has used the terminal. */
static void on_continued(uv_signal_t *signal, int number)
{
	(void)number;
	screen_resume();
	draw_screen(signal->data);
}

static int watch_signal(struct table_state *table, uv_signal_t *signal, uv_signal_cb on_signal,
			int number)
{
	int err = uv_signal_init(table->ctx->loop, signal);

	if (err)
		return err;
	signal->data = table;
	err = uv_signal_start(signal, on_signal, number);
	uv_unref((uv_handle_t *)signal);
	return err;
}

static int watch_input(struct table_state *table)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL), err;

	if (!isatty(STDIN_FILENO))
		return 0;
	err = uv_poll_init(table->ctx->loop, &table->input, STDIN_FILENO);
	if (err)
		return err;
	table->input.data = table;
	table->has_input = true;
	/* libuv makes it non-blocking, but the shell has the same open file. */
	if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags))
		return -errno;
	err = uv_poll_start(&table->input, UV_READABLE, on_input);
	uv_unref((uv_handle_t *)&table->input);
	return err;
}

static void close_handle(void *handle)
{
	uv_handle_t *h = handle;

	/* Of type 0: never opened. */
	if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h))
		uv_close(h, NULL);
}

static void release_terminal(struct table_state *table)
{
	screen_close();
	close_handle(&table->input);
	close_handle(&table->resized);
	close_handle(&table->stopped);
	close_handle(&table->continued);
	if (table->log_held)
		log_release();
	table->log_held = false;
}

/* Signals first: curses installs its own SIGTSTP and SIGWINCH handlers only
 * where it finds none. */
static int take_terminal(struct table_state *table)
{
	int rows, cols, err;

	screen_size(&rows, &cols);
	if (rows && cols && (rows < TABLE_ROWS_MIN || cols < TABLE_COLS_MIN)) {
		log_error("table: the terminal has %dx%d characters: the table needs %dx%d: "
			  "enlarge it, or use --log", cols, rows, TABLE_COLS_MIN, TABLE_ROWS_MIN);
		return EXIT_ERR(EX_UNAVAILABLE);
	}
	err = watch_signal(table, &table->resized, on_resized, SIGWINCH);
	if (!err)
		err = watch_signal(table, &table->stopped, on_stopped, SIGTSTP);
	if (!err)
		err = watch_signal(table, &table->continued, on_continued, SIGCONT);
	if (!err)
		err = watch_input(table);
	if (!err)
		err = screen_open();
	if (err) {
		release_terminal(table);
		log_error("table: cannot use the terminal: %s", strerror(-err));
		return err;
	}
	/* Messages elsewhere do not harm the picture. */
	table->log_held = isatty(STDERR_FILENO);
	if (table->log_held)
		log_hold();
	return 0;
}

static bool table_wanted(const struct options *options)
{
	return options->table;
}

static int table_start(struct backend_ctx *ctx)
{
	struct table_state *table = &state;
	enum screen_kind kind = screen_kind();
	int err;

	/* Not LC_ALL: figures of other backends keep their decimal point. */
	setlocale(LC_CTYPE, "");
	memset(table, 0, sizeof(*table));
	ctx->state = table;
	table->ctx = ctx;
	table->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	table->screen = kind == SCREEN_FULL;
	table_view_open(&table->view, ctx->options);
	if (kind == SCREEN_UNKNOWN)
		log_warn("table: unknown terminal type \"%s\": plain text instead: set TERM",
			 getenv("TERM"));
	if (!table->screen)
		return 0;
	err = take_terminal(table);
	if (!err)
		draw_screen(table);
	return err;
}

static void table_period(struct backend_ctx *ctx, const struct totals *totals)
{
	struct table_state *table = ctx->state;

	table_window_add(&table->window, totals, ctx->options);
	table->waiting_said = false;
	update(table, totals);
}

/* Once a second. As plain text it is said once. */
static void table_silence(struct backend_ctx *ctx, const struct totals *totals)
{
	struct table_state *table = ctx->state;

	table_window_empty(&table->window);
	if (!table->screen && table->waiting_said)
		return;
	table->waiting_said = true;
	update(table, totals);
}

static void table_stop(struct backend_ctx *ctx)
{
	release_terminal(ctx->state);
}

const struct backend table_backend = {
	.name = "table",
	.wanted = table_wanted,
	.start = table_start,
	.period = table_period,
	.silence = table_silence,
	.stop = table_stop,
};
