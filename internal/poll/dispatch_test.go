package poll

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/limiter"
)

func names(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("t%02d", i))
	}
	return ids
}

// TestMaxYoung makes sure that at most 16 calls are in flight that are younger than a second, and that an older one
// gives its place back.
func TestMaxYoung(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = hang(2500 * time.Millisecond)
		a := s.subscribe("A", Terms{First: s.start}, names(40)...)
		count := func(at time.Duration, want int) {
			t.Helper()
			s.until(at)
			if got := len(s.polls); got != want {
				t.Errorf("after %v: got %d polls, want %d", at, got, want)
			}
		}
		count(0, 16)
		count(time.Second-1, 16)
		count(time.Second, 32)
		count(2*time.Second-1, 32)
		count(2*time.Second, 40)
		a.Close()
		s.lines = nil
	})
}

// TestMaxYoungBesideAPage makes sure that a page in flight takes no place of a poll, and gives none.
func TestMaxYoungBesideAPage(t *testing.T) {
	playList(t, func(s *script) {
		s.poll = hang(time.Minute)
		s.list = func(context.Context, ListRequest) ([]row, string, error) {
			time.Sleep(time.Minute)
			return nil, "", nil
		}
		s.pass.off = true
		a := s.subscribe("A", Terms{First: s.start}, names(maxYoung)...)
		s.until(500 * time.Millisecond)
		s.lines, s.pass.off = nil, false
		b := s.subscribe("B", Terms{First: s.in(0), Pause: time.Second}, "x", "y", "z")
		s.want("500ms page 1")
		c := s.subscribe("C", Terms{First: s.start}, "c")
		s.until(time.Second)
		s.want("1s poll c")
		for _, r := range []*reader{a, b, c} {
			r.Close()
		}
	})
}

// TestPlaceGivenBack makes sure that a call that returns gives its place to the next at once.
func TestPlaceGivenBack(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = hang(300 * time.Millisecond)
		a := s.subscribe("A", Terms{First: s.start}, names(40)...)
		for i, want := range []int{16, 32, 40} {
			s.until(time.Duration(i) * 300 * time.Millisecond)
			if got := len(s.polls); got != want {
				t.Errorf("got %d polls, want %d", got, want)
			}
		}
		a.Close()
		s.lines = nil
	})
}

// TestQueryTimeout makes sure that a call that takes too long is cancelled, and abandoned if it does not react.
func TestQueryTimeout(t *testing.T) {
	limit := func(cfg *Config[row]) { cfg.QueryTimeout = 5 * time.Second }
	t.Run("heeds its context", func(t *testing.T) {
		play(t, limit, func(s *script) {
			s.poll = func(ctx context.Context, _ string, _ int) (row, error) { <-ctx.Done(); return row{}, ctx.Err() }
			s.wait("A", 2*time.Second, Terms{First: s.start}, "a")
			s.until(8 * time.Second)
			s.want("0s poll a", "5s A: a: no answer within 5s, sent 5s ago", "7s poll a")
		})
	})
	t.Run("ignores its context", func(t *testing.T) {
		play(t, limit, func(s *script) {
			s.poll = func(_ context.Context, id string, n int) (row, error) {
				if n == 1 {
					time.Sleep(11 * time.Second)
				}
				return row{id, n}, nil
			}
			s.wait("A", 4*time.Second, Terms{First: s.start}, "a")
			s.until(5 * time.Second)
			if got := s.abandoned.Load(); got != 1 {
				t.Errorf("got %d abandoned calls, want 1", got)
			}
			s.until(12 * time.Second)
			s.want("0s poll a", "5s A: a: no answer within 5s, sent 5s ago",
				"9s A: a: the query begun 9s ago is still running, not polled")
			if got := s.abandoned.Load(); got != 0 {
				t.Errorf("got %d abandoned calls, want 0", got)
			}
			s.until(13 * time.Second)
			s.want("13s A: a=2", "13s poll a")
		})
	})
	t.Run("answers in time", func(t *testing.T) {
		play(t, limit, func(s *script) {
			s.poll = hang(5*time.Second - 1)
			s.wait("A", time.Hour, Terms{First: s.start}, "a")
			s.until(time.Minute)
			s.want("0s poll a", "4.999999999s A: a=1, sent 4.999999999s ago")
		})
	})
	t.Run("each at its own time", func(t *testing.T) {
		play(t, limit, func(s *script) {
			s.poll = hang(20 * time.Second)
			a := s.subscribe("A", Terms{First: s.start}, "a")
			b := s.subscribe("B", Terms{First: s.in(2 * time.Second)}, "b")
			c := s.subscribe("C", Terms{First: s.in(3 * time.Second)}, "c")
			s.until(4 * time.Second)
			b.Close()
			for _, at := range []time.Duration{5, 8} {
				s.until(at * time.Second)
				a.read()
				c.read()
			}
			a.Close()
			c.Close()
			s.want("0s poll a", "2s poll b", "3s poll c", "5s A: a: no answer within 5s, sent 5s ago",
				"8s C: c: no answer within 5s, sent 5s ago")
		})
	})
}

// TestCancelledWithAnotherError makes sure that an error that only says that the context was cancelled is none of the
// service's, and any other is.
func TestCancelledWithAnotherError(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(context.Context, string, int) (row, error) { return row{}, context.Canceled }
		a := s.subscribe("A", Terms{First: s.start}, "a")
		a.read()
		s.want("0s A: a: context canceled", "0s poll a") // nobody has cancelled it
		a.Close()
	})
}

func TestPanic(t *testing.T) {
	boom := func(context.Context, string, int) (row, error) { panic("boom") }
	t.Run("is the first due's, and the others poll again", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = func(_ context.Context, id string, n int) (row, error) {
				if n == 1 {
					panic("boom")
				}
				return row{id, n}, nil
			}
			b := s.subscribe("B", Terms{First: s.in(2 * time.Second)}, "a")
			a := s.subscribe("A", Terms{First: s.in(time.Second)}, "a")
			s.until(time.Second)
			if got := a.raised(s.ctx); got != "boom" {
				t.Errorf("got the panic %q, want boom", got)
			}
			a.Close()
			s.until(2 * time.Second)
			b.read()
			s.want("1s poll a", "2s B: a=2", "2s poll a")
			b.Close()
		})
	})
	t.Run("is handed on by Close", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = boom
			a := s.subscribe("A", Terms{First: s.start}, "a")
			b := s.subscribe("B", Terms{First: s.in(time.Hour)}, "b")
			c := s.subscribe("C", Terms{First: s.in(time.Hour)}, "c")
			synctest.Wait()
			a.Close()
			if got := c.raised(s.ctx); got != "boom" {
				t.Errorf("got the panic %q, want boom", got)
			}
			c.Close()
			b.read()
			b.Close()
			s.want("0s poll a")
		})
	})
	t.Run("two", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = boom
			a := s.subscribe("A", Terms{First: s.start}, "a", "b")
			synctest.Wait()
			if got := a.raised(s.ctx); got != "boom" {
				t.Errorf("got the panic %q, want boom", got)
			}
			a.Close() // nobody is left for the second
			if more := new(Answer[row]); a.Receive(more) {
				t.Errorf("got %+v after Close, want nothing", *more)
			}
			s.want("0s late panic boom of A", "0s poll a", "0s poll b")
		})
	})
	t.Run("of an abandoned call", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = func(context.Context, string, int) (row, error) { time.Sleep(5 * time.Second); panic("boom") }
			a := s.subscribe("A", Terms{First: s.start}, "a")
			b := s.subscribe("B", Terms{First: s.in(time.Hour)}, "b")
			s.until(time.Second)
			a.Close()
			s.until(5 * time.Second)
			if got := b.raised(s.ctx); got != "boom" {
				t.Errorf("got the panic %q, want boom", got)
			}
			b.Plan(0, s.in(0), time.Time{})
			s.until(6 * time.Second)
			b.Close()
			s.until(20 * time.Second)
			s.want("0s poll a", "5s poll b", "10s late panic boom of B")
		})
	})
	t.Run("of a call that was given up", func(t *testing.T) {
		play(t, func(cfg *Config[row]) { cfg.QueryTimeout = 2 * time.Second }, func(s *script) {
			s.poll = func(context.Context, string, int) (row, error) { time.Sleep(5 * time.Second); panic("boom") }
			b := s.subscribe("B", Terms{First: s.in(time.Hour)}, "b")
			a := s.subscribe("A", Terms{First: s.start}, "a")
			c := s.subscribe("C", Terms{First: s.in(time.Hour)}, "c")
			s.until(2 * time.Second)
			a.read()
			s.until(5 * time.Second)
			if got := a.raised(s.ctx); got != "boom" { // whose poll it was
				t.Errorf("got the panic %q, want boom", got)
			}
			for _, r := range []*reader{a, b, c} {
				r.Close()
			}
			s.want("0s poll a", "2s A: a: no answer within 2s, sent 2s ago")
		})
	})
}

func TestGoexit(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			if n == 1 {
				runtime.Goexit()
			}
			return row{id, n}, nil
		}
		s.wait("A", time.Second, Terms{First: s.start}, "a")
		s.wait("B", time.Second, Terms{First: s.start}, "b")
		s.until(time.Second)
		const exited = "the Source ended its goroutine with runtime.Goexit"
		s.want("0s A: a: "+exited, "0s B: b: "+exited, "0s poll a", "0s poll b", "1s A: a=2", "1s B: b=2", "1s poll a",
			"1s poll b")
	})
}

// TestCallAfterALateOne makes sure that a call which was abandoned, and came back, is not used again.
func TestCallAfterALateOne(t *testing.T) {
	play(t, func(cfg *Config[row]) { cfg.QueryTimeout = 2 * time.Second }, func(s *script) {
		s.poll = hang(3 * time.Second)
		a := s.subscribe("A", Terms{First: s.start}, "a")
		s.until(3 * time.Second)
		a.Plan(0, s.in(time.Second), time.Time{})
		s.until(5 * time.Second)
		if !a.Done(0) {
			t.Error("got no poll in flight, want one")
		}
		a.Close()
		s.lines = nil
	})
}

// TestAbandonedTogether makes sure that polls which find their last calls not back hold up nobody.
func TestAbandonedTogether(t *testing.T) {
	play(t, func(cfg *Config[row]) { cfg.QueryTimeout = 2 * time.Second }, func(s *script) {
		s.poll = hang(time.Minute)
		a := s.subscribe("A", Terms{First: s.start}, "a", "b")
		s.until(2 * time.Second)
		a.read()
		a.Plan(0, s.start.Add(7*time.Second), time.Time{})
		a.Plan(1, s.start.Add(7*time.Second), time.Time{})
		s.lines = nil
		s.until(7 * time.Second)
		a.read()
		const running = "the query begun 7s ago is still running, not polled"
		s.want("7s A: a: "+running, "7s A: b: "+running)
		a.Close()
	})
}

// TestPanicWhileANeighbourIsBusy makes sure that a panic makes no poll for one who has planned none.
func TestPanicWhileANeighbourIsBusy(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			if n == 2 {
				panic("boom")
			}
			time.Sleep(time.Millisecond) // until both have subscribed
			return row{id, n}, nil
		}
		a := s.subscribe("A", Terms{First: s.start}, "a")
		b := s.subscribe("B", Terms{First: s.start}, "a")
		s.until(time.Millisecond)
		s.want("0s poll a")
		a.Plan(0, s.start.Add(time.Second), time.Time{})
		s.until(2 * time.Second)
		b.read()
		s.want("1s poll a", "2s B: a=1, sent 2s ago")
		if got := a.raised(s.ctx); got != "boom" {
			t.Errorf("got a panic %q, want boom", got)
		}
		a.Close()
		b.Close()
	})
}

// TestCallsAreKept makes sure that calls are used again, and their contexts with them, for one subscription only.
func TestCallsAreKept(t *testing.T) {
	play(t, nil, func(s *script) {
		var contexts []context.Context
		s.poll = func(ctx context.Context, id string, n int) (row, error) {
			s.mu.Lock()
			contexts = append(contexts, ctx)
			s.mu.Unlock()
			time.Sleep(time.Second)
			return row{id, n}, nil
		}
		a := s.wait("A", time.Second, Terms{First: s.start}, "a")
		s.until(3500 * time.Millisecond)
		if len(contexts) != 2 || contexts[0] != contexts[1] || s.frees != 1 {
			t.Errorf("got %d contexts, the same: %v, %d calls to be used again", len(contexts), contexts[0] == contexts[1],
				s.frees)
		}
		b := s.subscribe("B", Terms{First: s.in(0)}, "b")
		s.until(4500 * time.Millisecond)
		if contexts[2] == contexts[0] || contexts[0].Err() == nil || s.frees != 1 || a.closed {
			t.Errorf("got a context used for another subscription: %v, %d calls kept", contexts[2] == contexts[0], s.frees)
		}
		b.Close()
		if contexts[2].Err() == nil || s.frees != 0 {
			t.Errorf("got %d calls kept for a subscription that was closed", s.frees)
		}
		s.lines = nil
	})
	play(t, nil, func(s *script) {
		s.poll = hang(1500 * time.Millisecond)
		b := s.subscribe("B", Terms{First: s.start}, names(2*maxYoung)...)
		s.until(1400 * time.Millisecond)
		if s.frees != 0 {
			t.Errorf("got %d calls kept while all are in flight, want 0", s.frees)
		}
		s.until(5 * time.Second)
		if s.frees != maxYoung {
			t.Errorf("got %d calls kept, want %d", s.frees, maxYoung)
		}
		b.Close()
		s.lines = nil
	})
	play(t, nil, func(s *script) { // a call that outlives its subscription, as another wants the answer
		s.poll = hang(time.Second)
		b := s.subscribe("B", Terms{First: s.in(time.Second)}, "a")
		a := s.subscribe("A", Terms{First: s.start}, "a")
		synctest.Wait()
		a.Close()
		s.until(time.Second)
		if s.frees != 0 {
			t.Errorf("got %d calls kept for a subscription that was closed", s.frees)
		}
		b.Close()
		s.lines = nil
	})
}

// quotaFunc is a quota that is one function.
type quotaFunc func(context.Context) error

func (f quotaFunc) Wait(ctx context.Context) error { return f(ctx) }

// every is a quota that gives a permit every so often.
func every(d time.Duration) limiter.Quota {
	return quotaFunc(func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func behind(q limiter.Quota) func(*Config[row]) {
	return func(cfg *Config[row]) { cfg.Limiter = limiter.New(q) }
}

func TestQueuedNotices(t *testing.T) {
	play(t, behind(every(45*time.Second)), func(s *script) {
		s.wait("A", time.Hour, Terms{First: s.start}, "a", "also") // one notice for each subscription
		s.wait("B", time.Hour, Terms{First: s.in(15 * time.Second)}, "b")
		s.wait("C", time.Hour, Terms{First: s.in(55 * time.Second)}, "c")
		s.until(50 * time.Second)
		s.want("10s A: a queued for 10s", "20s A: a queued for 20s", "30s A: a queued for 30s", "30s B: b queued for 15s",
			"40s A: a queued for 40s", "40s B: b queued for 25s", "45s A: a=1", "45s poll a", "50s A: also queued for 50s",
			"50s B: b queued for 35s")
		s.until(200 * time.Second)
		lines := s.lines
		s.lines = nil
		for _, l := range lines {
			if l.text == "C: c queued for 5s" {
				t.Error("got a notice after 5s, want 10s at least")
			}
		}
	})
}

// TestQueuedNoticeWhileBusy makes sure that one who is busy with an answer is not told that a neighbour's poll waits.
func TestQueuedNoticeWhileBusy(t *testing.T) {
	var s *script
	quota := quotaFunc(func(ctx context.Context) error { // nothing from 1 s on
		if time.Since(s.start) < time.Second {
			return nil
		}
		return every(time.Hour).Wait(ctx)
	})
	play(t, behind(quota), func(it *script) {
		s = it
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			time.Sleep(time.Millisecond) // until both have subscribed
			return row{id, n}, nil
		}
		a := s.subscribe("A", Terms{First: s.start}, "a")
		b := s.subscribe("B", Terms{First: s.start}, "a")
		s.until(time.Millisecond)
		s.want("0s poll a")
		a.Plan(0, s.start.Add(5*time.Second), time.Time{})
		b.read()
		s.lines = nil
		s.until(16 * time.Second)
		b.read()
		s.want()
		a.Close()
		b.Close()
	})
}

// TestQueuedNoticeOfALatePlan makes sure that a notice comes ten seconds after the poll was due, although it was
// planned only later, and others had their permits meanwhile.
func TestQueuedNoticeOfALatePlan(t *testing.T) {
	var s *script
	quota := quotaFunc(func(ctx context.Context) error { // ever slower, from 2 s on
		return every(max(0, time.Since(s.start)-2*time.Second)).Wait(ctx)
	})
	play(t, behind(quota), func(it *script) {
		s = it
		a := s.subscribe("A", Terms{First: s.in(time.Hour)}, "a")
		b := s.subscribe("B", Terms{First: s.in(time.Second)}, "b")
		s.until(20 * time.Second)
		a.Plan(0, s.in(-3*time.Second), time.Time{})
		s.until(27 * time.Second)
		a.read()
		b.read()
		s.want("1s poll b", "27s A: a queued for 10s", "27s B: b=1, sent 26s ago")
		a.Close()
		b.Close()
	})
}

// TestPermitsByDueTime makes sure that two Pollers on one Limiter are served by when their polls were due.
func TestPermitsByDueTime(t *testing.T) {
	l := limiter.New(every(time.Second))
	play(t, func(cfg *Config[row]) { cfg.Limiter = l }, func(s *script) {
		second := New(s.cfg) // the same service
		for _, i := range []int{2, 4, 3, 1} {
			s.wait("A", time.Hour, Terms{First: s.start.Add(time.Duration(i - 10))}, fmt.Sprint("a", i))
		}
		synctest.Wait()
		synctest.Wait()
		b := second.Subscribe(s.ctx, []string{"b"}, Terms{First: s.in(500 * time.Millisecond)})
		// Due before all: the place in the queue is given up for it.
		c := s.subscribe("C", Terms{First: s.in(-time.Second)}, "c")
		s.until(10 * time.Second)
		b.Close()
		c.Close()
		s.want("1s poll c", "2s A: a1=1", "2s poll a1", "3s A: a2=1", "3s poll a2", "4s A: a3=1", "4s poll a3",
			"5s A: a4=1", "5s poll a4", "6s poll b")
	})
}

// TestPlaceInTheQueue makes sure that a poll that is due before the one that a Poller has a place for gets a place of
// its own, before another Poller's.
func TestPlaceInTheQueue(t *testing.T) {
	play(t, behind(every(time.Second)), func(s *script) {
		s.until(time.Second)
		second := New(s.cfg)
		a := s.subscribe("A", Terms{First: s.in(0)}, "a")
		b := second.Subscribe(s.ctx, []string{"b"}, Terms{First: s.in(-time.Second / 2)})
		c := s.subscribe("C", Terms{First: s.in(-time.Second)}, "c")
		s.until(2500 * time.Millisecond)
		s.want("2s poll c")
		a.Close()
		b.Close()
		c.Close()
	})
}

// TestPermitGivenUp makes sure that a permit that nobody needs is given up, and costs nothing.
func TestPermitGivenUp(t *testing.T) {
	play(t, behind(every(3*time.Second)), func(s *script) {
		a := s.subscribe("A", Terms{First: s.start}, "a")
		s.until(time.Second)
		a.Done(0)
		s.until(20 * time.Second)
		b := s.subscribe("B", Terms{First: s.in(0)}, "b")
		s.until(21 * time.Second)
		b.Plan(0, s.in(time.Second), time.Time{})
		s.until(24 * time.Second)
		s.want()
		s.until(30 * time.Second)
		b.read()
		a.Close()
		b.Close()
		s.want("25s poll b", "30s B: b=1, sent 5s ago")
	})
}

func TestRefusedPermit(t *testing.T) {
	n := 0
	refuse := quotaFunc(func(context.Context) error {
		if n++; n%2 == 1 {
			return errors.New("closed")
		}
		return nil
	})
	play(t, behind(refuse), func(s *script) {
		n = 0
		s.wait("A", time.Second, Terms{First: s.start}, "a")
		s.until(time.Second)
		s.want("0s A: a: the limiter gives no permit: closed, not polled", "1s A: a=1", "1s poll a")
	})
}

// TestQuotaPanics makes sure that a quota's panic is raised to a caller.
func TestQuotaPanics(t *testing.T) {
	play(t, behind(quotaFunc(func(context.Context) error { time.Sleep(time.Second); panic("quota") })), func(s *script) {
		a := s.subscribe("A", Terms{First: s.start}, "a")
		if got := a.raised(s.ctx); got != "quota" || time.Since(s.start) != time.Second {
			t.Errorf("got the panic %q after %v, want quota after 1s", got, time.Since(s.start))
		}
		a.Close()
	})
	play(t, behind(quotaFunc(func(context.Context) error { runtime.Goexit(); return nil })), func(s *script) {
		s.wait("A", time.Hour, Terms{First: s.start}, "a")
		s.until(time.Second)
		s.want("0s A: a: the Source ended its goroutine with runtime.Goexit, not polled")
	})
}

// TestFurtherRequests makes sure that the context of a call has the Limiter, for permits of further requests.
func TestFurtherRequests(t *testing.T) {
	play(t, behind(every(time.Second)), func(s *script) {
		s.poll = func(ctx context.Context, id string, n int) (row, error) {
			err := limiter.Acquire(ctx)
			s.note("further %v", err)
			return row{id, n}, err
		}
		s.wait("A", time.Hour, Terms{First: s.start}, "a")
		s.until(5 * time.Second)
		s.want("1s poll a", "2s A: a=1, sent 1s ago", "2s further <nil>")
		s.wait("B", time.Hour, Terms{First: s.start, Context: func(int) context.Context { return s.ctx }}, "b")
		s.until(10 * time.Second)
		s.want("6s poll b", "7s B: b=1, sent 1s ago", "7s further <nil>")
	})
}

// throttleFirst is a service that throttles the first poll of a.
func throttleFirst(after time.Duration) func(context.Context, string, int) (row, error) {
	return func(_ context.Context, id string, n int) (row, error) {
		if id == "a" && n == 1 {
			return row{}, &fault{Trouble{Throttled: true, After: after}, "throttled"}
		}
		return row{id, n}, nil
	}
}

// heldOff is when something that happens to "b" came, and checks that it was a hold-off of d.
func (s *script) heldOff(after, d time.Duration) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		if l.text == "poll b" {
			if l.at < after+d || l.at > after+d*11/10 {
				s.t.Errorf("got the poll of b at %v, want a hold-off of %v to a tenth more", l.at, d)
			}
			s.lines = nil
			return
		}
	}
	s.t.Errorf("got %v, want a poll of b", s.lines)
}

func TestThrottled(t *testing.T) {
	t.Run("with a Limiter", func(t *testing.T) {
		l := limiter.New(nil)
		play(t, func(cfg *Config[row]) { cfg.Limiter = l }, func(s *script) {
			s.poll = throttleFirst(10 * time.Second)
			a := s.subscribe("A", Terms{First: s.start}, "a")
			second := New(s.cfg)
			b := second.Subscribe(s.ctx, []string{"b"}, Terms{First: s.in(time.Second)})
			s.until(20 * time.Second)
			s.heldOff(0, 10*time.Second)
			a.Close()
			b.Close()
		})
	})
	t.Run("without a Limiter, two ids", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = throttleSoon(10 * time.Second)
			a := s.subscribe("A", Terms{First: s.start}, "a")
			b := s.subscribe("B", Terms{First: s.in(time.Second)}, "b")
			s.until(20 * time.Second)
			s.heldOff(time.Millisecond, 10*time.Second)
			a.Close()
			b.Close()
		})
	})
	t.Run("without a Limiter, alone", func(t *testing.T) { // its own caller plans by the error
		play(t, nil, func(s *script) {
			s.poll = throttleFirst(10 * time.Second)
			s.wait("A", time.Second, Terms{First: s.start}, "a")
			s.until(time.Second)
			s.want("0s A: a: throttled", "0s poll a", "1s A: a=2", "1s poll a")
		})
	})
	t.Run("again, while a permit is waited for", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = func(_ context.Context, id string, n int) (row, error) {
				switch {
				case id == "slow":
					time.Sleep(5 * time.Second)
					return row{}, &fault{Trouble{Throttled: true, After: time.Minute}, "throttled"}
				default:
					return throttleFirst(10*time.Second)(nil, id, n)
				}
			}
			a := s.subscribe("A", Terms{First: s.start}, "slow", "a")
			b := s.subscribe("B", Terms{First: s.in(time.Second)}, "b")
			s.until(100 * time.Second)
			s.heldOff(5*time.Second, time.Minute)
			a.Close()
			b.Close()
		})
	})
}
