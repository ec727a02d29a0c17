/* tests/hostile/hostile.h - what the attacks share
 *
 * An attack is a program that is run as an unprivileged user beside honest
 * aggregators:
 *
 *   hostile_NAME DIR SECONDS [PID or WORD...]
 *
 * It tries for SECONDS, prints each attempt that got through, and exits 0 if
 * all were refused, 1 if one was not, 2 if it could not try.
 */
#ifndef NETTO_HOSTILE_H
#define NETTO_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ATTACK_DIR argv[1]
#define HELLO_TIMEOUT_MS 3000

/* Ends the program with 2 unless there are count arguments behind its name. */
void attack_start(int argc, char *argv[], int count);

/* Whether SECONDS have not passed yet. */
bool attack_goes_on(void);

/* Note an attempt: result as of a system call, -1 and errno when refused.
 * Returns whether it got through; then it is printed, the first time. */
bool attempt(const char *what, long result);

/* The exit status. */
int attack_end(void);

/* Ends the program with 2. */
_Noreturn void cannot_attack(const char *what);

/* A connection to DIR/collector.sock, blocking, for two seconds; or -errno. */
int collector_connect(const char *dir);

/* Whether there is something to read within timeout_ms: the hello. It is not read. */
bool hello_came(int fd, int timeout_ms);

/* Read it. Bytes; 0: the collector closed; -1. */
long hello_read(int fd, int timeout_ms);

void sleep_ms(unsigned int ms);

#endif
