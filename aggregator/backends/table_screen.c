/* table_screen.c - the terminal of the live table */
#include "table_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define TERMINAL STDOUT_FILENO
/* A pty that has any room at all takes this much without waiting: it grows its
 * buffer by one piece beyond the limit (drivers/tty/tty_buffer.c, 6.12). */
#define CHUNK_BYTES 1024
#define CLOSE_WAIT_MS 200

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
#define FATAL_SIGNALS (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

static struct {
	SCREEN *curses;
	FILE *output;                     /* the memory file */
	off_t sent;                       /* of it, to the terminal */
	bool ours;                        /* the terminal is in our modes */
	bool away;                        /* it is, or was, somebody else's */
	bool renew;
	bool colours;
	bool catching;                    /* fatal signals */
	struct termios before, during;
	struct termios flowing;           /* as during, without Ctrl-S */
	struct sigaction fatal_before[FATAL_SIGNALS];
	char restore[256];                /* what makes the terminal look as before */
	size_t restore_bytes;
} screen;

enum screen_kind screen_kind(void)
{
	const char *type = getenv("TERM");
	int known;

	if (!isatty(TERMINAL) || !type || !*type || strcmp(type, "dumb") == 0)
		return SCREEN_NONE;
	if (setupterm(type, TERMINAL, &known) == ERR)
		return SCREEN_UNKNOWN;
	known = cursor_address != NULL;
	del_curterm(cur_term);
	return known ? SCREEN_FULL : SCREEN_NONE;
}

void screen_size(int *rows, int *cols)
{
	struct winsize size = { 0 };

	if (ioctl(TERMINAL, TIOCGWINSZ, &size))
		size.ws_row = size.ws_col = 0;
	*rows = size.ws_row;
	*cols = size.ws_col;
}

/* Send on what curses has written; wait_ms for each piece at most. 0; -EAGAIN:
 * there is more; another: the terminal is gone. */
static int send_output(int wait_ms)
{
	struct pollfd fd = { .fd = TERMINAL, .events = POLLOUT };
	char chunk[CHUNK_BYTES];
	int from = fileno(screen.output);
	ssize_t bytes;

	while ((bytes = pread(from, chunk, sizeof(chunk), screen.sent)) > 0) {
		if (poll(&fd, 1, wait_ms) != 1)
			return -EAGAIN;
		bytes = write(TERMINAL, chunk, (size_t)bytes);
		if (bytes < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		screen.sent += bytes;
	}
	if (ftruncate(from, 0) || lseek(from, 0, SEEK_SET) < 0)
		return -EAGAIN;
	screen.sent = 0;
	return 0;
}

/* Append a capability without its padding times ($<5>), which need tputs(). */
static void add_restore(const char *capability)
{
	if (!capability)
		return;
	while (*capability && screen.restore_bytes < sizeof(screen.restore)) {
		const char *padding = capability[0] == '$' && capability[1] == '<' ?
				      strchr(capability, '>') : NULL;

		if (padding)
			capability = padding + 1;
		else
			screen.restore[screen.restore_bytes++] = *capability++;
	}
}

/* A job in the background is stopped where it changes the terminal, and the
 * shell has set its own modes by then. Async-signal-safe. */
bool screen_in_foreground(void)
{
	pid_t group = tcgetpgrp(TERMINAL);

	return group < 0 || group == getpgrp();
}

static void leave_modes(void)
{
	/* A terminal that is gone has no modes. */
	if (screen.ours && screen_in_foreground())
		(void)tcsetattr(TERMINAL, TCSANOW, &screen.before);
	screen.ours = false;
}

static void enter_modes(void)
{
	screen.ours = true;
	(void)tcsetattr(TERMINAL, TCSANOW, &screen.during);
}

/* What goes back to the user must not wait for Ctrl-Q after a Ctrl-S: output
 * goes on where IXON ends (drivers/tty/n_tty.c, n_tty_set_termios, 6.12). */
static void end_flow_stop(void)
{
	if (screen.ours && screen_in_foreground())
		(void)tcsetattr(TERMINAL, TCSANOW, &screen.flowing);
}

/* Async-signal-safe. A fault that the CPU found comes again on return, then
 * with the action that was there before; others have to be raised again. */
static void on_fatal(int signal, siginfo_t *info, void *context)
{
	struct pollfd fd = { .fd = TERMINAL, .events = POLLOUT };

	(void)context;
	end_flow_stop();
	if (screen.ours && poll(&fd, 1, CLOSE_WAIT_MS) == 1 &&
	    write(TERMINAL, screen.restore, screen.restore_bytes) < 0)
		screen.restore_bytes = 0;   /* gone: nothing left to restore */
	leave_modes();
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &screen.fatal_before[i], NULL);
	if (info->si_code <= 0)
		raise(signal);
}

static void catch_fatal_signals(void)
{
	struct sigaction action = { .sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	screen.catching = true;
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &action, &screen.fatal_before[i]);
}

/* Few colours, told apart by everybody, and none that says anything alone. */
static void start_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	if ((no_color && *no_color) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(STYLE_BAR, COLOR_CYAN, -1);
	init_pair(STYLE_ALERT, COLOR_YELLOW, -1);
	screen.colours = true;
}

static attr_t style_attributes(enum canvas_style style)
{
	switch (style) {
	case STYLE_STRONG: return A_BOLD;
	case STYLE_FAINT: return A_DIM;
	case STYLE_HEADING: return A_REVERSE;
	case STYLE_ALERT: return A_BOLD;
	default: return A_NORMAL;
	}
}

static void draw_row(const struct table_canvas *canvas, int row)
{
	const struct canvas_cell *cells = canvas->cells[row];
	wchar_t text[CANVAS_COLS_MAX];

	for (int col = 0, end; col < canvas->cols; col = end) {
		enum canvas_style style = cells[col].style;
		bool coloured = screen.colours && (style == STYLE_BAR || style == STYLE_ALERT);
		int length = 0;

		for (end = col; end < canvas->cols && cells[end].style == style; end++)
			if (cells[end].ch)
				text[length++] = cells[end].ch;
		attr_set(style_attributes(style), coloured ? (short)style : 0, NULL);
		mvaddnwstr(row, col, text, length);
	}
}

static int open_curses(void)
{
	int fd = memfd_create("netto-table", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	screen.output = fdopen(fd, "r+");
	if (!screen.output) {
		close(fd);
		return -ENOMEM;
	}
	screen.curses = newterm(NULL, screen.output, stdin);
	if (!screen.curses)
		return -ENOTTY;
	/* curses cannot set modes on a memory file; enter_modes() does it. */
	nonl();
	curs_set(0);
	leaveok(stdscr, TRUE);
	start_colours();
	return 0;
}

static void read_terminal(void)
{
	screen.during = screen.before;
	screen.during.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	screen.during.c_oflag &= ~(tcflag_t)OPOST;
	screen.during.c_cc[VMIN] = 1;
	screen.during.c_cc[VTIME] = 0;
	screen.flowing = screen.during;
	screen.flowing.c_iflag &= ~(tcflag_t)IXON;
	screen.restore_bytes = 0;
	add_restore(exit_attribute_mode);
	add_restore(cursor_normal);
	add_restore(exit_ca_mode ? exit_ca_mode : clear_screen);
}

int screen_open(void)
{
	static bool registered;
	int err;

	memset(&screen, 0, sizeof(screen));
	if (tcgetattr(TERMINAL, &screen.before))
		return -errno;
	if (!registered && atexit(screen_close))
		return -ENOMEM;
	registered = true;
	err = open_curses();
	if (err) {
		screen_close();
		return err;
	}
	read_terminal();
	catch_fatal_signals();
	enter_modes();
	screen.renew = true;
	return 0;
}

static void take_again(void)
{
	/* Says that the next picture begins with the second screen. */
	if (!isendwin())
		endwin();
	enter_modes();
	screen.away = false;
	screen.renew = true;
}

int screen_draw(const struct table_canvas *canvas)
{
	int err = send_output(0);

	if (err)
		return err;
	if (screen.away && !screen_in_foreground())
		return -EAGAIN;
	if (screen.away)
		take_again();
	if (screen.renew) {
		resizeterm(canvas->rows, canvas->cols);
		clearok(curscr, TRUE);
		screen.renew = false;
	}
	erase();
	for (int row = 0; row < canvas->rows; row++)
		draw_row(canvas, row);
	refresh();
	err = send_output(0);
	/* What does not go now goes before the next picture. */
	return err == -EAGAIN ? 0 : err;
}

void screen_renew(void)
{
	screen.renew = true;
}

/* On a terminal without a second screen our picture has to go by itself. */
static void leave_screen(void)
{
	if (isendwin())
		return;
	end_flow_stop();
	if (!exit_ca_mode) {
		erase();
		refresh();
	}
	endwin();
	(void)send_output(CLOSE_WAIT_MS);
}

void screen_suspend(void)
{
	if (!screen.curses)
		return;
	leave_screen();
	leave_modes();
	screen.away = true;
}

void screen_resume(void)
{
	screen.away = true;
}

void screen_close(void)
{
	if (!screen.output)
		return;
	if (screen.curses) {
		leave_screen();
		delscreen(screen.curses);
	}
	leave_modes();
	for (size_t i = 0; screen.catching && i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &screen.fatal_before[i], NULL);
	fclose(screen.output);
	screen.curses = NULL;
	screen.output = NULL;
}
