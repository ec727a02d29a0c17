/* collector/patience.c - says what a step waits for, if it takes long */
#include "patience.h"

#include <errno.h>
#include <time.h>

#include "log.h"

#define PATIENCE_S 2

static void *wait_and_say(void *arg)
{
	struct patience *patience = arg;
	struct timespec end;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&patience->lock);
	while (!patience->done && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&patience->over, &patience->lock, &end);
	if (!patience->done)
		log_info("%s", patience->message);
	pthread_mutex_unlock(&patience->lock);
	return NULL;
}

void patience_start(struct patience *patience, const char *message)
{
	pthread_mutex_init(&patience->lock, NULL);
	pthread_cond_init(&patience->over, NULL);
	patience->message = message;
	patience->done = false;
	patience->started = !pthread_create(&patience->thread, NULL, wait_and_say, patience);
}

void patience_stop(struct patience *patience)
{
	pthread_mutex_lock(&patience->lock);
	patience->done = true;
	pthread_cond_signal(&patience->over);
	pthread_mutex_unlock(&patience->lock);
	if (patience->started)
		pthread_join(patience->thread, NULL);
	pthread_cond_destroy(&patience->over);
	pthread_mutex_destroy(&patience->lock);
}
