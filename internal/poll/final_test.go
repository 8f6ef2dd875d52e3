package poll

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/limiter"
)

// sleepMachine makes the Poller believe that the machine has slept for d: its clock is ahead, and its timer is late.
func (s *script) sleepMachine(d time.Duration) {
	s.Poller.mu.Lock()
	s.start = s.start.Add(-d)
	s.Poller.mu.Unlock()
}

// endsAt are the terms of a subscription that ends at a time, and whose first poll is due at another.
func (s *script) endsAt(end, first time.Duration) Terms {
	return Terms{First: s.start.Add(first), Pause: time.Second, End: s.start.Add(end)}
}

// TestFinalPoll makes sure what becomes of a poll in flight at the end, and of the final poll.
func TestFinalPoll(t *testing.T) {
	until := func(at time.Duration) func(*script, context.Context) error { // heeds its context
		return func(s *script, ctx context.Context) error {
			select {
			case <-time.After(at - time.Since(s.start)):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	ignores := func(at time.Duration) func(*script, context.Context) error {
		return func(s *script, _ context.Context) error { time.Sleep(at - time.Since(s.start)); return nil }
	}
	type polls []func(*script, context.Context) error
	const s = time.Second
	tests := []struct {
		name         string
		queryTimeout time.Duration
		first        time.Duration // when the first poll is due; the end is at 10s
		polls        polls
		want         []string
	}{
		{"in flight at the end, and answers", time.Minute, 8 * s, polls{until(12 * s)},
			[]string{"8s poll a", "12s A: a=1, sent 4s ago"}},
		{"in flight at the end, and hangs", time.Minute, 8 * s, polls{until(time.Hour), until(14500 * time.Millisecond)},
			[]string{"8s poll a", "14s A: a: no answer within 6s, sent 6s ago", "14s poll a", "14.5s A: a=2, sent 500ms ago"}},
		{"in flight at the end, and ignores its context", time.Minute, 8 * s, polls{ignores(time.Minute)},
			[]string{"8s poll a", "15s A: a: no answer within 7s"}},
		{"ignores its context, but answers", time.Minute, 8 * s, polls{ignores(14700 * time.Millisecond)},
			[]string{"8s poll a", "14.7s A: a=1, sent 6.7s ago"}},
		{"the final poll hangs", time.Minute, 10 * s, polls{until(time.Hour)},
			[]string{"10s poll a", "15s A: a: no answer within 5s"}},
		{"an earlier one was abandoned", 2 * s, 7 * s, polls{ignores(time.Minute)},
			[]string{"7s poll a", "9s A: a: no answer within 2s, sent 2s ago",
				"10s A: a: the query begun 3s ago is still running, not polled"}},
		{"the final poll answers at the last moment", time.Minute, 10 * s, polls{until(15*s - 1)},
			[]string{"10s poll a", "14.999999999s A: a=1, sent 4.999999999s ago"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(cfg *Config[row]) { cfg.QueryTimeout = tt.queryTimeout }, func(s *script) {
				s.poll = func(ctx context.Context, id string, n int) (row, error) { return row{id, n}, tt.polls[n-1](s, ctx) }
				s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, tt.first), "a")
				s.until(30 * time.Second)
				s.want(tt.want...)
			})
		})
	}
}

// waitUntil reads until an answer that stands for the end: a Value that was sent or came after it, or an error after it
// that leaves no time.
func (s *script) waitUntil(name string, end time.Duration, terms Terms, ids ...string) {
	r := s.subscribe(name, terms, ids...)
	s.wg.Go(func() {
		defer r.Close()
		for left := len(ids); left > 0; {
			a := next(r.Subscription, s.ctx)
			if a == nil {
				return
			}
			s.note("%s: %s", name, inWords(a, ids))
			now := time.Since(s.start)
			switch {
			case a.Queued != 0:
			case now >= end && (a.Err == nil || !a.Polled || now >= end+FinalAllowance):
				r.Done(a.Key)
				left--
			default:
				r.Plan(a.Key, s.start.Add(max(end, now)), time.Time{})
			}
		}
	})
}

// TestNoPermitForTheFinalPoll makes sure that a final poll that gets no permit is answered when time is over.
func TestNoPermitForTheFinalPoll(t *testing.T) {
	play(t, behind(every(time.Hour)), func(s *script) {
		s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, 9*time.Second), "a")
		s.until(time.Minute)
		s.want("15s A: a: no permit for the final poll in time, not polled")
	})
}

// TestFinalPollsFirst makes sure that a final poll counts as due five seconds before.
func TestFinalPollsFirst(t *testing.T) {
	var s *script
	quota := quotaFunc(func(ctx context.Context) error { // nothing before 10.2 s
		return every(max(time.Second, 10200*time.Millisecond-time.Since(s.start))).Wait(ctx)
	})
	play(t, behind(quota), func(it *script) {
		s = it
		for _, due := range []time.Duration{8, 4, 6, 10} {
			s.wait("W", time.Hour, Terms{First: s.start.Add(due*time.Second + 500*time.Millisecond)}, fmt.Sprint("w", int(due)))
		}
		s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, 10*time.Second), "a")
		s.until(19 * time.Second)
		s.want("10.2s W: w4=1", "10.2s poll w4", "11.2s A: a=1", "11.2s poll a", "12.2s W: w6=1", "12.2s poll w6",
			"13.2s W: w8=1", "13.2s poll w8", "14.2s W: w10=1", "14.2s poll w10")
	})
}

// TestFinalPollInHoldOff makes sure that no hold-off delays a final poll, be it late or not.
func TestFinalPollInHoldOff(t *testing.T) {
	for _, first := range []time.Duration{5 * time.Second, 10 * time.Second} {
		for _, l := range []*limiter.Limiter{nil, limiter.New(nil)} {
			play(t, func(cfg *Config[row]) { cfg.Limiter = l }, func(s *script) {
				s.poll = throttleSoon(time.Minute)
				a := s.subscribe("A", Terms{First: s.start}, "a")
				c := s.subscribe("C", Terms{First: s.in(time.Second)}, "c")
				s.waitUntil("B", 10*time.Second, s.endsAt(10*time.Second, first), "b")
				s.until(15 * time.Second)
				a.Close()
				c.Close()
				s.want("0s poll a", "10s B: b=1", "10s poll b")
			})
		}
	}
}

// TestManyFinalPollsBehindAnother makes sure that many final polls are spread although a poll that a hold-off delays is
// before them, which is no final one.
func TestManyFinalPollsBehindAnother(t *testing.T) {
	play(t, nil, func(s *script) {
		const n, end = 100, 10 * time.Second
		s.poll = throttleSoon(time.Hour)
		a := s.subscribe("A", Terms{First: s.start}, "a")
		c := s.subscribe("C", Terms{First: s.in(time.Second)}, "c")
		s.until(2 * time.Second)
		s.lines = nil
		s.waitUntil("B", end, s.endsAt(end, end), names(n)...)
		s.until(end + FinalAllowance - FinalReserve)
		if _, polls, answers, from := s.tally(); polls != n || answers != n || from != end {
			t.Errorf("got %d polls from %v on and %d answers, want %d from %v on", polls, from, answers, n, end)
		}
		a.Close()
		c.Close()
	})
}

// TestHungFinalPolls makes sure that no more than sixteen young calls are in flight where many final polls are spread.
func TestHungFinalPolls(t *testing.T) {
	play(t, nil, func(s *script) {
		const n, end = 100, 10 * time.Second
		s.poll = hang(time.Minute)
		a := s.subscribe("A", s.endsAt(end, end), names(n)...)
		s.until(end + time.Second - 1)
		if _, polls, _, _ := s.tally(); polls != maxYoung {
			t.Errorf("got %d polls in the first second, want %d", polls, maxYoung)
		}
		a.Close()
	})
}

// TestFinalPollOfTwo makes sure that a final poll that two want has the place of the one that is due first.
func TestFinalPollOfTwo(t *testing.T) {
	play(t, behind(every(time.Second)), func(s *script) {
		s.until(12 * time.Second)
		b := s.subscribe("B", s.endsAt(10*time.Second, 10*time.Second), "shared")
		a := s.subscribe("A", s.endsAt(9*time.Second, 9*time.Second), "shared")
		c := s.subscribe("C", s.endsAt(9500*time.Millisecond, 9500*time.Millisecond), "c")
		s.until(13 * time.Second)
		s.want("13s poll shared")
		for _, r := range []*reader{a, b, c} {
			r.Close()
		}
	})
}

// TestDeadlinePollFirst makes sure that a poll within a second of the end of its context has precedence over those that
// were due shortly before. One who is busy with an answer gives its neighbour no precedence.
func TestDeadlinePollFirst(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name     string
		deadline time.Duration // of the context
		end      time.Duration // of the subscription; 0: none
		busy     bool          // and it is a neighbour whose poll is due
		want     string        // the id that is polled first
	}{
		{"a second before", 11 * s, 0, false, "b"},
		{"longer before", 11*s + 1, 0, false, "c"},
		{"of a busy neighbour", 11 * s, 0, true, "c"},
		{"after the end of a busy neighbour", time.Hour, 9 * s, true, "c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *script
			quota := quotaFunc(func(ctx context.Context) error { // nothing between 3 s and 10.2 s
				if time.Since(s.start) < 3*time.Second {
					return nil
				}
				return every(max(time.Second, 10200*time.Millisecond-time.Since(s.start))).Wait(ctx)
			})
			play(t, behind(quota), func(it *script) {
				s = it
				ctx, cancel := context.WithDeadline(s.ctx, s.start.Add(tt.deadline))
				defer cancel()
				terms := Terms{First: s.start.Add(10 * time.Second)}
				c := s.subscribe("C", Terms{First: s.start.Add(9 * time.Second)}, "c")
				n := s.subscribe("N", terms, "n")
				if tt.busy {
					n.Close()
					n = s.subscribe("N", terms, "b")
					terms.First = s.start.Add(2 * time.Second)
				}
				if tt.end > 0 {
					terms.End = s.start.Add(tt.end)
				}
				b := s.Subscribe(ctx, []string{"b"}, terms)
				s.until(3 * time.Second)
				s.lines = nil
				s.until(10500 * time.Millisecond)
				s.want("10.2s poll " + tt.want)
				b.Close()
				c.Close()
				n.Close()
			})
		})
	}
}

// TestDoneBeforeTheEnd makes sure that the end of a subscription leaves out an id that was done before, while its poll
// was planned or in flight.
func TestDoneBeforeTheEnd(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = hang(time.Minute)
		a := s.subscribe("A", s.endsAt(10*time.Second, 9*time.Second), "a", "b")
		b := s.subscribe("B", s.endsAt(8*time.Second, time.Hour), "c", "d")
		s.until(9500 * time.Millisecond)
		a.Done(0)
		b.Done(0)
		s.until(20 * time.Second)
		a.read()
		b.read()
		a.Close()
		b.Close()
		s.want("9s poll a", "9s poll b", "20s A: b: no answer within 6s, sent 5s ago",
			"20s B: d: no permit for the final poll in time, not polled, sent 7s ago")
	})
}

// TestManyFinalPollsInHoldOff makes sure that no hold-off delays many final polls either, where there is a list: its
// pages are final polls too, and what it does not show, or cannot show in time, is polled alone.
func TestManyFinalPollsInHoldOff(t *testing.T) {
	const n, end = 60, 10 * time.Second
	throttled := func(after ...time.Duration) (errs []error) {
		for _, d := range after {
			errs = append(errs, &fault{Trouble{Throttled: true, After: d}, "throttled"})
		}
		return errs
	}
	show := time.Duration(0) // of a page that shows rows at once
	tests := []struct {
		name    string
		limiter *limiter.Limiter
		ids     int
		shown   int           // by the list, of the ids
		latency time.Duration // of a page, which heeds no context
		cost    float64       // of the last pass, in pages; 0: there was none
		errs    []error       // of the first pages
		pages   int           // how many are made in the hold-off
		polls   int
		from    time.Duration // when the first poll is made; 0: none is
		by      time.Duration // when every id has had an answer
	}{
		{"the list shows all", nil, n, n, show, 0, nil, 1, 0, 0, end},
		{"the list shows some", nil, n, n / 3, show, 0, nil, 1, n - n/3, end, end + 4*time.Second},
		{"the list is slow", nil, n, n, 1500 * time.Millisecond, 0, nil, 1, 0, 0, end + 1500*time.Millisecond},
		{"the list is slow, and they are few", nil, maxYoung, n, 1500 * time.Millisecond, 0, nil, 1, maxYoung,
			end + holdFor, end + 2*time.Second},
		{"the list is slow, and they are just many enough", nil, maxYoung + 1, n, 1500 * time.Millisecond, 0, nil, 1, 0, 0,
			end + 1500*time.Millisecond},
		{"the list is slow, behind a Limiter", limiter.New(nil), n, n, 1500 * time.Millisecond, 0, nil, 1, n, end + holdFor,
			end + 2*time.Second},
		{"the list hangs", nil, n, n, time.Minute, 0, nil, 1, n, end + 2*time.Second, end + 4*time.Second},
		{"the list costs more", nil, n, n, show, 10 * n, nil, 0, n, end, end + 4*time.Second},
		{"the list costs more, after trouble until the end", nil, n, n, show, 11 * n, nil, 0, n, end, end + 4*time.Second},
		{"the list is throttled once", nil, n, n, show, 0, throttled(time.Second), 2, 0, 0, end + time.Second},
		{"the list is throttled twice", nil, n, n, show, 0, throttled(time.Second, time.Second, time.Minute), 3, n,
			end + time.Second, end + 4*time.Second},
		{"the list is throttled until too late", nil, n, n, show, 0, throttled(FinalAllowance - FinalReserve), 1, n, end,
			end + 4*time.Second - 1},
		{"the list is refused", nil, n, n, show, 0, []error{&fault{Trouble{Refused: true}, "refused"}}, 1, n, end,
			end + 4*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s *script
			set := func(cfg *Config[row]) { listed(&s)(cfg); cfg.QueryTimeout, cfg.Limiter = 2*time.Second, tt.limiter }
			play(t, set, func(it *script) {
				s = it
				s.poll = throttleSoon(time.Hour)
				calls := 0
				s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
					time.Sleep(tt.latency)
					if calls++; calls <= len(tt.errs) {
						return nil, "", tt.errs[calls-1]
					}
					ids := slices.DeleteFunc(slices.Clone(r.IDs), func(id string) bool { return id == "c" })
					return s.rows(ids[:min(tt.shown, len(ids))]...), "", nil
				}
				a := s.subscribe("A", Terms{First: s.start, Pause: time.Second}, "a")
				c := s.subscribe("C", Terms{First: s.in(time.Hour), Pause: time.Second}, "c")
				s.until(time.Second)
				s.want("0s poll a")
				if s.pass.cost = tt.cost; tt.cost > 10*n {
					s.pass.blockedUntil, s.pass.saidUntil = end, end
				}
				s.waitUntil("B", end, s.endsAt(end, end), names(tt.ids)...)
				s.until(tt.by)
				pages, polls, answers, from := s.tally()
				if pages != tt.pages || polls != tt.polls || answers != tt.ids || from != tt.from {
					t.Errorf("got %d pages, %d polls from %v on and %d answers, want %d, %d from %v on and %d", pages, polls,
						from, answers, tt.pages, tt.polls, tt.from, tt.ids)
				}
				a.Close()
				c.Close()
			})
		})
	}
}

// TestManyFinalPollsAfterAListThatFailed makes sure that a list which has failed often, and is left alone for long, is
// asked for many final polls. What the service has said stands.
func TestManyFinalPollsAfterAListThatFailed(t *testing.T) {
	const many, pause, end = 60, 6 * time.Second, time.Minute
	for _, tt := range []struct {
		name           string
		trouble        Trouble
		n, pages, most int // most: polls
	}{
		{"for no reason that it gives", Trouble{}, many, 1, 1}, // a poll may be made beside the page
		{"and has asked for a minute", Trouble{After: time.Minute}, many, 0, many},
		{"and they are few", Trouble{}, maxYoung, 0, maxYoung},
		{"and they are just many enough", Trouble{}, maxYoung + 1, 1, maxYoung + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
					if time.Since(s.start) < end-time.Second {
						return nil, "", &fault{tt.trouble, "unavailable"}
					}
					rows := s.rows(r.IDs...)
					for i := range rows {
						rows[i].v = last
					}
					return rows, "", nil
				}
				s.poll = func(_ context.Context, id string, _ int) (row, error) {
					if time.Since(s.start) < end {
						return row{id, 1}, nil
					}
					time.Sleep(time.Millisecond) // the page is begun before all have been answered
					return row{id, last}, nil
				}
				s.wait("A", pause, Terms{First: s.in(pause), Pause: pause, End: s.in(end)}, names(tt.n)...)
				s.until(end - time.Second)
				s.tally()
				s.until(end + FinalAllowance)
				if pages, polls, answers, _ := s.tally(); pages != tt.pages || polls > tt.most || answers != tt.n {
					t.Errorf("got %d pages, %d polls and %d answers, want %d, at most %d and %d", pages, polls, answers,
						tt.pages, tt.most, tt.n)
				}
			})
		})
	}
}

// TestEndWhileBusy makes sure that the end of one who is busy with an answer is in no neighbour's way, and that nothing
// is said of it.
func TestEndWhileBusy(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = func(ctx context.Context, id string, n int) (row, error) {
			if n == 1 {
				return row{id, n}, nil
			}
			select {
			case <-time.After(13900*time.Millisecond - time.Since(s.start)):
				return row{id, n}, nil
			case <-ctx.Done():
				return row{}, ctx.Err()
			}
		}
		a := s.subscribe("A", s.endsAt(9800*time.Millisecond, 0), "a")
		b := s.subscribe("B", s.endsAt(9*time.Second, 9500*time.Millisecond), "a")
		a.read()
		s.want("0s A: a=1", "0s poll a")
		s.until(13900 * time.Millisecond)
		a.read()
		b.read()
		s.want("9.5s poll a", "13.9s A: a=2, sent 4.4s ago", "13.9s B: a=2, sent 4.4s ago")
		s.until(20 * time.Second)
		a.read()
		b.read()
		s.want()
		a.Close()
		b.Close()
	})
}

// TestManyFinalPollsAtFirst makes sure that the list is asked for many final polls in the first second of a Poller,
// too.
func TestManyFinalPollsAtFirst(t *testing.T) {
	playList(t, func(s *script) {
		at := 500 * time.Millisecond
		s.waitUntil("A", at, s.endsAt(at, at), names(60)...)
		s.until(at)
		if pages, polls, answers, _ := s.tally(); pages != 1 || polls != 0 || answers != 60 {
			t.Errorf("got %d pages, %d polls and %d answers, want 1, 0 and 60", pages, polls, answers)
		}
	})
}

// TestPermitOfAFinalPollThatIsOver makes sure that a permit for a final poll whose time is over serves another poll.
func TestPermitOfAFinalPollThatIsOver(t *testing.T) {
	play(t, behind(every(4800*time.Millisecond)), func(s *script) {
		s.until(time.Second)
		a := s.subscribe("A", s.endsAt(time.Second, time.Second), "a")
		b := s.subscribe("B", Terms{First: s.in(time.Second)}, "b")
		s.until(5500 * time.Millisecond)
		s.sleepMachine(500 * time.Millisecond) // the permit comes at 5.8 s, as the machine has it
		time.Sleep(time.Second)
		s.want("6.3s poll b")
		a.Close()
		b.Close()
	})
}

// throttleSoon is throttleFirst, after a moment in which the test subscribes others: who is alone makes none hold off.
func throttleSoon(after time.Duration) func(context.Context, string, int) (row, error) {
	return func(ctx context.Context, id string, n int) (row, error) {
		if id == "a" {
			time.Sleep(time.Millisecond)
		}
		return throttleFirst(after)(ctx, id, n)
	}
}

// tally counts what was noted, and forgets it. from is when the first poll was made; 0: there was none.
func (s *script) tally() (pages, polls, answers int, from time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		switch {
		case strings.HasPrefix(l.text, "page"):
			pages++
		case strings.HasPrefix(l.text, "poll"):
			if polls++; polls == 1 {
				from = l.at
			}
		case strings.Contains(l.text, "="):
			answers++
		}
	}
	s.lines = nil
	return pages, polls, answers, from
}

// TestPageInHoldOff makes sure that a hold-off delays a page, unless it is for a final poll, too.
func TestPageInHoldOff(t *testing.T) {
	const due = 10 * time.Second
	for _, final := range []bool{false, true} {
		playList(t, func(s *script) {
			s.poll = throttleSoon(time.Hour)
			a := s.subscribe("A", Terms{First: s.start, Pause: time.Second}, "a")
			terms := s.endsAt(due, due)
			want := []string{"0s poll a", "10s page 1"}
			if !final {
				terms.End = time.Time{}
				want = want[:1]
			}
			b := s.subscribe("B", terms, "b")
			c := s.subscribe("C", Terms{First: s.start.Add(due), Pause: time.Second}, "c")
			s.until(due + time.Second/2)
			s.want(want...)
			for _, r := range []*reader{a, b, c} {
				r.Close()
			}
		})
	}
}

// TestFinalPollWithAnEndBeforeThePoller makes sure that a poll is a final one where the end came with the Poller, or
// before.
func TestFinalPollWithAnEndBeforeThePoller(t *testing.T) {
	for _, end := range []time.Duration{0, -2 * time.Second} {
		play(t, nil, func(s *script) {
			s.poll = throttleSoon(time.Minute)
			a := s.subscribe("A", Terms{First: s.start}, "a")
			b := s.subscribe("B", s.endsAt(end, time.Second), "b")
			s.until(2 * time.Second)
			s.want("0s poll a", "1s poll b") // no hold-off delays it
			a.Close()
			b.Close()
		})
	}
}

// TestEndBeforeTheSubscription makes sure what time there is for a poll that hangs where the end has passed.
func TestEndBeforeTheSubscription(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name       string
		began, end time.Duration // since the Poller was made
		want       time.Duration // when there is an answer
		polls      int
	}{
		{"the end is the beginning", 0, 0, 5 * s, 1},
		{"the end is before the Poller", 0, -2 * s, 3 * s, 1},
		{"the allowance begins", 11 * s, 10 * s, 15 * s, 1},
		{"the reserve begins", 14 * s, 10 * s, 15 * s, 1},
		{"in the reserve", 14500 * time.Millisecond, 10 * s, 15 * s, 1},
		{"time is over", 15 * s, 10 * s, 15 * s, 0},
		{"time has been over for a second", 16 * s, 10 * s, 16 * s, 0},
		{"the machine has slept", 16*s + 1, 10 * s, 17*s + 1, 1},
		{"time is over, and the end is before the Poller", 0, -5 * s, 0, 0},
		{"time has been over for a second, and the end is before the Poller", 0, -6 * s, 0, 0},
		{"the machine has slept, and the end is before the Poller", 0, -6*s - 1, 1 * s, 1},
		{"the end is before all time", 0, math.MinInt64, 1 * s, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.poll = hang(30 * time.Second)
				s.until(tt.began)
				a := s.subscribe("A", s.endsAt(tt.end, tt.began), "a")
				next(a.Subscription, s.ctx)
				if got := time.Since(s.start); got != tt.want {
					t.Errorf("got an answer after %v, want %v", got, tt.want)
				}
				a.Close()
				s.want(slices.Repeat([]string{fmt.Sprint(tt.began, " poll a")}, tt.polls)...)
			})
		})
	}
}

// TestEndFarAway makes sure that an end past the end of time is none.
func TestEndFarAway(t *testing.T) {
	play(t, nil, func(s *script) {
		s.poll = hang(2 * time.Second)
		a := s.subscribe("A", Terms{First: s.start, End: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, "a")
		for at := time.Second; at <= 2*time.Second; at += time.Second {
			s.until(at)
			a.read()
		}
		a.Close()
		s.want("0s poll a", "2s A: a=1, sent 2s ago")
	})
}

// TestLatePermitInHoldOff makes sure that a permit for a final poll that comes in the instant at which time is over is
// used for no other poll while all hold off.
func TestLatePermitInHoldOff(t *testing.T) {
	play(t, behind(every(FinalAllowance)), func(s *script) {
		s.poll = throttleSoon(24 * time.Hour)
		a := s.subscribe("A", Terms{First: s.start}, "a")
		b := s.subscribe("B", Terms{First: s.in(6 * time.Second)}, "b")
		var finals []*reader
		for i := range 50 { // which of the two comes first is chance
			end := time.Duration(i+1) * 20 * time.Second
			finals = append(finals, s.subscribe("X", s.endsAt(end, end), fmt.Sprint("x", i)))
		}
		s.until(time.Hour)
		for _, l := range s.lines {
			if l.text == "poll b" {
				t.Errorf("got a poll of b after %v, want none", l.at)
			}
		}
		for _, r := range append(finals, a, b) {
			r.Close()
		}
		s.lines = nil
	})
}

// TestRepeatedFinalPollOfASharedID makes sure that a final poll that is repeated does not wait behind the poll of a
// neighbour that a hold-off delays, whichever was planned first.
func TestRepeatedFinalPollOfASharedID(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name string
		due  time.Duration // of the neighbour's poll
		want time.Duration // when the final poll is repeated
	}{
		{"due at the end", 10 * s, 10500 * time.Millisecond},
		{"due before it is repeated", 10200 * time.Millisecond, 10200 * time.Millisecond},
		{"due after it is repeated", 11 * s, 10500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.poll = throttleFirst(time.Minute)
				other := s.subscribe("C", Terms{First: s.in(time.Hour)}, "c")
				a := s.subscribe("A", s.endsAt(10*time.Second, 10*time.Second), "a")
				b := s.subscribe("B", Terms{First: s.start.Add(tt.due)}, "a")
				s.until(10 * time.Second)
				a.read()
				a.Plan(0, s.start.Add(10500*time.Millisecond), time.Time{})
				if tt.due == 10*time.Second { // it was told as well
					b.read()
					b.Plan(0, s.in(time.Minute), time.Time{})
				}
				s.until(11 * time.Second)
				a.read()
				for _, r := range []*reader{other, a, b} {
					r.Close()
				}
				s.until(20 * time.Second)
				var polls []time.Duration
				for _, l := range s.lines {
					if l.text == "poll a" {
						polls = append(polls, l.at)
					}
				}
				if want := []time.Duration{10 * time.Second, tt.want}; !slices.Equal(polls, want) {
					t.Errorf("got polls at %v, want %v", polls, want)
				}
				s.lines = nil
			})
		})
	}
}

// TestFinalPollsInHoldOffByDueTime makes sure that of several final polls in a hold-off, that with the earliest end
// comes first.
func TestFinalPollsInHoldOffByDueTime(t *testing.T) {
	var s *script
	quota := quotaFunc(func(ctx context.Context) error { // one at once, the next after 12 s
		if time.Since(s.start) == 0 {
			return nil
		}
		return every(max(time.Second, 12*time.Second-time.Since(s.start))).Wait(ctx)
	})
	play(t, behind(quota), func(it *script) {
		s = it
		s.poll = func(_ context.Context, id string, n int) (row, error) {
			if id == "slow" {
				time.Sleep(11 * time.Second)
				return row{}, &fault{Trouble{Throttled: true, After: time.Minute}, "throttled"}
			}
			return row{id, n}, nil
		}
		a := s.subscribe("A", Terms{First: s.start}, "slow")
		c := s.subscribe("C", Terms{First: s.in(time.Second)}, "c")
		x := s.subscribe("X", s.endsAt(10*time.Second, 10*time.Second), "x")
		y := s.subscribe("Y", s.endsAt(9*time.Second, 9*time.Second), "y")
		z := s.subscribe("Z", s.endsAt(11*time.Second, 11*time.Second), "z")
		d := s.subscribe("D", Terms{First: s.in(8 * time.Second)}, "d")
		s.until(13500 * time.Millisecond)
		s.want("0s poll slow", "12s poll y", "13s poll x")
		for _, r := range []*reader{a, c, x, y, z, d} {
			r.Close()
		}
	})
}

// TestFinalPollsAreSpread makes sure that many final polls of one instant are spread over the time there is for them,
// where there is no limiter, but for the last sixteen. Others who want the same ids have later ends, or none.
func TestFinalPollsAreSpread(t *testing.T) {
	for _, n := range []int{maxYoung, 100, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			play(t, nil, func(s *script) {
				end, over := 10*time.Second, 15*time.Second
				later := s.subscribe("L", s.endsAt(time.Hour, time.Hour), names(n)...)
				none := s.subscribe("N", Terms{First: s.in(time.Hour)}, names(n)...)
				s.waitUntil("A", end, s.endsAt(end, end), names(n)...)
				s.until(20 * time.Second)
				want := end
				made := 0
				for _, l := range s.lines {
					if !strings.HasPrefix(l.text, "poll") {
						continue
					}
					if l.at != want {
						t.Fatalf("got poll %d after %v, want %v", made, l.at, want)
					}
					made++
					if left := n - made; left > maxYoung {
						want += max(finalSpacing, (over-FinalReserve-want)/time.Duration(left))
					}
				}
				if all := min(n, 500); made != all {
					t.Errorf("got %d polls, want %d", made, all)
				}
				s.lines = nil
				later.Close()
				none.Close()
			})
		})
	}
}

// TestFinalPollsBehindALimiter makes sure that it alone spreads final polls, where there is one.
func TestFinalPollsBehindALimiter(t *testing.T) {
	play(t, func(cfg *Config[row]) { cfg.Limiter = limiter.New(nil) }, func(s *script) {
		const n, end = 100, 10 * time.Second
		s.waitUntil("A", end, s.endsAt(end, end), names(n)...)
		s.until(end)
		if _, polls, answers, _ := s.tally(); polls != n || answers != n {
			t.Errorf("got %d polls and %d answers, want %d at once", polls, answers, n)
		}
	})
}

// TestAbandonedAtTheEnd makes sure what is said where the next poll is planned for later than there is time, and the
// last one has not come back.
func TestAbandonedAtTheEnd(t *testing.T) {
	play(t, func(cfg *Config[row]) { cfg.QueryTimeout = 2 * time.Second }, func(s *script) {
		s.poll = hang(time.Minute)
		a := s.subscribe("A", s.endsAt(10*time.Second, 10*time.Second), "a")
		s.until(12 * time.Second)
		a.read()
		a.Plan(0, s.start.Add(16*time.Second), time.Time{})
		s.until(15 * time.Second)
		a.read()
		s.want("10s poll a", "12s A: a: no answer within 2s, sent 2s ago",
			"15s A: a: the query begun 5s ago is still running, not polled")
		a.Close()
	})
}

// TestFirstFinalPollsFirst makes sure that final polls that are repeated stand behind those of others that were not
// made yet.
func TestFirstFinalPollsFirst(t *testing.T) {
	play(t, nil, func(s *script) {
		const n = 100
		s.poll = func(context.Context, string, int) (row, error) {
			time.Sleep(time.Millisecond)
			return row{}, errors.New("trouble")
		}
		s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, 10*time.Second), names(n)...)
		s.until(20 * time.Second)
		made := map[string]bool{}
		for _, l := range s.lines {
			if id, poll := strings.CutPrefix(l.text, "poll "); poll && len(made) < n {
				if made[id] {
					t.Errorf("got a second poll of %s when %d of %d had had one", id, len(made), n)
					break
				}
				made[id] = true
			}
		}
		if len(made) != n {
			t.Errorf("got polls of %d, want %d", len(made), n)
		}
		s.lines = nil
	})
}

// TestLateForTheFinalPoll makes sure that there is a final poll although the machine, or the caller, has slept.
func TestLateForTheFinalPoll(t *testing.T) {
	for _, d := range []time.Duration{3 * time.Second, 4500 * time.Millisecond, 5500 * time.Millisecond,
		6500 * time.Millisecond, time.Hour} {
		t.Run(fmt.Sprint("machine, ", d), func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, 10*time.Second), "a")
				time.Sleep(5 * time.Second)
				s.sleepMachine(d)
				time.Sleep(5 * time.Second)
				s.want(fmt.Sprint(10*time.Second+d, " A: a=1"), fmt.Sprint(10*time.Second+d, " poll a"))
			})
		})
	}
	t.Run("machine, and the poll hangs", func(t *testing.T) {
		play(t, nil, func(s *script) {
			s.poll = hang(time.Minute)
			s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, 10*time.Second), "a")
			time.Sleep(5 * time.Second)
			s.sleepMachine(time.Hour)
			time.Sleep(10 * time.Second)
			s.want("1h0m10s poll a", "1h0m11s A: a: no answer within 1s") // the time of the final poll is bounded all the same
		})
	})
	for _, at := range []time.Duration{15, 60} {
		t.Run(fmt.Sprint("caller, until ", at*time.Second, ", and the poll hangs"), func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.poll = hang(0)
				a := s.subscribe("A", s.endsAt(10*time.Second, 9*time.Second), "a")
				s.until(at * time.Second)
				a.read()
				s.lines = nil
				s.poll = hang(30 * time.Second)
				a.Plan(0, s.start.Add(10*time.Second), time.Time{})
				s.until((at + 2) * time.Second)
				a.read()
				s.want(fmt.Sprint(at*time.Second, " poll a"),
					fmt.Sprint((at+2)*time.Second, " A: a: no answer within 1s, sent 1s ago"))
				a.Close()
			})
		})
	}
	for _, at := range []time.Duration{14, 15, 60} {
		t.Run(fmt.Sprint("caller, until ", at*time.Second), func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.poll = func(_ context.Context, id string, n int) (row, error) {
					if n > 1 {
						time.Sleep(900 * time.Millisecond)
					}
					return row{id, n}, nil
				}
				a := s.subscribe("A", s.endsAt(10*time.Second, 9*time.Second), "a")
				s.until(at * time.Second)
				a.read()
				a.Plan(0, s.start.Add(10*time.Second), time.Time{})
				s.until(at*time.Second + 900*time.Millisecond)
				a.read()
				s.want("9s poll a", fmt.Sprint(at*time.Second, " A: a=1, sent ", at*time.Second-9*time.Second, " ago"),
					fmt.Sprint(at*time.Second, " poll a"),
					fmt.Sprint(at*time.Second+900*time.Millisecond, " A: a=2, sent 900ms ago"))
				a.Close()
			})
		})
	}
}

// TestSleepInTheReserve makes sure that a machine which sleeps for more than a second in the time that is kept for a
// final poll puts off the end of that time, once.
func TestSleepInTheReserve(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name   string
		setEnd bool            // the end is set for the one id
		sleeps []time.Duration // one after the other, each half a second before an end of time
		want   time.Duration   // when there is an answer; the end is at 10s
	}{
		{"for a second", false, []time.Duration{1 * s}, 16 * s},
		{"for longer", false, []time.Duration{1*s + 1}, 17*s + 1},
		{"for half a minute", false, []time.Duration{30 * s}, 46 * s},
		{"for half a minute, and the end was set", true, []time.Duration{30 * s}, 46 * s},
		{"twice", false, []time.Duration{2 * s, 3 * s}, 21 * s},
		{"twice, and the end was set", true, []time.Duration{2 * s, 3 * s}, 21 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.poll = hang(30 * time.Minute)
				end := 10 * time.Second
				terms := s.endsAt(end, end)
				if tt.setEnd {
					terms.End = s.in(time.Hour)
				}
				a := s.subscribe("A", terms, "a")
				a.SetEnd(0, s.start.Add(end))
				s.wg.Go(func() {
					next(a.Subscription, s.ctx)
					s.note("answer")
				})
				s.until(end + FinalAllowance - time.Second/2)
				for _, d := range tt.sleeps {
					s.sleepMachine(d)
					time.Sleep(time.Second)
				}
				time.Sleep(time.Second)
				s.want("10s poll a", fmt.Sprint(tt.want, " answer"))
				a.Close()
			})
		})
	}
}

// TestSharedHungPollAtTheEnd makes sure when a hung call that two may wait for is cancelled for the final poll of one:
// when nobody who waits for it has more time.
func TestSharedHungPollAtTheEnd(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name       string
		end, first time.Duration // of the neighbour's subscription; 0: no end
		plan       time.Duration // for when it plans a poll meanwhile; 0: it does not
		want       time.Duration // when the final poll is made; 0: not at all
	}{
		{"the same end", 10 * s, 9 * s, 0, 14 * s},
		{"a later end", 10500 * time.Millisecond, 9 * s, 0, 14500 * time.Millisecond},
		{"no end", 0, 9 * s, 0, 0},
		{"no end, and its poll became due meanwhile", 0, 13 * s, 0, 0},
		{"no end, and its poll becomes due in that moment", 0, 14 * s, 0, 0},
		{"no end, and its poll is due later", 0, 16 * s, 0, 14 * s},
		{"an end much later", 30 * s, 9 * s, 0, 0},
		{"no end, and its next poll was planned meanwhile", 0, 9 * s, 16 * s, 0},
		{"no end, and it is busy with an answer from before", 0, 5 * s, 0, 14 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, nil, func(s *script) {
				s.poll = func(ctx context.Context, id string, _ int) (row, error) {
					if at := time.Since(s.start); 9*time.Second <= at && at < 14*time.Second {
						<-ctx.Done()
						return row{}, ctx.Err()
					}
					return row{id, 1}, nil
				}
				s.waitUntil("A", 10*time.Second, s.endsAt(10*time.Second, 9*time.Second), "a")
				terms := s.endsAt(tt.end, tt.first)
				if tt.end == 0 {
					terms.End = time.Time{}
				}
				b := s.subscribe("B", terms, "a")
				s.until(8 * time.Second)
				s.lines = nil
				s.until(12 * time.Second)
				if tt.plan > 0 {
					b.Plan(0, s.start.Add(tt.plan), time.Time{})
				}
				s.until(15 * time.Second)
				b.Close()
				want := []string{"9s poll a", "15s A: a: no answer within 6s"}
				if at := tt.want; at != 0 {
					want = []string{"9s poll a", fmt.Sprintf("%v A: a: no answer within %v, sent %[2]v ago", at, at-9*time.Second),
						fmt.Sprintf("%v A: a=1", at), fmt.Sprintf("%v poll a", at)}
				}
				s.want(want...)
			})
		})
	}
}

// TestSetEnd makes sure that an end that is set for one id bounds its calls in flight and its final poll. That of the
// terms stays that of the others.
func TestSetEnd(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name string
		ends []time.Duration // set for a, one after the other; b has that of the terms, 20s
		a, b time.Duration   // the end that holds
	}{
		{"before that of the terms", []time.Duration{10 * s}, 10 * s, 20 * s},
		{"after that of the terms", []time.Duration{30 * s}, 30 * s, 20 * s},
		{"that of the terms", []time.Duration{20 * s}, 20 * s, 20 * s},
		{"more than once", []time.Duration{15 * s, 30 * s, 10 * s}, 10 * s, 20 * s},
		{"back to that of the terms", []time.Duration{10 * s, 20 * s}, 20 * s, 20 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(cfg *Config[row]) { cfg.QueryTimeout = time.Hour }, func(s *script) {
				s.poll = func(ctx context.Context, _ string, _ int) (row, error) { <-ctx.Done(); return row{}, ctx.Err() }
				sub := s.Subscribe(s.ctx, []string{"a", "b"}, s.endsAt(20*time.Second, 0))
				defer sub.Close()
				for _, end := range tt.ends {
					sub.SetEnd(0, s.start.Add(end))
				}
				ends := []time.Duration{tt.a, tt.b}
				got := [2][]time.Duration{}
				for range 4 {
					a := next(sub, s.ctx)
					if got[a.Key] = append(got[a.Key], time.Since(s.start)); len(got[a.Key]) == 2 {
						sub.Done(a.Key)
						continue
					}
					sub.Plan(a.Key, s.start.Add(ends[a.Key]), time.Time{})
				}
				for key, end := range ends { // the poll in flight is cancelled, and so is the final one
					if want := []time.Duration{end + 4*time.Second, end + 5*time.Second}; !slices.Equal(got[key], want) {
						t.Errorf("id %d: got errors after %v, want %v", key, got[key], want)
					}
				}
				s.lines = nil
			})
		})
	}
}

// TestSetEndComesFirst makes sure that the final poll of an id with an end of its own has precedence over the other ids
// of its subscription.
func TestSetEndComesFirst(t *testing.T) {
	const second = time.Second
	play(t, behind(every(second)), func(s *script) {
		a := s.subscribe("A", Terms{First: s.start, Pause: second}, names(8)...)
		last := names(8)[7]
		a.SetEnd(7, s.start.Add(1500*time.Millisecond))
		a.Plan(7, s.start.Add(1500*time.Millisecond), time.Time{})
		s.until(4 * second)
		s.lines = slices.DeleteFunc(s.lines, func(l line) bool { return l.text != "poll "+last })
		s.want("2.5s poll " + last)
		a.Close()
		s.lines = nil
	})
}

// TestSetEndAgain makes sure that an end that is set once more puts nothing off.
func TestSetEndAgain(t *testing.T) {
	for _, end := range []time.Duration{10 * time.Second, -2 * time.Second} {
		play(t, nil, func(s *script) {
			s.poll = hang(time.Minute)
			a := s.subscribe("A", s.endsAt(end, max(end, 0)), "a")
			a.SetEnd(0, s.start.Add(end))
			s.until(end + FinalAllowance - time.Second/2)
			a.SetEnd(0, s.start.Add(end))
			if n := len(s.ends); n != 1 {
				t.Errorf("got %d ends, want one", n)
			}
			next(a.Subscription, s.ctx)
			if got, want := time.Since(s.start), end+FinalAllowance; got != want {
				t.Errorf("got an answer after %v, want %v", got, want)
			}
			a.Close()
			s.want(fmt.Sprint(max(end, 0), " poll a"))
		})
	}
}

// TestSetEndAfterDone makes sure that an id that is done has no end any more.
func TestSetEndAfterDone(t *testing.T) {
	play(t, nil, func(s *script) {
		a := s.subscribe("A", Terms{First: s.in(time.Hour)}, "a", "b")
		a.SetEnd(0, s.in(time.Second))
		a.Done(0)
		a.SetEnd(0, s.in(2*time.Second))
		if n := len(s.ends); n != 0 {
			t.Errorf("got %d ends, want none", n)
		}
		a.Close()
		a.SetEnd(1, s.in(time.Second)) // and play looks whether there is an end
	})
}
