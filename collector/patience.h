/* collector/patience.h - says what a step waits for, if it takes long
 *
 * Attaching a probe can wait for every CPU to leave the kernel (RCU): tens of
 * seconds where all are busy in it.
 */
#ifndef NETTO_COLLECTOR_PATIENCE_H
#define NETTO_COLLECTOR_PATIENCE_H

#include <pthread.h>
#include <stdbool.h>

struct patience {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t over;
	const char *message;
	bool done;
	bool started;
};

/* After two seconds without patience_stop(), message is said, once. Not having
 * the thread for it is no error. message is kept, not copied. */
void patience_start(struct patience *patience, const char *message);
void patience_stop(struct patience *patience);

#endif
