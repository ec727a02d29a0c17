/* common/log.h - messages for people, one line each, on standard error
 *
 * A function speaks or returns: the steps of main and the callbacks of the
 * loop speak, all below them is silent. Lines start with the program's name,
 * or with a syslog priority when standard error is the journal
 * ($JOURNAL_STREAM). Control characters in the text are escaped, so a task's
 * name cannot forge a line.
 */
#ifndef NETTO_COMMON_LOG_H
#define NETTO_COMMON_LOG_H

/* name is kept, not copied. Call first. */
void log_open(const char *name);

/* While held, lines are kept (the last 16) instead of written, because a
 * full-screen program owns the terminal; log_release() writes them. */
void log_hold(void);
void log_release(void);

/* The latest line held, for the full-screen program to show; not escaped yet.
 * NULL: none. Valid until the next message. */
const char *log_held_last(void);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);

#endif
