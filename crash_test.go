package taskwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// dyingService carries out operations for processes that die. Each call that a process makes, and each place in
// between, is a point; at the one that is chosen the process dies: what it has not stored by then is lost.
type dyingService struct {
	noID   bool          // Start gives none
	lag    time.Duration // until a task is listed
	takes  time.Duration // a call, and its answer
	runs   time.Duration // a task
	status taskwait.Status
	busy   int // how many Starts are refused first

	begun  []time.Time // of the operations that were carried out
	keys   []string    // of all Starts
	stored []byte      // the last Wait that was saved
	points int         // passed by the process that runs
	dieAt  int         // 0: never
	die    context.CancelFunc
	dead   bool
}

// point is where a process may die. It reports whether it still lives.
func (s *dyingService) point() bool {
	if s.points++; s.points == s.dieAt {
		s.dead = true
		s.die()
	}
	return !s.dead
}

var errDead = errors.New("the process is dead")

func (s *dyingService) operation() taskwait.Operation {
	op := taskwait.Operation{
		Name: "resize",
		Before: func(context.Context) (taskwait.Attempt, error) {
			if !s.point() {
				return taskwait.Attempt{}, errDead
			}
			a := taskwait.Attempt{At: time.Now()}
			for _, t := range s.listed() {
				a.Seen = append(a.Seen, t.ID)
			}
			return a, nil
		},
		Start: s.start,
		Find: func(_ context.Context, a taskwait.Attempt) ([]taskwait.Task, error) {
			if !s.point() {
				return nil, errDead
			}
			return slices.DeleteFunc(s.listed(), func(t taskwait.Task) bool { return slices.Contains(a.Seen, t.ID) }), nil
		},
		Save: func(w *taskwait.Wait) error {
			if !s.point() {
				return errDead
			}
			b, err := json.Marshal(w)
			if err != nil {
				return err
			}
			s.stored = b
			if !s.point() {
				return errDead
			}
			return nil
		},
	}
	return op
}

func (s *dyingService) start(_ context.Context, a taskwait.Attempt) (string, error) {
	if s.keys = append(s.keys, a.Key); !s.point() {
		return "", errDead
	}
	time.Sleep(s.takes)
	if s.busy > 0 {
		s.busy--
		return "", &taskwait.QueryError{Class: taskwait.ClassConflict, Err: errors.New("busy")}
	}
	s.begun = append(s.begun, time.Now())
	id := fmt.Sprintf("task-%d", len(s.begun))
	if s.noID {
		id = ""
	}
	if !s.point() {
		return "", errDead
	}
	time.Sleep(s.takes)
	return id, nil
}

// listed are the tasks that the service lists by now: one that was always there, and those of the operations.
func (s *dyingService) listed() []taskwait.Task {
	all := []taskwait.Task{{ID: "old", Status: taskwait.StatusExecuting}}
	for i, begun := range s.begun {
		if time.Since(begun) >= s.lag {
			all = append(all, s.task(i, begun))
		}
	}
	return all
}

func (s *dyingService) task(i int, begun time.Time) taskwait.Task {
	t := taskwait.Task{ID: fmt.Sprintf("task-%d", i+1), Kind: "resize", Status: taskwait.StatusExecuting, CreatedAt: begun}
	if time.Since(begun) >= s.runs {
		t.Status = s.status
	}
	return t
}

// Task implements taskwait.Source.
func (s *dyingService) Task(_ context.Context, id string) (taskwait.Task, error) {
	if !s.point() {
		return taskwait.Task{}, errDead
	}
	for i, begun := range s.begun {
		if t := s.task(i, begun); t.ID == id {
			return t, nil
		}
	}
	return taskwait.Task{}, taskwait.NotFound(nil)
}

// process runs Do once, from what was stored, and dies at a point; 0: it does not. It returns errDead if it died.
func (s *dyingService) process(t *testing.T, dieAt int, find bool) (taskwait.Task, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.points, s.dieAt, s.die, s.dead = 0, dieAt, cancel, false
	w, err := taskwait.New(s, taskwait.WithTimeout(time.Hour), taskwait.WithInterval(3*time.Second, 3*time.Second),
		taskwait.WithProgress(func(p taskwait.Progress) {
			if b, err := json.Marshal(p.Wait); err != nil {
				t.Errorf("a Wait that cannot be stored: %v", err)
			} else if !s.dead {
				s.stored = b
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	op := s.operation()
	if !find {
		op.Find = nil
	}
	if s.stored != nil {
		op.Wait = &taskwait.Wait{}
		if err := json.Unmarshal(s.stored, op.Wait); err != nil {
			t.Fatal(err)
		}
	}
	task, err := w.Do(ctx, op)
	synctest.Wait()
	if s.dead {
		return task, errDead
	}
	return task, err
}

// TestDoAcrossACrash kills the process at each point of Do, and the next one at each of its own: the third ends with
// the service's verdict, and the service has carried out one operation.
func TestDoAcrossACrash(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		dyingService
	}{
		{"with an id", dyingService{status: taskwait.StatusSuccess}},
		{"without an id", dyingService{noID: true, status: taskwait.StatusSuccess}},
		{"listed late", dyingService{noID: true, lag: 7 * time.Second, status: taskwait.StatusFailed}},
		{"with an id, listed late", dyingService{lag: 9 * time.Second, status: taskwait.StatusFailed}},
		{"busy at first", dyingService{busy: 2, status: taskwait.StatusCancelled}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.takes, tt.runs = 100*time.Millisecond, 20*time.Second
			first := 1
			for died := true; died; first++ {
				for second, diedToo := 0, true; diedToo; second++ {
					synctest.Test(t, func(t *testing.T) {
						s := tt.dyingService
						_, err := s.process(t, first, true)
						died = err == errDead
						if died && second > 0 {
							_, err = s.process(t, second, true)
							diedToo = err == errDead
						}
						task, err := s.process(t, 0, true)
						if task.Status != s.status || (err == nil) != s.status.Succeeded() || len(s.begun) != 1 {
							t.Errorf("dead at %d, then at %d: %v, %v, with %d operations; want %s, and one", first, second, task, err,
								len(s.begun), s.status)
						}
						if k := slices.Compact(s.keys); len(k) != 1 || k[0] == "" {
							t.Errorf("dead at %d, then at %d: Starts with the keys %q, want one key", first, second, s.keys)
						}
					})
					diedToo = diedToo && died
				}
			}
			if t.Logf("%d points", first); first < 10 {
				t.Errorf("only %d points", first)
			}
		})
	}
}

// TestDoAcrossACrashKeepsWhenItWasSent kills a process while its answer is on the way, and the next one while it waits
// for the task that it has found: what that leaves says since when the list may lag, and the third makes sure of it.
func TestDoAcrossACrashKeepsWhenItWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &dyingService{
			status: taskwait.StatusSuccess, lag: 3 * time.Second, takes: 100 * time.Millisecond, runs: 20 * time.Second,
		}
		const answer, wait = 5, 6 // Before, Save twice, Start twice; Find twice, Save twice, Task twice
		for _, at := range []int{answer, wait} {
			if _, err := s.process(t, at, true); err != errDead {
				t.Fatalf("the process has lived: %v", err)
			}
		}
		if got := string(s.stored); !strings.Contains(got, `"accepted":`) || !strings.Contains(got, `"found":true`) {
			t.Errorf("stored %s, want the task that was found, and when it was sent", got)
		}
	})
}

// TestDoAcrossACrashGuessesNothing checks that nothing is sent again where it is not known what was.
func TestDoAcrossACrashGuessesNothing(t *testing.T) {
	t.Parallel()
	const whileItIsSent = 5 // Before, Save twice, Start twice
	for _, tt := range []struct {
		name    string
		find    bool
		foreign bool // another's operation has begun at the same time
	}{
		{"nothing can be found", false, false},
		{"two may be it", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &dyingService{status: taskwait.StatusSuccess, takes: 100 * time.Millisecond, runs: 20 * time.Second}
				if _, err := s.process(t, whileItIsSent, tt.find); err != errDead {
					t.Fatalf("the process has lived: %v", err)
				}
				want := 1
				if tt.foreign {
					want = 2
					s.begun = append(s.begun, time.Now())
				}
				_, err := s.process(t, 0, tt.find)
				var e *taskwait.WaitError
				if !errors.As(err, &e) || !errors.Is(err, taskwait.ErrOutcomeUnknown) || !e.StillRunning() {
					t.Fatalf("error = %v, want ErrOutcomeUnknown", err)
				}
				if len(s.begun) != want || tt.find && len(e.Candidates) != 2 {
					t.Errorf("%d operations, and the candidates %v", len(s.begun), e.Candidates)
				}
			})
		})
	}
}
