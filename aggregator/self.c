/* self.c - the aggregator's own /proc entries */
#include "self.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define STAT_BYTES 1024       /* a line of /proc/self/stat is some 350 */
#define STAT_START_TIME 22    /* proc(5) */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);   /* those asked for exist since 2.6.39 */
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Clock ticks after boot, sleep included. The task's name, field 2, may hold
 * anything, so counting starts at its last parenthesis. */
static uint64_t start_time_ns(void)
{
	char line[STAT_BYTES], *at = NULL;
	uint64_t ticks;
	FILE *file;

	file = fopen("/proc/self/stat", "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		at = strrchr(line, ')');
	fclose(file);
	for (int field = 2; at && field < STAT_START_TIME; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%" SCNu64, &ticks) != 1)
		return 0;
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) +
	       ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void read_memory(struct self_figures *self)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t virtual_pages, resident_pages;
	FILE *file;

	file = fopen("/proc/self/statm", "re");
	if (!file)
		return;
	if (fscanf(file, "%" SCNu64 "%" SCNu64, &virtual_pages, &resident_pages) == 2) {
		self->virtual_bytes = virtual_pages * page_bytes;
		self->resident_bytes = resident_pages * page_bytes;
	}
	fclose(file);
}

static uint64_t count_fds(void)
{
	const struct dirent *entry;
	uint64_t count = 0;
	DIR *dir;

	dir = opendir("/proc/self/fd");
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count - 1;   /* the directory's own */
}

void self_read(struct self_figures *self)
{
	static uint64_t started_ns;   /* asked once: the clock it is told by may be set later */
	struct rlimit files = { 0 };

	*self = (struct self_figures){ 0 };
	if (!started_ns)
		started_ns = start_time_ns();
	(void)getrlimit(RLIMIT_NOFILE, &files);   /* fails only on a bad pointer */
	self->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	self->start_time_ns = started_ns;
	self->max_fds = files.rlim_cur;
	self->open_fds = count_fds();
	read_memory(self);
}
