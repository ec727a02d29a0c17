/* common/ring.c - broadcast ring: one writer, any number of readers, lossy
 *
 * How it is safe without a lock (tests/model checks each step):
 *
 * writer  intent = end of what is about to be overwritten   store, release
 *         fence, release                                    (1)
 *         header and payload                                plain and relaxed
 *         tail = end of the record                          store, release (2)
 *         latest, marks                                     store, release (3)
 *
 * reader  tail                                              load, acquire  (2)
 *         header, then payload                              plain and relaxed
 *         fence, acquire                                    (1)
 *         intent: is the record still out of its reach?     load, acquire
 *
 * (1) A reader that saw one byte of an overwriting record sees that record's
 * intent too, and throws its copy away. (2) What is below tail is whole.
 * (3) A position found in latest or marks is below the tail loaded after it.
 * Intent is released, so that a reader that finds itself lapped sees the tail
 * and the marks of the record before, and always moves forward from there.
 *
 * The payload is copied by memcpy while the writer may be writing it. For the
 * C standard that is a data race; nothing depends on the bytes before the
 * check of intent has passed, and the fences keep compiler and CPU from moving
 * the copy across it. Making every word atomic would triple the cost of a copy.
 */
#include "ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring_layout.h"

/* A lapped reader goes on this many segments behind the tail: three quarters
 * of the data are kept, one quarter is its head start on the writer. */
#define SEGMENTS_KEPT (RING_MARKS * 3 / 4)

#define RECORD_SPAN_MIN (2ull * RING_ALIGN)   /* header and at least one byte, aligned */
#define OPEN_ATTEMPTS 64

struct ring_writer {
	struct ring_header *header;
	uint8_t *data;
	uint64_t data_bytes;
	uint64_t tail;
	uint64_t seq;        /* of the next record */
	uint64_t unmarked;   /* position of the first segment without its mark */
};

struct ring_reader {
	const struct ring_header *header;
	const uint8_t *data;
	uint64_t data_bytes;
	uint64_t next;       /* position of the next record */
	uint64_t seq;        /* its sequence number, if nothing gets lost */
	struct ring_identity identity;
};

/* A record's header, read once. */
struct record {
	const uint8_t *payload;
	uint64_t span;       /* up to the next record */
	uint32_t bytes;      /* of the payload */
	bool padding;
	uint64_t seq;
};

static uint64_t record_span(uint64_t bytes)
{
	return (bytes + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
}

static bool size_allowed(uint64_t data_bytes)
{
	return data_bytes >= RING_DATA_BYTES_MIN && data_bytes <= RING_DATA_BYTES_MAX &&
	       (data_bytes & (data_bytes - 1)) == 0;
}

static void write_header(struct ring_header *header, uint32_t data_bytes,
			 const struct ring_identity *identity)
{
	header->schema_major = RING_SCHEMA_MAJOR;
	header->schema_minor = RING_SCHEMA_MINOR;
	header->generation = identity->generation;
	memcpy(header->boot_id, identity->boot_id, sizeof(header->boot_id));
	header->data_bytes = data_bytes;
	atomic_store_explicit(&header->latest, RING_NONE, memory_order_relaxed);
	header->magic = RING_MAGIC;
}

int ring_writer_open(struct ring_writer **writer, int fd, uint32_t data_bytes,
		     const struct ring_identity *identity)
{
	const size_t file_bytes = RING_HEADER_BYTES + (size_t)data_bytes;
	struct ring_writer *w;
	struct stat st;
	void *map;
	int err;

	if (!size_allowed(data_bytes))
		return -EINVAL;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size != 0)
		return -EINVAL;
	/* ftruncate would leave holes: a full tmpfs would then kill us by SIGBUS later. */
	err = posix_fallocate(fd, 0, (off_t)file_bytes);
	if (err)
		return -err;

	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	map = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		free(w);
		return err;
	}
	w->header = map;
	w->data = (uint8_t *)map + RING_HEADER_BYTES;
	w->data_bytes = data_bytes;
	w->seq = 1;
	write_header(w->header, data_bytes, identity);
	*writer = w;
	return 0;
}

static void put_header(struct ring_writer *writer, uint64_t pos, uint64_t bytes,
		       enum ring_record_kind kind)
{
	struct ring_record *record = (void *)(writer->data + (pos & (writer->data_bytes - 1)));

	atomic_store_explicit(&record->bytes, (uint32_t)bytes, memory_order_relaxed);
	atomic_store_explicit(&record->kind, kind, memory_order_relaxed);
	atomic_store_explicit(&record->seq, writer->seq, memory_order_relaxed);
}

/* Mark the segments up to that of pos. More than one only where no record
 * starts in a segment, next to the padding of a small ring. */
static void put_marks(struct ring_writer *writer, uint64_t pos)
{
	const uint64_t segment_bytes = writer->data_bytes / RING_MARKS;

	for (; writer->unmarked <= pos; writer->unmarked += segment_bytes)
		atomic_store_explicit(
			&writer->header->marks[writer->unmarked / segment_bytes % RING_MARKS], pos,
			memory_order_release);
}

void ring_write(struct ring_writer *writer, const void *record, size_t bytes)
{
	struct ring_header *header = writer->header;
	const uint64_t whole = sizeof(struct ring_record) + bytes;
	const uint64_t span = record_span(whole);
	const uint64_t room = writer->data_bytes - (writer->tail & (writer->data_bytes - 1));
	const uint64_t padding = room < span ? room : 0;
	const uint64_t pos = writer->tail + padding;
	uint8_t *payload = writer->data + (pos & (writer->data_bytes - 1)) +
			   sizeof(struct ring_record);

	assert(bytes >= 1 && bytes <= RING_RECORD_BYTES_MAX);
	atomic_store_explicit(&header->intent, pos + span, memory_order_release);
	atomic_thread_fence(memory_order_release);
	if (padding)
		put_header(writer, writer->tail, padding, RING_PADDING);
	put_header(writer, pos, whole, RING_RECORD);
	memcpy(payload, record, bytes);
	writer->tail = pos + span;
	writer->seq++;
	atomic_store_explicit(&header->tail, writer->tail, memory_order_release);
	atomic_store_explicit(&header->latest, pos, memory_order_release);
	put_marks(writer, pos);
}

uint64_t ring_writer_next_seq(const struct ring_writer *writer)
{
	return writer->seq;
}

uint64_t ring_writer_position(const struct ring_writer *writer)
{
	return writer->tail;
}

void ring_writer_close(struct ring_writer *writer)
{
	if (!writer)
		return;
	munmap(writer->header, RING_HEADER_BYTES + writer->data_bytes);
	free(writer);
}

static bool lapped(const struct ring_reader *reader, uint64_t pos)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&reader->header->intent, memory_order_acquire) - pos >
	       reader->data_bytes;
}

/* Read the header of the record at pos, which tail proves published, and believe
 * nothing of it. 0; -EAGAIN: overwritten meanwhile; -EPROTO: no record of ours. */
static int read_header(const struct ring_reader *reader, uint64_t pos, uint64_t tail,
		       struct record *record)
{
	const uint64_t offset = pos & (reader->data_bytes - 1);
	const struct ring_record *in = (const void *)(reader->data + offset);
	const uint32_t whole = atomic_load_explicit(&in->bytes, memory_order_relaxed);
	const uint32_t kind = atomic_load_explicit(&in->kind, memory_order_relaxed);

	record->seq = atomic_load_explicit(&in->seq, memory_order_relaxed);
	if (lapped(reader, pos))
		return -EAGAIN;

	record->payload = reader->data + offset + sizeof(*in);
	record->span = record_span(whole);
	record->padding = kind == RING_PADDING;
	if (record->span > tail - pos || record->span > reader->data_bytes - offset)
		return -EPROTO;
	if (record->padding)
		return record->span == reader->data_bytes - offset ? 0 : -EPROTO;
	if (kind != RING_RECORD || whole <= sizeof(*in) ||
	    whole > sizeof(*in) + RING_RECORD_BYTES_MAX)
		return -EPROTO;
	record->bytes = whole - (uint32_t)sizeof(*in);
	/* No writer can have fitted more records than this below pos. */
	return record->seq && record->seq - 1 <= pos / RECORD_SPAN_MIN ? 0 : -EPROTO;
}

/* Position a new reader behind the latest record. */
static int skip_to_latest(struct ring_reader *reader)
{
	struct record record;
	uint64_t latest, tail;
	int err;

	latest = atomic_load_explicit(&reader->header->latest, memory_order_acquire);
	tail = atomic_load_explicit(&reader->header->tail, memory_order_acquire);
	if (latest == RING_NONE) {
		reader->seq = 1;
		return 0;
	}
	if (latest % RING_ALIGN || latest >= tail)
		return -EPROTO;
	err = read_header(reader, latest, tail, &record);
	if (err)
		return err;
	if (record.padding)
		return -EPROTO;
	reader->next = latest + record.span;
	reader->seq = record.seq + 1;
	return 0;
}

/* Go on at the mark that leaves the writer a quarter of the data away. Always
 * forward, so that a ring that stands still cannot lead a reader in circles. */
static int resynchronise(struct ring_reader *reader)
{
	const uint64_t segment_bytes = reader->data_bytes / RING_MARKS;
	uint64_t tail, segment, mark;

	tail = atomic_load_explicit(&reader->header->tail, memory_order_acquire);
	segment = tail / segment_bytes + 1 - SEGMENTS_KEPT;
	mark = atomic_load_explicit(&reader->header->marks[segment % RING_MARKS],
				    memory_order_acquire);
	tail = atomic_load_explicit(&reader->header->tail, memory_order_acquire);
	if (mark % RING_ALIGN || mark <= reader->next || mark >= tail)
		return -EPROTO;
	reader->next = mark;
	return -EAGAIN;
}

/* Read the header and check what can be checked before the file is mapped. */
static int check_header(int fd, struct ring_header *header)
{
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPROTO;
	got = pread(fd, header, sizeof(*header), 0);
	if (got < 0)
		return -errno;
	if (got != (ssize_t)sizeof(*header) || header->magic != RING_MAGIC)
		return -EPROTO;
	if (header->schema_major != RING_SCHEMA_MAJOR)
		return -EPROTONOSUPPORT;
	if (!size_allowed(header->data_bytes) || !header->generation ||
	    st.st_size < RING_HEADER_BYTES + (off_t)header->data_bytes)
		return -EPROTO;
	return 0;
}

int ring_reader_open(struct ring_reader **reader, int fd)
{
	struct ring_header header = { 0 };
	struct ring_reader *r;
	void *map;
	int err;

	err = check_header(fd, &header);
	if (err)
		return err;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	map = mmap(NULL, RING_HEADER_BYTES + (size_t)header.data_bytes, PROT_READ, MAP_SHARED,
		   fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		free(r);
		return err;
	}
	r->header = map;
	r->data = (const uint8_t *)map + RING_HEADER_BYTES;
	r->data_bytes = header.data_bytes;
	r->identity.generation = header.generation;
	memcpy(r->identity.boot_id, header.boot_id, sizeof(header.boot_id));

	err = -EAGAIN;
	for (int i = 0; err == -EAGAIN && i < OPEN_ATTEMPTS; i++)
		err = skip_to_latest(r);
	if (err) {
		ring_reader_close(r);
		return -EPROTO;
	}
	*reader = r;
	return 0;
}

ssize_t ring_read(struct ring_reader *reader, void *buf, size_t buf_bytes,
		  uint64_t *seq, uint64_t *lost)
{
	struct record record = { .padding = true };
	uint64_t tail, pos = reader->next;
	int err;

	assert(buf_bytes >= RING_RECORD_BYTES_MAX);
	(void)buf_bytes;   /* NDEBUG */
	tail = atomic_load_explicit(&reader->header->tail, memory_order_acquire);
	if (tail == pos)
		return 0;
	if (tail < pos)
		return -EPROTO;

	/* One hop at most: padding is published together with the record behind it. */
	for (int hops = 0; record.padding && hops < 2; hops++) {
		pos += record.span;
		if (pos == tail)
			return -EPROTO;
		err = read_header(reader, pos, tail, &record);
		if (err)
			return err == -EAGAIN ? resynchronise(reader) : err;
	}
	if (record.padding || record.seq < reader->seq)
		return -EPROTO;

	memcpy(buf, record.payload, record.bytes);
	if (lapped(reader, pos))
		return resynchronise(reader);
	*seq = record.seq;
	*lost = record.seq - reader->seq;
	reader->seq = record.seq + 1;
	reader->next = pos + record.span;
	return record.bytes;
}

const struct ring_identity *ring_reader_identity(const struct ring_reader *reader)
{
	return &reader->identity;
}

void ring_reader_close(struct ring_reader *reader)
{
	if (!reader)
		return;
	munmap((void *)reader->header, RING_HEADER_BYTES + reader->data_bytes);
	free(reader);
}
