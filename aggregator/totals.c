/* totals.c - the name tables of totals.h */
#include "totals.h"

#define TOTALS_NAME(id, name) name,

const char *const loss_names[] = { LOSSES(TOTALS_NAME) };
const char *const proc_stat_names[] = { PROC_STAT_FIELDS(TOTALS_NAME) };
