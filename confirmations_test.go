package taskwait_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// TestConfirmations: a SUCCESS counts once for each pause of the wait's own, however often it is seen. Here a success
// shows for a short time, and again from a minute on.
func TestConfirmations(t *testing.T) {
	const pause, flaps, stays = 10 * time.Second, 5 * time.Second, time.Minute
	twice := func(rows []taskwait.Task) []taskwait.Task { return append(rows, rows...) }
	tests := []struct {
		name   string
		list   bool
		show   func(rows []taskwait.Task) []taskwait.Task
		lasts  time.Duration // the first success, from flaps on
		wanted int
	}{
		{"a page shows each row twice", true, twice, 500 * time.Millisecond, 2},
		{"a page shows each row twice, for longer", true, twice, 8 * time.Second, 2},
		{"passes follow each other quickly", true, nil, 8 * time.Second, 2},
		{"passes follow each other quickly, three wanted", true, nil, 18 * time.Second, 3},
		{"no list", false, nil, 8 * time.Second, 2},
	}
	for _, tt := range tests {
		for _, way := range ways {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				s, begun := newService(t), time.Now()
				s.show = tt.show
				s.state = func(_ string, at time.Time) taskwait.Status {
					age := at.Sub(begun)
					if age >= stays || age >= flaps && age < flaps+tt.lasts {
						return taskwait.StatusSuccess
					}
					return taskwait.StatusExecuting
				}
				ids := s.add("task", 50, always(0))
				w := newWaiter(t, s.source(tt.list), every(pause), confirmations(tt.wanted))
				got := way.wait(within(t, time.Hour), w, ids)
				pauses := time.Duration(tt.wanted-1) * pause
				succeeded(t, got, ids, stays+pauses+2*pause)
				early := 0
				for _, id := range ids {
					if want := stays + pauses; got[id].after < want {
						early++
					}
				}
				if early > 0 {
					t.Errorf("got %d of %d before %v, want none: %d confirmations are %v apart",
						early, len(ids), stays+pauses, tt.wanted, pause)
				}
			})
		}
	}
}

// TestConfirmationsBesideOthers: what other waits see of the same task does not confirm it sooner.
func TestConfirmationsBesideOthers(t *testing.T) {
	const pause, flaps, lasts, stays = 10 * time.Second, 5 * time.Second, 8 * time.Second, time.Minute
	for _, list := range []bool{false, true} {
		virtually(t, fmt.Sprintf("list: %v", list), func(t *testing.T) {
			s, begun := newService(t), time.Now()
			s.state = func(_ string, at time.Time) taskwait.Status {
				if age := at.Sub(begun); age >= stays || age >= flaps && age < flaps+lasts {
					return taskwait.StatusSuccess
				}
				return taskwait.StatusExecuting
			}
			id := s.add("task", 1, always(0))[0]
			w, ctx := newWaiter(t, s.source(list)), within(t, time.Hour)
			neighbours := make(chan error, 20)
			for range cap(neighbours) {
				go func() {
					_, err := w.WaitForTask(ctx, id, every(time.Second), confirmations(30))
					neighbours <- err
				}()
			}
			_, err := w.WaitForTask(ctx, id, every(pause), confirmations(2))
			if took := time.Since(begun); err != nil || took < stays+pause || took > stays+3*pause {
				t.Errorf("got %v after %v, want success between %v and %v", err, took, stays+pause, stays+3*pause)
			}
			for range cap(neighbours) {
				if err := <-neighbours; err != nil {
					t.Errorf("a neighbour got %v, want success", err)
				}
			}
		})
	}
}
