package taskwait_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// TestHungNeighbours: polls that never return cost the tasks beside them nothing. There is at most one call for each
// id, abandoned ones too, and at most 16 are in flight that are younger than a second.
func TestHungNeighbours(t *testing.T) {
	for _, way := range ways {
		for _, honours := range []bool{false, true} {
			for _, list := range []bool{false, true} {
				name := fmt.Sprintf("%s/hung calls honour their context: %v/list: %v", way.name, honours, list)
				virtually(t, name, func(t *testing.T) { hungNeighbours(t, way, honours, list) })
			}
		}
	}
}

func hungNeighbours(t *testing.T, way way, honours, list bool) {
	const interval = 10 * time.Second
	s := newService(t)
	s.fault = func(ctx context.Context, r request) error {
		if strings.HasPrefix(r.id, "hung") {
			return s.hang(ctx, honours)
		}
		return nil
	}
	s.show = func(rows []taskwait.Task) (shown []taskwait.Task) { // what hangs is not on the list
		for _, row := range rows {
			if !strings.HasPrefix(row.ID, "hung") {
				shown = append(shown, row)
			}
		}
		return shown
	}
	ends := func(i int) time.Duration { return time.Duration(i+1)*15*time.Second - time.Second }
	good := s.add("alone", 20, ends)
	alone := way.wait(t.Context(), newWaiter(t, s.source(list), every(interval)), good)
	succeeded(t, alone, good, 0)

	s.order = nil
	hung := s.add("hung", 80, always(time.Hour))
	good = s.add("good", 20, ends)
	s.most, s.mostOfOne = 0, 0
	got := way.wait(within(t, time.Hour), newWaiter(t, s.source(list), every(interval)), append(hung, good...))
	succeeded(t, got, good, 0)
	for i, id := range good {
		want := alone[fmt.Sprintf("alone-%d", i)].after + interval
		if late := got[id].after; late > want {
			t.Errorf("%s: ended after %v, want at most %v: when it ends alone, and an interval", id, late, want)
		}
	}
	if s.mostOfOne > 1 {
		t.Errorf("got %d calls in flight for one id, want 1 at most", s.mostOfOne)
	}
	if s.most > 16 {
		t.Errorf("got %d calls in flight younger than a second, want 16 at most", s.most)
	}
}
