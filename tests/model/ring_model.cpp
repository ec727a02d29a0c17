// tests/model/ring_model.cpp - memory ordering of common/ring.c, checked by Relacy
//
// The ring in small: records of one position, a number and one word of payload
// each, four positions, one mark a position; padding and sizes are left out. One
// writer, a reader from the start and one that opens meanwhile run under random
// schedules in which loads return every value that C11 allows.
//
// A lapped reader goes on at the oldest mark: ring.c never has less room between
// the reader, its mark and the writer. The names are those of ring.c. Each
// ordering that ring.c relies on is a macro, so that run.sh can weaken one at a
// time and must then see a violation.
#include <relacy/relacy.hpp>

#ifndef WRITER_FENCE
#define WRITER_FENCE rl::mo_release
#endif
#ifndef READER_FENCE
#define READER_FENCE rl::mo_acquire
#endif
#ifndef INTENT_STORE
#define INTENT_STORE rl::mo_release
#endif
#ifndef INTENT_LOAD
#define INTENT_LOAD rl::mo_acquire
#endif
#ifndef TAIL_STORE
#define TAIL_STORE rl::mo_release
#endif
#ifndef TAIL_LOAD
#define TAIL_LOAD rl::mo_acquire
#endif
#ifndef LATEST_STORE
#define LATEST_STORE rl::mo_release
#endif
#ifndef LATEST_LOAD
#define LATEST_LOAD rl::mo_acquire
#endif
#ifndef MARK_STORE
#define MARK_STORE rl::mo_release
#endif
#ifndef MARK_LOAD
#define MARK_LOAD rl::mo_acquire
#endif
#ifndef ITERATIONS
#define ITERATIONS 300000
#endif

enum { DATA = 4, SEGMENTS_KEPT = 4, RECORDS = 9, READS = 8, NONE = -1, LAPPED = -2 };

struct ring : rl::test_suite<ring, 3> {
	rl::atomic<int> intent, tail, latest, marks[DATA];
	rl::atomic<int> seq[DATA], payload[DATA];

	struct reader {
		int next, seq, got, lost;
	};

	void before()
	{
		intent($) = 0;
		tail($) = 0;
		latest($) = NONE;
		for (int i = 0; i < DATA; i++) {
			marks[i]($) = 0;
			seq[i]($) = 0;
			payload[i]($) = 0;
		}
	}

	void ring_write(int pos)
	{
		intent.store(pos + 1, INTENT_STORE, $);
		rl::atomic_thread_fence(WRITER_FENCE, $);
		seq[pos % DATA].store(pos + 1, rl::mo_relaxed, $);
		payload[pos % DATA].store(pos + 1, rl::mo_relaxed, $);
		tail.store(pos + 1, TAIL_STORE, $);
		latest.store(pos, LATEST_STORE, $);
		marks[pos % DATA].store(pos, MARK_STORE, $);
	}

	bool lapped(int pos)
	{
		rl::atomic_thread_fence(READER_FENCE, $);
		return intent.load(INTENT_LOAD, $) - pos > DATA;
	}

	// The number in a published header; it must be that of its position.
	int read_header(int pos)
	{
		int number = seq[pos % DATA].load(rl::mo_relaxed, $);

		if (lapped(pos))
			return LAPPED;
		RL_ASSERT(number == pos + 1);
		return number;
	}

	void resynchronise(reader &r)
	{
		int end = tail.load(TAIL_LOAD, $);
		int mark = marks[(end + 1 - SEGMENTS_KEPT) % DATA].load(MARK_LOAD, $);

		end = tail.load(TAIL_LOAD, $);
		RL_ASSERT(mark > r.next);        // forward,
		RL_ASSERT(mark < end);           // to what is published
		r.next = mark;
	}

	void ring_read(reader &r)
	{
		int number, copy;

		if (tail.load(TAIL_LOAD, $) == r.next)
			return;
		number = read_header(r.next);
		if (number == LAPPED)
			return resynchronise(r);
		copy = payload[r.next % DATA].load(rl::mo_relaxed, $);
		if (lapped(r.next))
			return resynchronise(r);
		RL_ASSERT(copy == number);       // nothing torn is delivered
		RL_ASSERT(number >= r.seq);
		r.lost += number - r.seq;
		r.seq = number + 1;
		r.next++;
		r.got++;
	}

	// Position a reader behind the latest record; false: lapped meanwhile.
	bool skip_to_latest(reader &r)
	{
		int pos = latest.load(LATEST_LOAD, $);
		int end = tail.load(TAIL_LOAD, $);
		int number;

		r.seq = 1;
		if (pos == NONE)
			return true;
		RL_ASSERT(pos < end);
		number = read_header(pos);
		if (number == LAPPED)
			return false;
		r.next = pos + 1;
		r.seq = number + 1;
		return true;
	}

	void thread(unsigned index)
	{
		reader r = { 0, 1, 0, 0 };
		int first;

		if (index == 0) {
			for (int pos = 0; pos < RECORDS; pos++)
				ring_write(pos);
			return;
		}
		if (index == 2 && !skip_to_latest(r))
			return;
		first = r.seq;
		for (int i = 0; i < READS; i++)
			ring_read(r);
		RL_ASSERT(r.got + r.lost == r.seq - first);   // every record has its place
	}
};

int main()
{
	rl::test_params params;

	params.iteration_count = ITERATIONS;
	params.search_type = rl::random_scheduler_type;
	return rl::simulate<ring>(params) ? 0 : 1;
}
