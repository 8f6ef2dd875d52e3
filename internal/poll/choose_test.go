package poll

import (
	"math"
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	// One that is due and worth 2 queries, and a list that costs 10 and would be worth 10.
	one := situation{due: true, dueAt: 5 * time.Second, worth: 2}
	list := situation{list: true, total: 10, price: 10}
	both := situation{due: true, dueAt: 5 * time.Second, worth: 1, list: true, total: 10, price: 10}
	with := func(s situation, f func(*situation)) situation { f(&s); return s }
	tests := []struct {
		name string
		s    situation
		want action
	}{
		{"nothing is there", situation{}, nothing},
		{"one is due, and there is no list", one, pollOne},
		{"one is due that is worth nothing yet", with(one, func(s *situation) { s.worth = 0 }), pollOne},
		{"the pass will show the one that is due", with(one, func(s *situation) { s.held = true }), nothing},
		{"the list is worth its price", list, pollList},
		{"not quite", with(list, func(s *situation) { s.total = 9.9 }), nothing},
		{"a pass goes on below its price", with(list, func(s *situation) { s.total, s.inPass = 0.1, true }), pollList},
		{"a pass that is worth nothing", with(list, func(s *situation) { s.total, s.inPass = 0, true }), nothing},
		{"worth nothing, at no price", with(list, func(s *situation) { s.total, s.price = 0, 0 }), nothing},
		{"it is worth its price and may not be asked", with(list, func(s *situation) { s.list = false }), nothing},
		{"both, worth the same for each request", both, pollList},
		{"the one is worth more for each request", with(both, func(s *situation) { s.worth = 1.01 }), pollOne},
		{"the list is below its price", with(both, func(s *situation) { s.total, s.worth = 9.9, 0.1 }), pollOne},
		{"both, in a pass", with(both, func(s *situation) { s.inPass = true }), pollList},
		{"the one is worth more than the pass in progress", with(both, func(s *situation) { s.inPass, s.worth = true, 1.01 }), pollOne},
		{"the one is worth more, and held", with(both, func(s *situation) { s.worth, s.held = 5, true }), pollList},
		{"held, and the list may not be asked", with(both, func(s *situation) { s.held, s.list = true, false }), nothing},
		{"after a failed page, due before the list", with(both, func(s *situation) { s.failed, s.failedTill = true, 5*time.Second+1 }), pollOne},
		{"after a failed page, due with the list", with(both, func(s *situation) { s.failed, s.failedTill = true, 5*time.Second }), pollList},
		{"after a failed page, due after the list", with(both, func(s *situation) { s.failed, s.failedTill = true, 4*time.Second }), pollList},
		{"the block of before does not count", with(both, func(s *situation) { s.failedTill = 9 * time.Second }), pollList},
		{"after a failed page, held", with(both, func(s *situation) { s.failed, s.failedTill, s.held = true, 9*time.Second, true }), pollList},
		{"after a failed page, nothing due", with(list, func(s *situation) { s.failed, s.failedTill = true, 9*time.Second }), pollList},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.s
			if got := choose(&s); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if s != tt.s {
				t.Errorf("got the situation changed from %+v to %+v", tt.s, s)
			}
		})
	}
}

func TestPassPrice(t *testing.T) {
	tests := []struct {
		name            string
		remaining, cost float64
		ids             int
		want            float64
	}{
		{"nobody", 1, 1, 0, 1},
		{"one id", 1, 1, 1, 1},
		{"one page for four", 1, 1, 4, 0.5},
		{"one page for a hundred", 1, 1, 100, 0.1},
		{"a page for each", 100, 100, 100, 100},
		{"the last page", 1, 100, 100, 1},
		{"more pages than ids", 20, 20, 5, 20},
		{"four pages for a hundred", 4, 4, 100, 0.8},
		{"the last of four", 1, 4, 100, 0.2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := passPrice(tt.remaining, tt.cost, tt.ids); math.Abs(got-tt.want) > 1e-12 {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPagePrice(t *testing.T) {
	tests := []struct {
		name string
		w    listPass[row]
		ids  int
		want float64
	}{
		{"before the first pass, one page", listPass[row]{}, 100, passPrice(1, 1, 100)},
		{"before the first pass, two pages", listPass[row]{}, 101, passPrice(2, 2, 101)},
		{"before the first pass, three pages", listPass[row]{}, 201, passPrice(3, 3, 201)},
		{"what the last pass has cost", listPass[row]{cost: 7}, 100, passPrice(7, 7, 100)},
		{"in a pass", listPass[row]{cost: 7, active: true, pages: 2}, 100, passPrice(5, 7, 100)},
		{"at its expected end", listPass[row]{cost: 7, active: true, pages: 6}, 100, passPrice(1, 7, 100)},
		{"past it", listPass[row]{cost: 7, active: true, pages: 9}, 100, passPrice(1, 7, 100)},
		{"pages of the pass before", listPass[row]{cost: 7, pages: 7}, 100, passPrice(7, 7, 100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.w.price(tt.ids); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
