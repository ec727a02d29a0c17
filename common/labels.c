/* labels.c - the name tables of labels.h */
#include "labels.h"

#define LABEL_NAME(id, name) name,

const char *const context_names[] = { CONTEXTS(LABEL_NAME) };
const char *const component_names[] = { COMPONENTS(LABEL_NAME) };
const char *const step_names[] = { STEPS(LABEL_NAME) };
const char *const family_names[] = { FAMILIES(LABEL_NAME) };
const char *const work_names[] = { WORKS(LABEL_NAME) };
