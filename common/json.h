/* common/json.h - write one JSON value into memory, front to back
 *
 * Commas come by themselves. Any bytes make valid JSON: what is not UTF-8
 * becomes U+FFFD. A failure (no memory, a text above JSON_BYTES_MAX) sticks;
 * look once, at the end.
 */
#ifndef NETTO_COMMON_JSON_H
#define NETTO_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_BYTES_MAX (16u << 20)   /* one line for 8192 CPUs stays below */

struct json {
	char *text;          /* not terminated; kept over json_reset() */
	size_t bytes;
	size_t capacity;
	bool comma;          /* the next value stands behind another one */
	int err;             /* 0; -ENOMEM; -EFBIG */
};

/* Start anew in the memory there is. A zeroed struct is ready too. */
void json_reset(struct json *json);

/* Braces and brackets; key NULL: inside an array, or the outermost value. */
void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

/* One value. Numbers are whole, and exact in readers that know 64 bits; one
 * that uses all 64 goes as a string (json_u64_string), for others keep 53. */
void json_u64(struct json *json, const char *key, uint64_t value);
void json_u64_string(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);
void json_string(struct json *json, const char *key, const char *text);

/* Bytes as they are, behind a whole value: the newline. */
void json_raw(struct json *json, const char *text);

/* Take back what stands behind the first bytes, which end with a whole value. */
void json_cut(struct json *json, size_t bytes);

/* Frees the memory; json is as new. */
void json_free(struct json *json);

#endif
