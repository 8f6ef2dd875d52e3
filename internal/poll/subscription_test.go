package poll

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestFirstPollAndPlan(t *testing.T) {
	play(t, nil, func(s *script) {
		a := s.subscribe("A", Terms{First: s.in(2 * time.Second)}, "a", "b")
		s.until(2 * time.Second)
		a.read()
		s.want("2s A: a=1", "2s A: b=1", "2s poll a", "2s poll b")

		s.until(time.Hour) // nobody has planned a poll
		s.want()
		a.Plan(1, s.in(time.Second), time.Time{})
		a.Plan(0, s.in(5*time.Second), time.Time{})
		a.Plan(0, s.in(3*time.Second), time.Time{}) // the last word holds
		a.Plan(1, s.in(2*time.Second), time.Time{})
		s.until(time.Hour + 4*time.Second)
		a.read()
		s.want("1h0m2s poll b", "1h0m3s poll a", "1h0m4s A: a=2, sent 1s ago", "1h0m4s A: b=2, sent 2s ago")

		a.Plan(0, s.start, time.Time{}) // long due
		a.read()
		s.want("1h0m4s A: a=3", "1h0m4s poll a")
		a.Close()
	})
}

// TestContextOfEachID: a poll has the values of its own id's context, though it uses the call that another's has left.
func TestContextOfEachID(t *testing.T) {
	type key struct{}
	play(t, nil, func(s *script) {
		s.poll = func(ctx context.Context, id string, n int) (row, error) {
			s.note("for %v", ctx.Value(key{}))
			return row{id, n}, nil
		}
		of := func(k int) context.Context { return context.WithValue(s.ctx, key{}, []string{"first", "second"}[k]) }
		a := s.subscribe("A", Terms{First: s.in(time.Hour), Context: of}, "a", "b")
		for i, k := range []int{0, 1, 1, 0} {
			a.Plan(k, s.in(time.Second), time.Time{})
			s.until(time.Duration(i+1) * time.Second)
		}
		s.want("1s for first", "1s poll a", "2s for second", "2s poll b",
			"3s for second", "3s poll b", "4s for first", "4s poll a")
		a.Close()
	})
}

// TestRoomForOneID: a subscription for one id has all that it needs in itself.
func TestRoomForOneID(t *testing.T) {
	play(t, nil, func(s *script) {
		allocs := func(ids ...string) float64 {
			return testing.AllocsPerRun(100, func() { s.Subscribe(s.ctx, ids, Terms{First: s.in(time.Hour)}).Close() })
		}
		if one, two := allocs("a"), allocs("a", "b"); one != two-2 { // for two: the interests, and the entries
			t.Errorf("%v allocations for one id, %v for two, want two fewer", one, two)
		}
	})
}

func TestNoIDs(t *testing.T) {
	play(t, nil, func(s *script) {
		a := s.subscribe("A", Terms{First: s.start})
		ctx, cancel := context.WithTimeout(s.ctx, time.Second)
		defer cancel()
		if got := next(a.Subscription, ctx); got != nil || time.Since(s.start) != time.Second {
			t.Errorf("got %v after %v, want nil after 1s", got, time.Since(s.start))
		}
		a.Close()
	})
}

// TestBeforeTheFirstPoll makes sure which answers a subscription gets before its first poll is due: those that end its
// id; and all Values, where their order matters.
func TestBeforeTheFirstPoll(t *testing.T) {
	for _, order := range []bool{false, true} {
		play(t, nil, func(s *script) {
			s.poll = func(_ context.Context, id string, n int) (row, error) {
				if n == 3 {
					n = last
				}
				return row{id, n}, nil
			}
			late := s.subscribe("late", Terms{First: s.in(time.Minute), Order: order}, "a")
			a := s.wait("A", time.Second, Terms{First: s.start, Order: true}, "a")
			s.until(10 * time.Second)
			late.read()
			late.Close()
			a.Close()
			want := []string{"0s A: a=1", "0s poll a", "1s A: a=2", "1s poll a", "2s A: a=100", "2s poll a"}
			if order {
				want = append(want, "10s late: a=1, sent 10s ago")
			}
			want = append(want, "10s late: a=100, sent 8s ago")
			if order {
				want = append(want, "10s late: a=2, sent 9s ago") // noted at one instant, so sorted by text
			}
			s.want(want...)
		})
	}
}

// TestNext makes sure that Next ends with its context, and that a context that has ended comes before an answer.
func TestNext(t *testing.T) {
	play(t, nil, func(s *script) {
		a := s.subscribe("A", Terms{First: s.in(time.Second)}, "a")
		if got := next(a.Subscription, s.ctx); got == nil || got.Value != (row{"a", 1}) ||
			got.Sent != s.start.Add(time.Second) ||
			!got.Polled {
			t.Errorf("got %+v, want the answer to the poll after 1s", got)
		}
		a.Plan(0, time.Now(), time.Time{})
		synctest.Wait()
		ended, end := context.WithCancel(s.ctx)
		end()
		if got := next(a.Subscription, ended); got == nil || got.Value.v != 2 {
			t.Errorf("got %+v, want the second answer, which came before the context ended", got)
		}
		if got := next(a.Subscription, ended); got != nil {
			t.Errorf("got %+v, want nil", got)
		}
		a.Close()
		s.want("1s poll a", "1s poll a")
	})
}

// TestEndedContext makes sure that nothing is polled for a context that has ended.
func TestEndedContext(t *testing.T) {
	play(t, nil, func(s *script) {
		ended, end := context.WithCancel(s.ctx)
		end()
		sub := s.Subscribe(ended, []string{"a"}, Terms{First: s.start})
		s.until(time.Minute)
		s.want()
		sub.Close()
	})
}

func TestSharedAnswers(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			if n == 6 {
				n = last
			}
			return row{id, n}, nil
		}
		s.wait("A", 4*time.Second, Terms{First: s.start}, "a")
		s.until(time.Second)
		s.wait("B", 5*time.Second, Terms{First: s.in(time.Second)}, "a") // has nothing from before, and polls itself
		s.until(3 * time.Second)
		s.want("0s A: a=1", "0s poll a", "2s A: a=2", "2s B: a=2", "2s poll a")
		s.until(11 * time.Second)
		s.want("6s A: a=3", "6s B: a=3", "6s poll a", "10s A: a=4", "10s B: a=4", "10s poll a")
		// The last answer comes before its first poll, any other does not.
		c := s.subscribe("C", Terms{First: s.in(time.Hour)}, "a")
		s.until(14 * time.Second)
		c.read()
		s.want("14s A: a=5", "14s B: a=5", "14s poll a")
		s.until(time.Minute)
		c.read()
		c.Close()
		s.want("18s A: a=100", "18s B: a=100", "18s poll a", "1m0s C: a=100, sent 42s ago")
	})
}

// TestAnswerSentBefore makes sure that what was sent before a subscription began is not delivered to it, the last
// answer neither: it may be about a time before.
func TestAnswerSentBefore(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(_ context.Context, id string, _ int) (row, error) {
			time.Sleep(2 * time.Second)
			return row{id, last}, nil
		}
		s.wait("A", time.Hour, Terms{First: s.start}, "a")
		s.until(time.Second)
		s.wait("B", time.Hour, Terms{First: s.in(0)}, "a")
		s.until(time.Minute)
		s.want("0s poll a", "2s A: a=100, sent 2s ago", "2s poll a", "4s B: a=100, sent 2s ago")
	})
}

func TestErrorsOnlyForThoseDue(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			if n > 1 {
				return row{}, errors.New("boom")
			}
			return row{id, n}, nil
		}
		a := s.subscribe("A", Terms{First: s.in(time.Second)}, "a")
		b := s.subscribe("B", Terms{First: s.in(time.Second)}, "a")
		c := s.subscribe("C", Terms{First: s.in(time.Hour)}, "a")
		s.until(time.Second)
		a.read()
		b.read()
		s.want("1s A: a=1", "1s B: a=1", "1s poll a")
		a.Plan(0, s.in(4*time.Second), time.Time{})
		b.Plan(0, s.in(8*time.Second), time.Time{})
		s.until(5 * time.Second)
		a.read()
		b.read()
		c.read()
		s.want("5s A: a: boom", "5s poll a")
		a.Plan(0, s.in(4*time.Second), time.Time{})
		s.until(9 * time.Second)
		a.read()
		b.read()
		c.read()
		s.want("9s A: a: boom", "9s B: a: boom", "9s poll a")
		a.Plan(0, s.in(4*time.Second), time.Time{}) // and B is busy
		s.until(13 * time.Second)
		a.read()
		b.read()
		s.want("13s A: a: boom", "13s poll a")
		for _, r := range []*reader{a, b, c} {
			r.Close()
		}
	})
}

// TestErrorPlannedMeanwhile makes sure that the error of a call in flight is only for those it was made for.
func TestErrorPlannedMeanwhile(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(context.Context, string, int) (row, error) {
			time.Sleep(3 * time.Second)
			return row{}, errors.New("boom")
		}
		a := s.subscribe("A", Terms{First: s.start}, "a")
		b := s.subscribe("B", Terms{First: s.in(time.Hour)}, "a")
		s.until(time.Second)
		b.Plan(0, s.in(time.Second), time.Time{}) // due while the call is in flight: the call is its poll, too
		s.until(3 * time.Second)
		a.read()
		b.read()
		s.want("0s poll a", "3s A: a: boom, sent 3s ago", "3s B: a: boom, sent 3s ago")
		a.Plan(0, s.in(0), time.Time{})
		synctest.Wait()
		b.Plan(0, s.in(4*time.Second), time.Time{})
		s.until(6 * time.Second)
		a.read()
		b.read()
		s.want("3s poll a", "6s A: a: boom, sent 3s ago")
		s.until(7 * time.Second)
		s.want("7s poll a")
		a.Close()
		b.Close()
	})
}

// TestInbox makes sure which of two answers for one id is read, if neither was read before.
func TestInbox(t *testing.T) {
	boom := errors.New("boom")
	value := func(v int) Answer[row] { return Answer[row]{Value: row{"a", v}} }
	tests := []struct {
		name        string
		first, then Answer[row]
		order       bool
		wantV       int
		wantErr     error
	}{
		{name: "newer value", first: value(1), then: value(2), wantV: 2},
		{name: "last value", first: value(1), then: value(last), wantV: last},
		{name: "value after the last", first: value(last), then: value(2), wantV: last},
		{name: "last value after the last", first: value(last), then: value(last + 1), wantV: last},
		{name: "error after a value", first: value(1), then: Answer[row]{Err: boom}, wantV: 1},
		{name: "value after an error", first: Answer[row]{Err: boom}, then: value(1), wantV: 1},
		{name: "error after a value, in order", first: value(1), then: Answer[row]{Err: boom}, order: true, wantV: 1},
		{name: "value after an error, in order", first: Answer[row]{Err: boom}, then: value(1), order: true, wantV: 1},
		{name: "error after an error", first: Answer[row]{Err: boom}, then: Answer[row]{Err: context.Canceled},
			wantErr: context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, nil, func(s *script) {
				a := s.subscribe("A", Terms{First: s.in(time.Hour), Order: tt.order}, "a")
				s.mu.Lock()
				s.Poller.mu.Lock()
				for _, answer := range []Answer[row]{tt.first, tt.then} {
					s.deliver(&a.interests[0], &answer, s.now())
				}
				s.Poller.mu.Unlock()
				s.mu.Unlock()
				got := next(a.Subscription, s.ctx)
				if got.Value.v != tt.wantV || got.Err != tt.wantErr {
					t.Errorf("got %+v, want %v, %v", got, tt.wantV, tt.wantErr)
				}
				var more Answer[row]
				if a.Receive(&more) {
					t.Errorf("got %+v, want nothing more", more)
				}
				a.Close()
			})
		})
	}
}

// TestInboxRoom makes sure how much room an inbox keeps: for up to 64 answers once all were read, and no more than it
// needs while there is always one.
func TestInboxRoom(t *testing.T) {
	play(t, nil, func(s *script) {
		a := s.subscribe("A", Terms{First: s.in(time.Hour)}, "a")
		fill := func(n int) {
			for range n {
				a.append(Answer[row]{Queued: 1})
			}
		}
		for _, tt := range []struct{ n, want int }{{1, 1}, {maxRoom, maxRoom}, {maxRoom + 1, 0}} {
			a.inbox = make([]Answer[row], 0, tt.n)
			fill(tt.n)
			for a.Receive(new(Answer[row])) {
			}
			if got := cap(a.inbox); got != tt.want {
				t.Errorf("got room for %d after %d answers, want %d", got, tt.n, tt.want)
			}
		}
		fill(1)
		for range 1000 { // there are two before one is read
			fill(1)
			a.Receive(new(Answer[row]))
		}
		if got := cap(a.inbox); got != 2 {
			t.Errorf("got room for %d, want 2", got)
		}
		a.Close()
	})
}

// TestInboxModel delivers and reads at random. Beside it stands a list of what is to be read.
func TestInboxModel(t *testing.T) {
	for seed := range uint64(30) {
		play(t, nil, func(s *script) { playInbox(s, rand.New(rand.NewPCG(seed, 5))) })
	}
}

func playInbox(s *script, r *rand.Rand) {
	ids := []string{"a", "b", "c", "d", "e", "f", "g"}
	a := s.subscribe("A", Terms{First: s.in(time.Hour)}, ids...)
	var want []Answer[row]
	v := 0
	for range 300 {
		switch v++; {
		case r.IntN(2) == 0:
			answer := Answer[row]{Key: r.IntN(len(ids)), Value: row{v: v % (last - 1)}}
			if at := slices.IndexFunc(want, func(w Answer[row]) bool { return w.Key == answer.Key && w.Queued == 0 }); at >= 0 {
				want[at] = answer
			} else {
				want = append(want, answer)
			}
			s.Poller.mu.Lock()
			s.deliver(&a.interests[answer.Key], &answer, 0)
			s.Poller.mu.Unlock()
		case r.IntN(5) == 0:
			notice := Answer[row]{Key: r.IntN(len(ids)), Queued: time.Duration(v)}
			want = append(want, notice)
			s.Poller.mu.Lock()
			a.append(notice)
			s.Poller.mu.Unlock()
		default:
			var current Answer[row]
			got := a.Receive(&current)
			if got != (len(want) > 0) || got && current != want[0] {
				s.t.Fatalf("got %v %+v, want the first of %+v", got, current, want)
			}
			want = want[min(1, len(want)):]
		}
	}
	if cap(a.inbox) > 4*64 {
		s.t.Errorf("got room for %d in the inbox, want what was read to make room", cap(a.inbox))
	}
	for a.Receive(new(Answer[row])) {
		want = want[1:]
	}
	if len(want) > 0 {
		s.t.Errorf("got nothing, want %v", want)
	}
	a.Close()
}

// hang is a poll that ignores its context for d.
func hang(d time.Duration) func(context.Context, string, int) (row, error) {
	return func(_ context.Context, id string, n int) (row, error) { time.Sleep(d); return row{id, n}, nil }
}

// TestDone makes sure that Done reports what is in flight, and that a call is cancelled and abandoned once nobody wants
// it.
func TestDone(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(ctx context.Context, id string, n int) (row, error) {
			select {
			case <-ctx.Done():
				s.note("%s cancelled", id)
				time.Sleep(time.Second)
			case <-time.After(5 * time.Second):
			}
			return row{id, n}, nil
		}
		a := s.subscribe("A", Terms{First: s.start}, "a", "b", "c")
		b := s.subscribe("B", Terms{First: s.in(time.Hour)}, "b", "c")
		a.Plan(2, s.in(time.Minute), time.Time{}) // the call in flight is no poll of its own any more
		s.until(time.Second)
		done := func(r *reader, key int, polling bool, abandoned int64) {
			t.Helper()
			if got := r.Done(key); got != polling || s.abandoned.Load() != abandoned {
				t.Errorf("%s, %s: got polling %v, abandoned %d, want %v, %d", r.name, r.ids[key], got, s.abandoned.Load(),
					polling, abandoned)
			}
		}
		done(a, 0, true, 1)
		done(a, 0, true, 1) // once more says the same
		done(a, 1, true, 1) // B wants b
		done(a, 2, false, 1)
		s.until(1500 * time.Millisecond)
		s.want("0s poll a", "0s poll b", "0s poll c", "1s a cancelled")
		done(b, 1, false, 2)
		s.until(5 * time.Second)
		a.read()
		b.read()
		s.want("1.5s c cancelled")
		b.Plan(0, s.in(0), time.Time{})
		if !b.Done(0) { // whether it is abandoned depends on whether its goroutine has begun
			t.Error("got no poll in flight for the one just planned")
		}
		a.Close()
		b.Close()
		s.until(6 * time.Second)
		s.lines = nil
	})
}

func TestAdd(t *testing.T) {
	for _, tt := range []struct{ t, d, want time.Duration }{
		{time.Second, 2 * time.Second, 3 * time.Second}, {1, never - 1, never}, {2, never - 1, never}, {never, never, never},
	} {
		if got := add(tt.t, tt.d); got != tt.want {
			t.Errorf("add(%v, %v): got %v, want %v", tt.t, tt.d, got, tt.want)
		}
	}
}

// TestAnswerForNobody makes sure that an answer may come in the moment in which the last one who wanted it leaves.
func TestAnswerForNobody(t *testing.T) {
	play(t, nil, func(s *script) {
		s.Poller.mu.Lock()
		defer s.Poller.mu.Unlock()
		if s.tell(&entry[row]{id: "a"}, &Answer[row]{}, 0); s.planned() != 0 {
			t.Error("got a poll planned, want none")
		}
	})
}

// TestDoneAfterAbandoning makes sure that Done reports no poll where the last one was abandoned, and the next one,
// though planned for before that, waits behind another for a permit.
func TestDoneAfterAbandoning(t *testing.T) {
	var s *script
	quota := quotaFunc(func(ctx context.Context) error { // nothing from 1 s on
		if time.Since(s.start) < time.Second {
			return nil
		}
		return every(time.Hour).Wait(ctx)
	})
	set := func(cfg *Config[row]) { behind(quota)(cfg); cfg.QueryTimeout = 2 * time.Second }
	play(t, set, func(it *script) {
		s = it
		s.poll = hang(time.Minute)
		a := s.subscribe("A", Terms{First: s.start}, "a")
		s.until(2 * time.Second)
		b := s.subscribe("B", Terms{First: s.start.Add(-time.Second)}, "b")
		a.read()
		a.Plan(0, s.start, time.Time{})
		if a.Done(0) {
			t.Error("got a poll in flight, want none")
		}
		a.Close()
		b.Close()
		s.lines = nil
	})
}

// TestDoneWhileBusy makes sure that Done reports no poll where one is in flight for a neighbour alone.
func TestDoneWhileBusy(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			time.Sleep(time.Duration(n-1) * time.Second)
			return row{id, n}, nil
		}
		a := s.subscribe("A", Terms{First: s.start}, "a")
		b := s.subscribe("B", Terms{First: s.start}, "a")
		s.until(time.Second)
		a.read()
		a.Plan(0, s.in(0), time.Time{})
		synctest.Wait()
		if b.Done(0) || !a.Done(0) {
			t.Error("got a poll in flight for B, or none for A, want one for A alone")
		}
		a.Close()
		b.Close()
		s.lines = nil
	})
}

// TestClose makes sure that nothing comes after Close: what runs is cancelled and counted until it returns.
func TestClose(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = hang(10 * time.Second)
		a := s.subscribe("A", Terms{First: s.start, End: s.in(time.Minute)}, "a", "b", "c")
		s.until(time.Second)
		a.Plan(2, s.in(time.Second), time.Time{})
		a.Close()
		if got := s.abandoned.Load(); got != 3 {
			t.Errorf("got %d abandoned calls, want 3", got)
		}
		s.until(time.Minute)
		if got := s.abandoned.Load(); got != 0 || a.Receive(new(Answer[row])) {
			t.Errorf("got %d abandoned calls, or an answer, want 0 and none", got)
		}
		s.want("0s poll a", "0s poll b", "0s poll c")
	})
}

// TestContextValues makes sure that a call has the values of the context whose poll was due first, and not its end.
func TestContextValues(t *testing.T) {
	type key struct{}
	play(t, nil, func(s *script) {
		s.poll = func(ctx context.Context, id string, _ int) (row, error) {
			_, hasEnd := ctx.Deadline()
			s.note("value %v, end %v %v", ctx.Value(key{}), hasEnd, ctx.Err())
			return row{id, 1}, nil
		}
		var subs []*Subscription[row]
		for i, first := range []time.Duration{5, 3, 4, 3} {
			ctx, cancel := context.WithTimeout(context.WithValue(s.ctx, key{}, i), time.Second)
			defer cancel()
			subs = append(subs, s.Subscribe(ctx, []string{"a"}, Terms{First: s.in(first * time.Second)}))
		}
		s.until(3 * time.Second)
		// That of the later of the two stands first in the list.
		s.want("3s poll a", "3s value 3, end false <nil>")
		for i := range subs {
			subs[i].Plan(0, s.in(time.Duration(1+(i+2)%4)*time.Second), time.Time{}) // 3, 4, 1, 2
		}
		s.until(4 * time.Second)
		s.want("4s poll a", "4s value 2, end false <nil>")
		subs[2].Plan(0, s.in(time.Hour), time.Time{})
		subs[3].Close() // the next one then
		subs[0].Plan(0, s.in(time.Second), time.Time{})
		s.until(5 * time.Second)
		s.want("5s poll a", "5s value 0, end false <nil>")
		for _, i := range []int{0, 1, 2} {
			subs[i].Close()
		}
	})
}
