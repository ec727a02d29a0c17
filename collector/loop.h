/* collector/loop.h - the steady state: drain, publish, ring the bell
 *
 * Ten wake-ups a second, more above 2,000 Hz. Allocates nothing but for a look at kallsyms when
 * modules came or went, uses no stdio until it ends, and waits for nobody.
 */
#ifndef NETTO_COLLECTOR_LOOP_H
#define NETTO_COLLECTOR_LOOP_H

#include "collector.h"

/* From here on SIGTERM and SIGINT end loop_run(), also before it runs. SIGHUP
 * and SIGPIPE are ignored: there is nothing to open again. */
void loop_catch_signals(void);

/* Whether one has come. */
bool loop_ended(void);

/* Run until a signal: 0. EXIT_ERR(EX_TEMPFAIL), and it says why: only a fresh
 * start helps. */
int loop_run(struct collector *collector);

#endif
