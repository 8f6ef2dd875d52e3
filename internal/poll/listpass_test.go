package poll

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/limiter"
)

// pages is a list that shows the rows of all that is asked for, n a page.
func (s *script) pages(n int) func(context.Context, ListRequest) ([]row, string, error) {
	return func(_ context.Context, r ListRequest) ([]row, string, error) {
		page, _ := strconv.Atoi(r.Page)
		page = max(page, 1)
		ids := slices.Sorted(slices.Values(r.IDs))
		rows := s.rows(ids[min((page-1)*n, len(ids)):]...)
		if len(rows) <= n {
			return rows, "", nil
		}
		return rows[:n], strconv.Itoa(page + 1), nil
	}
}

// soon is the first poll after a second, at the pace of a poll each second.
func (s *script) soon() Terms { return Terms{First: s.start.Add(time.Second), Pause: time.Second} }

func TestListAnswersAll(t *testing.T) {
	playList(t, func(s *script) {
		s.list = s.pages(2)
		a := s.subscribe("A", s.soon(), "a", "b", "c")
		b := s.subscribe("B", s.soon(), "c", "d", "e")
		s.until(time.Second)
		a.read()
		b.read()
		s.want("1s A: a=10, listed", "1s A: b=10, listed", "1s A: c=10, listed",
			"1s B: c=10, listed", "1s B: d=10, listed", "1s B: e=10, listed", "1s page 1", "1s page 2", "1s page 3")
		a.Close()
		b.Close()
	})
}

// TestListWithoutAPause makes sure that first polls that say of no pause are due by list as well.
func TestListWithoutAPause(t *testing.T) {
	playList(t, func(s *script) {
		a := s.subscribe("A", Terms{First: s.start}, "a", "b")
		s.want("0s page 1")
		a.Close()
	})
}

// TestListRequest makes sure of what is asked for: all that is planned, and since when.
func TestListRequest(t *testing.T) {
	playList(t, func(s *script) {
		var got []ListRequest
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			got = append(got, r)
			return s.pages(2)(s.ctx, r)
		}
		time.Sleep(time.Minute)
		s.subscribeAndClose("gone", "x")
		a := s.subscribe("A", Terms{First: s.in(5 * time.Second), Pause: time.Second}, "a", "b")
		s.until(time.Minute + time.Second)
		b := s.subscribe("B", Terms{First: s.in(4 * time.Second), Pause: time.Second}, "c")
		s.until(time.Minute + 5*time.Second)
		if len(got) != 2 || !got[0].Since.Equal(s.start.Add(time.Minute)) || got[0].Page != "" || got[1].Page != "2" {
			t.Errorf("got %+v, want two pages since the first subscription began", got)
		}
		for _, r := range got {
			if ids := slices.Sorted(slices.Values(r.IDs)); !slices.Equal(ids, []string{"a", "b", "c"}) {
				t.Errorf("got %v, want a, b and c", ids)
			}
		}
		a.Plan(0, s.in(2*time.Second), s.start.Add(-time.Hour))
		a.Plan(1, s.in(2*time.Second), s.start.Add(time.Hour))
		b.Plan(0, s.in(2*time.Second), time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)) // more nanoseconds than there are
		s.until(time.Minute + 7*time.Second)
		if len(got) != 4 || !got[2].Since.Equal(s.start.Add(-time.Hour)) {
			t.Errorf("got %+v, want two pages since the oldest task was created", got[2:])
		}
		a.Plan(0, s.in(2*time.Second), time.Date(1970, 6, 1, 0, 0, 0, 0, time.UTC))
		a.Plan(1, s.in(2*time.Second), time.Date(1969, 6, 1, 0, 0, 0, 0, time.UTC))
		b.Plan(0, s.in(2*time.Second), time.Date(2262, 6, 1, 0, 0, 0, 0, time.UTC)) // as a number it would be negative
		s.until(time.Minute + 9*time.Second)
		if want := time.Date(1970, 6, 1, 0, 0, 0, 0, time.UTC); len(got) != 6 || !got[4].Since.Equal(want) {
			t.Errorf("got %+v, want two pages since %v", got[4:], want)
		}
		a.Close()
		b.Close()
		s.lines = nil
	})
}

func (s *script) subscribeAndClose(name string, ids ...string) {
	s.subscribe(name, Terms{First: s.in(time.Hour)}, ids...).Close()
}

// TestListDoesNotHoldThePollBeforeADeadline makes sure that a list pass in progress does not hold a poll that is due
// shortly before the context of its subscription ends.
func TestListDoesNotHoldThePollBeforeADeadline(t *testing.T) {
	for _, tt := range []struct {
		name string
		left time.Duration // from when the poll is due to the end of its context
		want []string
	}{
		{"less than it may hold", 400 * time.Millisecond, []string{"0s page 1", "500ms poll b"}},
		{"just as long", 500 * time.Millisecond, []string{"0s page 1", "500ms poll b"}},
		{"more", time.Second, []string{"0s page 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
					time.Sleep(900 * time.Millisecond)
					return s.rows(r.IDs...), "", nil
				}
				ctx, cancel := context.WithDeadline(s.ctx, s.start.Add(500*time.Millisecond+tt.left))
				defer cancel()
				terms := Terms{First: s.in(500 * time.Millisecond), Pause: time.Second}
				b := s.Subscribe(ctx, []string{"b"}, terms)
				a := s.subscribe("A", Terms{First: s.start, Pause: time.Millisecond}, "a", "c", "d")
				s.until(850 * time.Millisecond)
				s.want(tt.want...)
				a.Close()
				b.Close()
				s.until(time.Second)
			})
		})
	}
}

// TestListHoldsThePollOfANeighbour makes sure that the deadline of one who is busy with an answer does not make a
// neighbour's poll one that the pass in progress does not hold.
func TestListHoldsThePollOfANeighbour(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			time.Sleep(900 * time.Millisecond)
			return s.rows(r.IDs...), "", nil
		}
		ctx, cancel := context.WithDeadline(s.ctx, s.in(900*time.Millisecond))
		defer cancel()
		b := s.Subscribe(ctx, []string{"b"}, Terms{First: s.start})
		s.until(100 * time.Millisecond)
		n := s.subscribe("N", Terms{First: s.in(400 * time.Millisecond), Pause: time.Second}, "b")
		a := s.subscribe("A", Terms{First: s.in(500 * time.Millisecond), Pause: time.Second}, "a", "c", "d")
		s.until(850 * time.Millisecond)
		s.want("0s poll b", "500ms page 1")
		a.Close()
		b.Close()
		n.Close()
	})
}

// TestListHoldsNoOther makes sure that a pass in progress does not hold the poll of an id that it was not begun for.
func TestListHoldsNoOther(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			time.Sleep(900 * time.Millisecond)
			return s.rows(r.IDs...), "", nil
		}
		a := s.subscribe("A", Terms{First: s.start, Pause: time.Second}, "a", "c", "d")
		s.until(100 * time.Millisecond)
		b := s.subscribe("B", Terms{First: s.in(-time.Second), Pause: time.Second}, "b")
		s.want("0s page 1", "100ms poll b")
		a.Close()
		b.Close()
	})
}

// TestListWhenWorthIt makes sure when a list pass is made instead of polls.
func TestListWhenWorthIt(t *testing.T) {
	tests := []struct {
		name string
		f    func(s *script) *reader
		want []string
	}{
		{"one id", func(s *script) *reader { return s.subscribe("A", s.soon(), "a") }, []string{"1s poll a"}},
		{"two ids", func(s *script) *reader { return s.subscribe("A", s.soon(), "a", "b") }, []string{"1s page 1"}},
		{"first polls are kept", func(s *script) *reader {
			r := s.subscribe("A", Terms{First: s.in(3 * time.Second), Pause: time.Second}, "a", "b", "c", "d")
			return r
		}, []string{"3s page 1"}},
		// Three that were polled before: their sum is 3·(t/10s)², the price is 1/√3, so at 4.387 s.
		{"before any is due", func(s *script) *reader {
			r := s.subscribe("A", s.soon(), "a", "b", "c")
			s.until(time.Second)
			s.lines = nil
			for key := range 3 {
				r.Plan(key, s.in(10*time.Second), time.Time{})
			}
			s.until(5380 * time.Millisecond)
			if len(s.lines) != 0 {
				s.t.Errorf("got %v, want a list pass later", s.lines)
			}
			s.until(5400 * time.Millisecond)
			s.lines[0].at = s.lines[0].at.Truncate(time.Second)
			return r
		}, []string{"5s page 1"}},
		// Two: their sum is 2·(t/10s)², the price is 1/√2, so at 6.946 s.
		{"two, before any is due", func(s *script) *reader {
			r := s.subscribe("A", s.soon(), "a", "b")
			s.until(time.Second)
			s.lines = nil
			for key := range 2 {
				r.Plan(key, s.in(10*time.Second), time.Time{})
			}
			s.until(6950 * time.Millisecond)
			s.lines[0].at = s.lines[0].at.Truncate(10 * time.Millisecond)
			return r
		}, []string{"6.94s page 1"}},
		{"fixed instants are kept", func(s *script) *reader {
			terms := s.soon()
			terms.Fixed = true
			r := s.subscribe("A", terms, "a", "b", "c")
			s.until(time.Second)
			s.lines = nil
			for key := range 3 {
				r.Plan(key, s.in(10*time.Second), time.Time{})
			}
			s.until(11 * time.Second)
			return r
		}, []string{"11s page 1"}},
		{"planned again, one after the other", func(s *script) *reader { // a poll of both would be worth 1 + 0.64 queries
			r := s.subscribe("A", s.soon(), "a", "b")
			s.until(time.Second)
			s.lines = nil
			r.Plan(0, s.in(10*time.Second), time.Time{})
			r.Done(1)
			s.until(11 * time.Second)
			return r
		}, []string{"11s poll a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				r := tt.f(s)
				s.until(max(time.Since(s.start), 3*time.Second))
				r.Close()
				s.want(tt.want...)
			})
		})
	}
}

// TestPassGap makes sure that list passes begin a second apart, or the shortest pause that is planned.
func TestPassGap(t *testing.T) {
	tests := []struct{ pause, gap time.Duration }{
		{100 * time.Millisecond, 100 * time.Millisecond},
		{time.Second, time.Second},
		{time.Millisecond, time.Millisecond},
		{3 * time.Second, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.pause.String(), func(t *testing.T) {
			playList(t, func(s *script) {
				s.wait("A", tt.pause, s.soon(), names(200)...)
				s.list = s.pages(1000)
				s.until(time.Second + 3*tt.gap)
				var at []time.Duration
				for _, l := range s.lines {
					if l.text == "page 1" {
						at = append(at, l.at)
					}
				}
				s.lines = nil
				for i := 1; i < len(at); i++ {
					if at[i]-at[i-1] < tt.gap {
						t.Errorf("got passes at %v, want %v between two", at, tt.gap)
					}
				}
				if len(at) != 4 {
					t.Errorf("got passes at %v, want 4", at)
				}
			})
		})
	}
}

// TestListWhileAFirstPollIsDelayed makes sure that what waits for its first poll is not worth a list pass, though the
// passes for others show it.
func TestListWhileAFirstPollIsDelayed(t *testing.T) {
	playList(t, func(s *script) {
		s.wait("A", 10*time.Second, s.soon(), "a", "b", "c")
		d := s.subscribe("D", Terms{First: s.in(time.Minute), Pause: time.Second}, "d")
		s.until(59 * time.Second)
		passes := 0
		for _, l := range s.lines {
			if l.text == "page 1" {
				passes++
			}
		}
		if passes < 5 || passes > 15 {
			t.Errorf("got %d passes in a minute for polls every 10s, want 5 to 15", passes)
		}
		s.lines = nil
		d.Close()
	})
}

// TestOddPages makes sure that rows that nobody waits for do no harm, and that of two rows of one id on a page the
// second counts only if it is final. What a later page of the pass shows is newer, and what no page shows is polled.
func TestOddPages(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			switch r.Page {
			case "":
				return []row{{"other", 2}, {"", 3}, {"a", 1}, {"a", 4}, {"c", 7}, {"c", last}}, "2", nil
			default:
				return []row{{"a", 5}, {"b", 6}}, "", nil
			}
		}
		terms := s.soon()
		terms.Order = true // so that each row that counts is read
		a := s.subscribe("A", terms, "a", "b", "c", "d")
		s.until(1500 * time.Millisecond)
		a.read()
		s.want("1s page 1", "1s page 2", "1s poll d", "1.5s A: a=1, listed, sent 500ms ago",
			"1.5s A: a=5, listed, sent 500ms ago",
			"1.5s A: b=6, listed, sent 500ms ago", "1.5s A: c=100, listed, sent 500ms ago",
			"1.5s A: c=7, listed, sent 500ms ago", "1.5s A: d=1, sent 500ms ago")
		a.Close()
	})
}

// TestEndlessList makes sure that a list without an end costs a bounded number of pages, and what it does not show is
// polled alone.
func TestEndlessList(t *testing.T) {
	tests := []struct {
		name  string
		next  func(string) string
		pages int
	}{
		{"always another page", func(page string) string { return page + "x" }, 3 + sparePages},
		{"the same page again", func(string) string { return "same" }, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				pages := 0
				s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
					pages++
					return s.rows("a"), tt.next(r.Page), nil
				}
				a := s.subscribe("A", s.soon(), "a", "b", "c")
				s.until(2 * time.Second)
				s.lines = nil
				a.read()
				if pages != tt.pages {
					t.Errorf("got %d pages, want %d", pages, tt.pages)
				}
				s.want("2s A: a=10, listed, sent 1s ago", "2s A: b=1, sent 1s ago", "2s A: c=1, sent 1s ago")
				a.Close()
			})
		})
	}
}

// TestPassEndsEarly makes sure that no page is asked for when all is known.
func TestPassEndsEarly(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, _ ListRequest) ([]row, string, error) { return s.rows("b", "a"), "more", nil }
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(2 * time.Second)
		a.read()
		s.want("1s page 1", "2s A: a=10, listed, sent 1s ago", "2s A: b=10, listed, sent 1s ago")
		a.Close()
	})
}

// TestPassEndsBehindAPage makes sure that a page that is in flight when all is known counts for what a pass costs.
func TestPassEndsBehindAPage(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			if r.Page == "" {
				return s.rows("a"), "2", nil
			}
			time.Sleep(time.Second)
			return nil, "3", nil
		}
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(1500 * time.Millisecond)
		a.Done(1)
		s.until(2 * time.Second)
		if s.pass.active || s.pass.cost != 2 {
			t.Errorf("got a pass in progress: %v, its cost %v, want none, 2", s.pass.active, s.pass.cost)
		}
		a.Close()
		s.want("1s page 1", "1s page 2")
	})
}

// TestTimer makes sure for when the timer is set where the list may be asked.
func TestTimer(t *testing.T) {
	const due = 11 * time.Second
	polled := func(s *script, ids ...string) *reader { // at 1 s, and planned for 11 s
		a := s.subscribe("A", s.soon(), ids...)
		s.until(time.Second)
		a.read()
		for key := range ids {
			a.Plan(key, s.start.Add(due), time.Time{})
		}
		s.until(2 * time.Second) // from when on the next pass may begin
		return a
	}
	never := func(context.Context, ListRequest) ([]row, string, error) { return nil, "", errors.New("trouble") }
	tests := []struct {
		name  string
		quota limiter.Quota
		list  func(context.Context, ListRequest) ([]row, string, error)
		play  func(s *script) *reader
		want  func(s *script) time.Duration
	}{
		{"one id", nil, nil, func(s *script) *reader { return polled(s, "a") }, nil},
		{"two, and a pass will be worth its price", nil, nil, func(s *script) *reader { return polled(s, "a", "b") },
			func(s *script) time.Duration {
				at, _ := s.sum.reaches(s.pass.price(2))
				return at
			}},
		{"two, and the list was refused", nil, func(context.Context, ListRequest) ([]row, string, error) {
			return nil, "", &fault{Trouble{Refused: true}, "refused"}
		}, func(s *script) *reader { return polled(s, "a", "b") }, nil},
		{"two that were not polled", nil, nil, func(s *script) *reader {
			return s.subscribe("A", Terms{First: s.start.Add(due), Pause: time.Second}, "a", "b")
		}, nil},
		{"a pass that is just worth its price waits for a permit", every(time.Hour), never, func(s *script) *reader {
			s.pass.cost = 4
			a := s.subscribe("A", s.soon(), "a", "b", "c", "d")
			s.until(time.Second)
			return a
		}, nil}, // when it has waited for ten seconds
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s *script
			set := func(cfg *Config[row]) {
				if listed(&s)(cfg); tt.quota != nil {
					behind(tt.quota)(cfg)
				}
			}
			play(t, set, func(it *script) {
				s = it
				s.list = tt.list
				a := tt.play(s)
				want := due
				if tt.want != nil {
					want = tt.want(s)
				}
				if s.armed != want {
					t.Errorf("got a timer for %v, want %v", s.armed, want)
				}
				a.Close()
				s.lines = nil
			})
		})
	}
}

// TestListForNobody makes sure that no page is asked for where no poll is planned, whatever rounding has left of the
// sum.
func TestListForNobody(t *testing.T) {
	playList(t, func(s *script) {
		s.pass.active, s.sum.c = true, 1
		if got := s.situation(0); got.list {
			t.Errorf("got %+v, want no list", got)
		}
		s.pass.active = false
	})
}

// TestSumIsMadeAnew makes sure that the sum is made anew after a thousand changes, as rounding errors grow.
func TestSumIsMadeAnew(t *testing.T) {
	playList(t, func(s *script) {
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(time.Second)
		a.read()
		most, before := 0, 0
		for range 2000 {
			a.Plan(0, s.in(time.Hour), time.Time{})
			a.Plan(1, s.in(time.Hour), time.Time{})
			most, before = max(most, s.sum.changes), s.sum.changes
		}
		if most != 1002 || before == 0 {
			t.Errorf("got %d changes at most, want 1002", most)
		}
		a.Close()
		s.lines = nil
	})
}

// TestMissingRow makes sure that an id that the list does not show is polled alone, is looked for in the list once
// more, and then only comes back when the list shows it.
func TestMissingRow(t *testing.T) {
	playList(t, func(s *script) {
		shows := func(ids ...string) {
			s.list = func(context.Context, ListRequest) ([]row, string, error) { return s.rows(ids...), "", nil }
		}
		a := s.subscribe("A", s.soon(), "a", "b", "c")
		round := func(at time.Duration, want ...string) {
			s.until(at)
			for key := range 3 {
				a.Plan(key, s.in(time.Second), time.Time{})
			}
			for i := range want {
				want[i] = fmt.Sprint(at, " ", want[i])
			}
			s.want(want...)
		}
		shows("a", "b")
		round(1*time.Second, "page 1", "poll c")
		round(2*time.Second, "page 1", "poll c") // once more
		round(3*time.Second, "page 1", "poll c") // no part of the pass any more
		if e := s.entries.find("c"); !e.unseen || e.misses != 2 || e.counted {
			t.Errorf("got unseen %v, %d misses, want true and 2", e.unseen, e.misses)
		}
		shows("c", "a", "b")
		round(4*time.Second, "page 1") // the list shows it again
		if e := s.entries.find("c"); e.unseen || e.misses != 0 {
			t.Errorf("got unseen %v, %d misses, want false and 0", e.unseen, e.misses)
		}
		shows("a", "b")
		round(5*time.Second, "page 1", "poll c")
		a.Close()
	})
}

// TestMissingRowDueFirst makes sure that the list is asked for all others where an id that it does not show is due
// first.
func TestMissingRowDueFirst(t *testing.T) {
	playList(t, func(s *script) {
		ids := []string{"a", "b", "c", "d"}
		var got []string
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			got = slices.Sorted(slices.Values(r.IDs))
			return s.rows(ids[1:]...), "", nil
		}
		a := s.subscribe("A", s.soon(), ids...)
		for n := 1; n <= 3; n++ {
			s.until(time.Duration(n) * time.Second)
			a.read()
			for key := range ids {
				a.Plan(key, s.in(time.Second), time.Time{})
			}
		}
		if !slices.Equal(got, ids[1:]) {
			t.Errorf("got %v asked for, want %v", got, ids[1:])
		}
		a.Close()
		s.lines = nil
	})
}

// TestPassEndsInAHoldOff makes sure that a pass which ended while the list was not to be asked leaves that as it is.
func TestPassEndsInAHoldOff(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			if time.Since(s.start) < 2*time.Second {
				return nil, "", &fault{Trouble{Throttled: true, After: 10 * time.Second}, "throttled"}
			}
			return s.rows(r.IDs...), "", nil
		}
		s.subscribe("A", s.soon(), "a", "b").closeAt(time.Second)
		s.wait("B", time.Second, Terms{First: s.in(9 * time.Second), Pause: time.Second}, "c", "d", "e")
		s.until(10500 * time.Millisecond)
		s.want("1s page 1", "1s poll a", "1s poll b", "10s B: c=1", "10s B: d=1", "10s B: e=1", "10s poll c", "10s poll d",
			"10s poll e")
		s.until(11500 * time.Millisecond)
		s.want("11s B: c=11, listed", "11s B: d=11, listed", "11s B: e=11, listed", "11s page 1")
	})
}

// closeAt closes a subscription at a time since the beginning.
func (r *reader) closeAt(at time.Duration) {
	r.s.until(at)
	r.Close()
}

// TestPageByDueTime makes sure that a page has the place in the limiter's queue of the poll that is due first.
func TestPageByDueTime(t *testing.T) {
	var s *script
	set := func(cfg *Config[row]) { listed(&s)(cfg); behind(every(time.Second))(cfg) }
	play(t, set, func(it *script) {
		s = it
		second := New(s.cfg)
		b := second.Subscribe(s.ctx, []string{"b"}, Terms{First: s.in(-time.Second)})
		c := second.Subscribe(s.ctx, []string{"c"}, Terms{First: s.in(-time.Second)})
		a := s.subscribe("A", Terms{First: s.in(-2 * time.Second), Pause: time.Second}, "a", "d")
		s.until(time.Second)
		s.want("1s page 1")
		a.Close()
		b.Close()
		c.Close()
	})
}

// TestPassesOfFinalPolls makes sure that a pass for final polls begins at once after another.
func TestPassesOfFinalPolls(t *testing.T) {
	playList(t, func(s *script) {
		end := 2 * time.Second
		a := s.subscribe("A", Terms{First: s.in(1500 * time.Millisecond), Pause: time.Second}, "a", "b", "c")
		s.until(1500 * time.Millisecond)
		s.lines = nil
		b := s.subscribe("B", Terms{First: s.start.Add(end), Pause: 2 * time.Second, End: s.start.Add(end)}, "x", "y", "z")
		s.until(end)
		s.want("2s page 1")
		a.Close()
		b.Close()
	})
}

// TestPageFailsForDays makes sure that the pause before a page that failed has its bound, however often it did.
func TestPageFailsForDays(t *testing.T) {
	playList(t, func(s *script) {
		for _, n := range []int{4, 5, 6, 1000} {
			s.pass.failed = n
			s.pageFailed(Trouble{})
			if got, want := s.pass.blockedUntil, []time.Duration{16, 30}[min(n-4, 1)]*time.Second; got != want {
				t.Errorf("failed %d times: got a pause of %v, want %v", n, got, want)
			}
		}
	})
}

// TestListNobodyWaitsFor makes sure that the timer is not set for a list that nobody waits for.
func TestListNobodyWaitsFor(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(context.Context, ListRequest) ([]row, string, error) {
			return nil, "", &fault{Trouble{Throttled: true, After: time.Minute}, "throttled"}
		}
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(time.Second)
		a.Close()
		if s.armed != 0 {
			t.Errorf("got a timer for %v, want none", s.armed)
		}
		s.lines = nil
	})
}

// TestListStarvesNoPoll makes sure that what was due before a list that failed may be asked again goes first. Where
// there are many final polls, the list may fail once.
func TestListStarvesNoPoll(t *testing.T) {
	for _, tt := range []struct {
		name  string
		n     int
		final bool
		want  []string
	}{
		{"no final polls", 2, false, []string{"2s page", "3s poll", "4s poll"}},
		{"few final polls", maxYoung, true, []string{"2s page", "3s poll", "4s poll"}},
		{"many final polls", maxYoung + 1, true, []string{"2s page", "3s page", "4s poll"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *script
			set := func(cfg *Config[row]) { listed(&s)(cfg); behind(every(time.Second))(cfg) }
			play(t, set, func(it *script) {
				s = it
				s.list = func(context.Context, ListRequest) ([]row, string, error) {
					return nil, "", &fault{Trouble{After: time.Second}, "busy"}
				}
				s.until(time.Second)
				terms := Terms{First: s.in(0), Pause: time.Second}
				if tt.final {
					terms.End = s.start
				}
				a := s.subscribe("A", terms, names(tt.n)...)
				s.until(4500 * time.Millisecond)
				a.Close()
				for i := range s.lines {
					s.lines[i].text = s.lines[i].text[:len("page")]
				}
				s.want(tt.want...)
			})
		})
	}
}

// TestMissingRowFails makes sure that an error says nothing about an id that the list does not show.
func TestMissingRowFails(t *testing.T) {
	playList(t, func(s *script) {
		s.poll = func(context.Context, string, int) (row, error) { return row{}, errors.New("boom") }
		s.list = func(context.Context, ListRequest) ([]row, string, error) { return s.rows("a", "b"), "", nil }
		a := s.subscribe("A", s.soon(), "a", "b", "c")
		s.until(time.Second)
		if e := s.entries.find("c"); !e.unseen {
			t.Error("got an id that the next list pass waits for, want it polled alone")
		}
		a.Close()
		s.want("1s page 1", "1s poll c")
	})
}

// TestPageFails makes sure how a page that failed is asked for again, and that polls are made meanwhile.
func TestPageFails(t *testing.T) {
	boom := errors.New("boom")
	playList(t, func(s *script) {
		var pages []string
		s.poll = func(_ context.Context, id string, _ int) (row, error) { return row{id, 1}, nil }
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			pages = append(pages, fmt.Sprint(time.Since(s.start), " ", r.Page))
			if r.Page == "" {
				return s.rows("a"), "2", nil
			}
			return nil, "", boom
		}
		s.wait("A", time.Second, s.soon(), "a", "b", "c", "d")
		s.until(150 * time.Second)
		want := []string{"1s ", "1s 2", "2s 2", "4s 2", "8s 2", "16s 2", "32s 2", "1m2s 2", "1m32s 2", "2m2s 2"}
		if !slices.Equal(pages, want) {
			t.Errorf("got pages at %q, want %q", pages, want)
		}
		for _, id := range []string{"b", "c", "d"} {
			if n := s.polls[id]; n < 145 {
				t.Errorf("got %d polls of %s, want one each second", n, id)
			}
		}
		s.lines = nil
	})
}

func TestPageFailsFor(t *testing.T) {
	tests := []struct {
		name string
		errs []error // of the first pages
		want []string
	}{
		{"said how long", []error{&fault{Trouble{After: 7 * time.Second}, "busy"}}, []string{"1s", "8s"}},
		{"said too little", []error{&fault{Trouble{After: 7 * time.Millisecond}, "busy"}}, []string{"1s", "2s"}},
		{"throttled", []error{&fault{Trouble{Throttled: true, After: 9 * time.Second}, "throttled"}}, []string{"1s", "10s"}},
		{"a success begins anew", []error{errors.New("1"), errors.New("2"), nil, errors.New("3"), nil}, []string{"1s",
			"2s", "4s", "5s", "6s"}},
		{"refused", []error{&fault{Trouble{Refused: true}, "refused"}}, []string{"1s"}},
		{"refused after a pass", []error{nil, &fault{Trouble{Refused: true}, "refused"}}, []string{"1s", "2s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				var at []string
				s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
					at = append(at, time.Since(s.start).String())
					if n := len(at); n <= len(tt.errs) && tt.errs[n-1] != nil {
						return nil, "", tt.errs[n-1]
					}
					return s.rows(r.IDs...), "", nil
				}
				terms := s.soon()
				terms.Fixed = true // no pass before they are due
				s.wait("A", time.Second, terms, "a", "b", "c", "d")
				s.until(12 * time.Second)
				if got := at[:min(len(at), len(tt.want))]; !slices.Equal(got, tt.want) || tt.name == "refused" && len(at) > 1 {
					t.Errorf("got pages at %v, want %v", at, tt.want)
				}
				for _, l := range s.lines {
					if l.text == "A: a: busy" || l.text == "A: a: throttled" || l.text == "A: a: refused" {
						t.Errorf("got %q, want the errors of the list to reach nobody", l.text)
					}
				}
				s.lines = nil
			})
		})
	}
}

// TestRefusedPage makes sure that a pass ends where a later page is refused, and the next begins anew.
func TestRefusedPage(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			if r.Page == "" {
				return s.rows("a", "b"), "2", nil
			}
			return nil, "", &fault{Trouble{Refused: true}, "refused"}
		}
		a := s.subscribe("A", s.soon(), "a", "b", "c")
		s.until(time.Second)
		s.want("1s page 1", "1s page 2", "1s poll c")
		for key := range 3 {
			a.Plan(key, s.in(time.Second), time.Time{})
		}
		s.until(2 * time.Second)
		s.want("2s page 1", "2s page 2", "2s poll c")
		a.Close()
	})
}

// TestListThrottleHoldsTheListOnly makes sure that polls go on while the list is throttled, with a Limiter and without.
func TestListThrottleHoldsTheListOnly(t *testing.T) {
	for _, l := range []*limiter.Limiter{nil, limiter.New(nil)} {
		var s *script
		play(t, func(cfg *Config[row]) { listed(&s)(cfg); cfg.Limiter = l }, func(it *script) {
			s = it
			s.list = func(context.Context, ListRequest) ([]row, string, error) {
				return nil, "", &fault{Trouble{Throttled: true, After: time.Minute}, "throttled"}
			}
			s.wait("A", 10*time.Second, s.soon(), "a", "b")
			s.until(12 * time.Second)
			s.want("1s A: a=1", "1s A: b=1", "1s page 1", "1s poll a", "1s poll b", "11s A: a=2", "11s A: b=2", "11s poll a",
				"11s poll b")
		})
	}
}

// TestHungList makes sure that a list that hangs is in nobody's way, and is asked again when it is back.
func TestHungList(t *testing.T) {
	var s *script
	play(t, func(cfg *Config[row]) { listed(&s)(cfg); cfg.QueryTimeout = 5 * time.Second }, func(it *script) {
		s = it
		n := 0
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			if n++; n == 1 {
				time.Sleep(20 * time.Second)
			}
			return s.rows(r.IDs...), "", nil
		}
		s.wait("A", 4*time.Second, s.soon(), "a", "b")
		s.until(6 * time.Second)
		if got := s.abandoned.Load(); got != 1 {
			t.Errorf("got %d abandoned calls, want 1", got)
		}
		s.until(21 * time.Second)
		if got := s.abandoned.Load(); got != 0 {
			t.Errorf("got %d abandoned calls, want 0", got)
		}
		s.want("1s page 1", "2s A: a=1", "2s A: b=1", "2s poll a", "2s poll b", // held for a second
			"6s A: a=2", "6s A: b=2", "6s poll a", "6s poll b", "10s A: a=3", "10s A: b=3", "10s poll a", "10s poll b",
			"14s A: a=4", "14s A: b=4", "14s poll a", "14s poll b", "18s A: a=5", "18s A: b=5", "18s poll a", "18s poll b",
			"21s A: a=15, listed", "21s A: b=15, listed", "21s page 1")
	})
}

// TestHungListAndClose makes sure that a page that hangs beyond the last subscription is the only one in flight.
func TestHungListAndClose(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			time.Sleep(10 * time.Second)
			return s.rows(r.IDs...), "", nil
		}
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(time.Second)
		a.Close()
		b := s.subscribe("B", Terms{First: s.in(time.Second), Pause: time.Second}, "a", "b")
		s.until(5 * time.Second)
		b.read()
		s.want("1s page 1", "2s poll a", "2s poll b", "5s B: a=1, sent 3s ago", "5s B: b=1, sent 3s ago")
		s.until(11 * time.Second)
		b.Plan(0, s.in(time.Second), time.Time{})
		b.Plan(1, s.in(time.Second), time.Time{})
		s.want("11s page 1")
		b.Close()
	})
}

// TestCloseBesideAPage makes sure that a page in flight is for those who are left, too.
func TestCloseBesideAPage(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			time.Sleep(500 * time.Millisecond)
			return s.rows(r.IDs...), "", nil
		}
		a := s.subscribe("A", s.soon(), "a")
		b := s.subscribe("B", s.soon(), "b")
		s.until(1200 * time.Millisecond)
		a.Close()
		s.until(1500 * time.Millisecond)
		b.read()
		s.want("1s page 1", "1.5s B: b=10, listed, sent 500ms ago")
		b.Close()
	})
}

// TestListHonoursItsContext makes sure that a page that takes too long is cancelled, and asked for again.
func TestListHonoursItsContext(t *testing.T) {
	var s *script
	play(t, func(cfg *Config[row]) { listed(&s)(cfg); cfg.QueryTimeout = 5 * time.Second }, func(it *script) {
		s = it
		var at []string
		s.list = func(ctx context.Context, r ListRequest) ([]row, string, error) {
			at = append(at, time.Since(s.start).String())
			if len(at) == 1 {
				<-ctx.Done()
				return nil, "", ctx.Err()
			}
			return s.rows(r.IDs...), "", nil
		}
		s.wait("A", 4*time.Second, s.soon(), "a", "b")
		s.until(11 * time.Second)
		s.lines = nil
		if len(at) < 2 || at[1] != "7s" {
			t.Errorf("got pages at %v, want the second at 7s", at)
		}
	})
}

// TestPageReturnsAsItIsGivenUp makes sure that the error of a page that returns in the very moment in which it is
// cancelled says nothing about the list, if it only says so.
func TestPageReturnsAsItIsGivenUp(t *testing.T) {
	tests := []struct {
		name      string
		cancelled bool
		trouble   Trouble
		want      time.Duration // until when the list is left alone; 0: for good
	}{
		{"its context's error", true, Trouble{ByContext: true}, listRetry},
		{"its context's error, as a refusal", true, Trouble{ByContext: true, Refused: true}, listRetry},
		{"another error", true, Trouble{After: 7 * time.Second}, 7 * time.Second},
		{"not cancelled", false, Trouble{ByContext: true, After: 7 * time.Second}, 7 * time.Second},
		{"not cancelled, and refused", false, Trouble{ByContext: true, Refused: true}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				c := &call[row]{poller: s.Poller, answer: Answer[row]{Err: errors.New("trouble")}, trouble: tt.trouble}
				c.Begin(s.ctx, &s.abandoned)
				if tt.cancelled {
					c.Cancel()
				}
				s.Poller.mu.Lock()
				s.pageReturned(c, false)
				s.Poller.mu.Unlock()
				c.Cancel()
				if got := s.pass.blockedUntil; got != tt.want || s.pass.off != (tt.want == 0) {
					t.Errorf("got the list left alone until %v, off %v, want until %v", got, s.pass.off, tt.want)
				}
			})
		})
	}
}

// TestHeldForThePass makes sure that what the pass in progress will show is not polled alone, for a second.
func TestHeldForThePass(t *testing.T) {
	tests := []struct {
		name    string
		latency time.Duration // of each of three pages with one row
		pause   time.Duration
		final   bool // the poll of b is a final one
		want    []string
	}{
		{"fast", 300 * time.Millisecond, time.Second, false, []string{"1s page 1", "1.3s page 2", "1.6s page 3"}},
		{"slow", 1500 * time.Millisecond, time.Second, false, []string{"1s page 1", "2s poll a", "2s poll b", "2s poll c"}},
		// a is shown at 1.9 s; after a second the other two have waited for as long as their pause.
		{"not quite fast", 900 * time.Millisecond, time.Second, false,
			[]string{"1s page 1", "1.9s page 2", "2s poll b", "2s poll c"}},
		{"a long pause", 900 * time.Millisecond, 10 * time.Second, false, []string{"1s page 1", "1.9s page 2"}},
		{"a long pause, and a final poll", 900 * time.Millisecond, 10 * time.Second, true,
			[]string{"1s page 1", "1.9s page 2", "2s poll b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			playList(t, func(s *script) {
				s.list = func(ctx context.Context, r ListRequest) ([]row, string, error) {
					time.Sleep(tt.latency)
					return s.pages(1)(ctx, r)
				}
				terms := s.endsAt(time.Second, time.Second)
				terms.Pause = tt.pause
				if !tt.final {
					terms.End = time.Time{}
				}
				b := s.subscribe("B", terms, "b")
				terms.End = time.Time{}
				a := s.subscribe("A", terms, "a", "c")
				s.until(2 * time.Second)
				a.Close()
				b.Close()
				s.until(10 * time.Second)
				s.want(tt.want...)
			})
		})
	}
}

// TestListAnswerOlder makes sure that an answer that was sent before a newer one that is known is not delivered.
func TestListAnswerOlder(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			time.Sleep(3 * time.Second)
			return s.rows(r.IDs...), "", nil
		}
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(2 * time.Second)
		a.read() // both were polled after a second
		s.until(5 * time.Second)
		a.read()
		s.want("1s page 1", "2s A: a=1", "2s A: b=1", "2s poll a", "2s poll b")
		a.Close()
	})
}

// TestLastListAnswerOlder makes sure that a last answer counts although a newer one is known, unless the order matters.
func TestLastListAnswerOlder(t *testing.T) {
	for _, order := range []bool{false, true} {
		playList(t, func(s *script) {
			s.list = func(context.Context, ListRequest) ([]row, string, error) {
				time.Sleep(3 * time.Second)
				return []row{{"a", last}}, "", nil
			}
			terms := s.soon()
			terms.Order = order
			a := s.subscribe("A", terms, "a", "b", "c")
			s.until(3 * time.Second)
			a.read()
			s.lines = nil
			s.until(4 * time.Second)
			a.read()
			a.Close()
			if got := len(s.lines) == 1; got == order || order && len(s.lines) > 0 {
				t.Errorf("order %v: got %v, want the last answer where it does not matter", order, s.lines)
			}
			s.lines = nil
		})
	}
}

// TestListedMeanwhile makes sure that the error of a poll reaches the one it was made for, although the list has
// answered meanwhile.
func TestListedMeanwhile(t *testing.T) {
	playList(t, func(s *script) {
		s.poll = func(context.Context, string, int) (row, error) {
			time.Sleep(5 * time.Second)
			return row{}, errors.New("boom")
		}
		s.list = func(context.Context, ListRequest) ([]row, string, error) { return s.rows("a", "b", "c"), "", nil }
		a := s.subscribe("A", Terms{First: s.start}, "a")
		synctest.Wait()
		b := s.subscribe("B", s.soon(), "b", "c")
		s.until(time.Second)
		a.read()
		a.Plan(0, s.in(time.Minute), time.Time{})
		s.until(5 * time.Second)
		a.read()
		s.want("0s poll a", "1s A: a=11, listed", "1s page 1", "5s A: a: boom, sent 5s ago")
		a.Close()
		b.Close()
	})
}

func TestListPanics(t *testing.T) {
	playList(t, func(s *script) {
		s.list = func(context.Context, ListRequest) ([]row, string, error) { panic("list") }
		a := s.subscribe("A", s.soon(), "a", "b")
		b := s.subscribe("B", Terms{First: s.in(time.Hour)}, "c", "d")
		s.until(time.Second)
		if got := a.raised(s.ctx); got != "list" {
			t.Errorf("got the panic %q, want list", got)
		}
		a.Close()
		s.until(2 * time.Hour)
		b.read()
		s.want("1s page 1", "1s poll a", "1s poll b", "1h0m0s poll c", "1h0m0s poll d", // the list is not asked again
			"2h0m0s B: c=1, sent 1h0m0s ago", "2h0m0s B: d=1, sent 1h0m0s ago")
		b.Close()
	})
	playList(t, func(s *script) {
		s.list = func(context.Context, ListRequest) ([]row, string, error) { panic("list") }
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(time.Second)
		a.Close() // nobody has raised it
		s.want("1s late panic list of A", "1s page 1", "1s poll a", "1s poll b")
	})
	playList(t, func(s *script) {
		s.list = func(context.Context, ListRequest) ([]row, string, error) { time.Sleep(5 * time.Second); panic("list") }
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(1500 * time.Millisecond)
		a.Close()
		if got := s.abandoned.Load(); got != 1 {
			t.Errorf("got %d abandoned calls, want 1", got)
		}
		s.until(10 * time.Second)
		s.want("1s page 1", "6s late panic list of A")
	})
}

func TestListGoexit(t *testing.T) {
	playList(t, func(s *script) {
		n := 0
		s.list = func(_ context.Context, r ListRequest) ([]row, string, error) {
			if n++; n == 1 {
				runtime.Goexit()
			}
			return s.rows(r.IDs...), "", nil
		}
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(time.Second)
		s.want("1s page 1", "1s poll a", "1s poll b")
		for key := range 2 {
			a.Plan(key, s.in(time.Second), time.Time{})
		}
		s.until(2 * time.Second)
		s.want("2s page 1", "2s poll a", "2s poll b") // the pass has not gone on for a second: nothing is held for it
		a.Close()
	})
}

// TestListContextValues makes sure that a page has the values of the context whose poll was due first.
func TestListContextValues(t *testing.T) {
	type key struct{}
	playList(t, func(s *script) {
		s.list = func(ctx context.Context, r ListRequest) ([]row, string, error) {
			s.note("value %v", ctx.Value(key{}))
			return s.rows(r.IDs...), "", nil
		}
		subscribe := func(value string, first time.Duration, ids ...string) *Subscription[row] {
			ctx := context.WithValue(s.ctx, key{}, value)
			return s.Subscribe(ctx, ids, Terms{First: s.in(first), Pause: time.Second})
		}
		a := subscribe("A", 2*time.Second, "a", "c")
		b := subscribe("B", 3*time.Second, "a")
		c := subscribe("C", 4*time.Second, "d")
		s.until(2 * time.Second)
		s.want("2s page 1", "2s value A")
		for _, sub := range []*Subscription[row]{a, b, c} {
			sub.Close()
		}
		synctest.Wait()
	})
}

// TestRefusedPermitOfAPage makes sure that the limiter's error for a page is no id's error.
func TestRefusedPermitOfAPage(t *testing.T) {
	var s *script
	n := 0
	set := func(cfg *Config[row]) {
		listed(&s)(cfg)
		behind(quotaFunc(func(context.Context) error {
			if n++; n == 1 {
				return errors.New("closed")
			}
			return nil
		}))(cfg)
	}
	play(t, set, func(it *script) {
		s = it
		a := s.subscribe("A", s.soon(), "a", "b")
		s.until(time.Second)
		a.read()
		s.want("1s A: a=1", "1s A: b=1", "1s poll a", "1s poll b")
		for key := range 2 {
			a.Plan(key, s.in(time.Second), time.Time{})
		}
		s.until(2 * time.Second)
		s.want("2s page 1")
		a.Close()
	})
}
