/* json.c - write one JSON value into memory, front to back */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define FIRST_BYTES 4096

void json_reset(struct json *json)
{
	json->bytes = 0;
	json->comma = false;
	json->err = 0;
}

static bool make_room(struct json *json, size_t bytes)
{
	size_t capacity = json->capacity ? json->capacity : FIRST_BYTES;
	char *text;

	if (json->err)
		return false;
	if (bytes <= json->capacity - json->bytes)
		return true;
	while (capacity - json->bytes < bytes)
		capacity *= 2;
	if (capacity > JSON_BYTES_MAX) {
		json->err = -EFBIG;
		return false;
	}
	text = realloc(json->text, capacity);
	if (!text) {
		json->err = -ENOMEM;
		return false;
	}
	json->text = text;
	json->capacity = capacity;
	return true;
}

static void put(struct json *json, const char *bytes, size_t count)
{
	if (!make_room(json, count))
		return;
	memcpy(json->text + json->bytes, bytes, count);
	json->bytes += count;
}

void json_raw(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

static void put_string(struct json *json, const char *text)
{
	put(json, "\"", 1);
	while (*text) {
		size_t bytes = utf8_bytes(text);
		const unsigned char c = (unsigned char)*text;
		char escape[8];

		if (!bytes) {
			json_raw(json, "\xef\xbf\xbd");   /* U+FFFD */
			bytes = 1;
		} else if (c == '"' || c == '\\') {
			snprintf(escape, sizeof(escape), "\\%c", c);
			json_raw(json, escape);
		} else if (c < ' ' || c == 0x7f) {
			snprintf(escape, sizeof(escape), "\\u%04x", c);
			json_raw(json, escape);
		} else {
			put(json, text, bytes);
		}
		text += bytes;
	}
	put(json, "\"", 1);
}

/* Everything before a value: comma and key. */
static void begin_value(struct json *json, const char *key)
{
	if (json->comma)
		put(json, ",", 1);
	if (key) {
		put_string(json, key);
		put(json, ":", 1);
	}
	json->comma = true;
}

static void open_bracket(struct json *json, const char *key, const char *bracket)
{
	begin_value(json, key);
	put(json, bracket, 1);
	json->comma = false;
}

static void close_bracket(struct json *json, const char *bracket)
{
	put(json, bracket, 1);
	json->comma = true;
}

void json_open_object(struct json *json, const char *key)
{
	open_bracket(json, key, "{");
}

void json_close_object(struct json *json)
{
	close_bracket(json, "}");
}

void json_open_array(struct json *json, const char *key)
{
	open_bracket(json, key, "[");
}

void json_close_array(struct json *json)
{
	close_bracket(json, "]");
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	char digits[24];

	begin_value(json, key);
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	json_raw(json, digits);
}

void json_u64_string(struct json *json, const char *key, uint64_t value)
{
	char digits[24];

	begin_value(json, key);
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	put_string(json, digits);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
	char text[24];

	begin_value(json, key);
	snprintf(text, sizeof(text), "%" PRId64, value);
	json_raw(json, text);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	json_raw(json, "null");
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	json_raw(json, value ? "true" : "false");
}

void json_string(struct json *json, const char *key, const char *text)
{
	begin_value(json, key);
	put_string(json, text);
}

void json_cut(struct json *json, size_t bytes)
{
	json->bytes = bytes;
	json->comma = true;
}

void json_free(struct json *json)
{
	free(json->text);
	*json = (struct json){ 0 };
}
