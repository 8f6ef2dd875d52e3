package taskwait

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowThenListed is a Source whose poll of one task takes a second, while its list answers at once.
type slowThenListed struct{ restarted func() bool }

func (s *slowThenListed) row(id string) Task {
	if s.restarted() {
		return Task{ID: id, Status: StatusExecuting, Phase: "RESTARTING"}
	}
	return Task{ID: id, Status: StatusSuccess, Phase: "RUNNING"}
}

func (s *slowThenListed) Task(_ context.Context, id string) (Task, error) {
	t := s.row(id) // as it is when the query arrives
	time.Sleep(time.Second)
	return t, nil
}

func (s *slowThenListed) List(context.Context, ListRequest) (tasks []Task, next string, err error) {
	for i := range 20 {
		tasks = append(tasks, s.row(fmt.Sprint(i)))
	}
	return tasks, "", nil
}

// TestOlderAnswer: what a service said before a newer answer ends no wait that counts phases or confirmations: the
// instance was RUNNING before its restart.
func TestOlderAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		in := func(from, to time.Duration) bool { d := time.Since(begin); return d >= from && d < to }
		src := &slowThenListed{restarted: func() bool { return in(10*time.Millisecond, time.Minute) }}
		w := newWaiter(t, src, every(50*time.Millisecond), WithStalePhase("RUNNING"))
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if _, err := w.WaitForTask(t.Context(), fmt.Sprint(i)); err != nil || time.Since(begin) < time.Minute {
					t.Errorf("got %v after %v, want success when the restart is over, after a minute", err, time.Since(begin))
				}
			})
		}
		all.Wait()
	})
}

// TestInvalidAndCancelled: each id has its result, also where the first one ends all.
func TestInvalidAndCancelled(t *testing.T) {
	w := newWaiter(t, SourceFunc(func(ctx context.Context, _ string) (Task, error) {
		<-ctx.Done()
		return Task{}, ctx.Err()
	}))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	got := map[string]error{}
	for task, err := range w.WaitForTasks(ctx, []string{"a/b", "c/d", "id"}) {
		got[task.ID] = err
		cancel(err)
	}
	for id, want := range map[string]error{"a/b": ErrInvalidID, "c/d": ErrInvalidID, "id": context.Canceled} {
		if err := got[id]; !errors.Is(err, want) || asWaitError(t, err).ID != id {
			t.Errorf("got %v for %q, want %v", err, id, want)
		}
	}
}

// TestNothingAfterTheEnd: when the context of many waits ends, nothing more is polled.
func TestNothingAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		polls := 0
		w := newWaiter(t, SourceFunc(func(ctx context.Context, _ string) (Task, error) {
			mu.Lock()
			polls++
			mu.Unlock()
			<-ctx.Done()
			return Task{}, ctx.Err()
		}))
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint(i))
		}
		ctx := cancelAfter(t, 500*time.Millisecond, nil)
		for task, err := range w.WaitForTasks(ctx, ids) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want context.Canceled", task.ID, err)
			}
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if polls != 16 {
			t.Errorf("got %d polls, want the 16 that were in flight when the context ended", polls)
		}
	})
}

// TestReadBeforeTheEnd: an answer that has come before the context ended counts, however late it is read.
func TestReadBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiter(t, always(StatusSuccess))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for task, err := range w.WaitForTasks(ctx, []string{"1", "2", "3", "4", "5"}) {
			if err != nil {
				t.Errorf("%s: got %v, want success", task.ID, err)
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestPanicOfQuotaIsOnce: a quota that panics each time is not asked again and again until its panic is raised.
func TestPanicOfQuotaIsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		l := NewLimiter(waitFunc(func(context.Context) error {
			if asked++; asked > 100 {
				<-t.Context().Done() // or the test would never end
			}
			panic("boom")
		}))
		w := newWaiter(t, always(StatusExecuting), WithLimiter(l))
		func() {
			defer func() { _ = recover() }()
			for task, err := range w.WaitForTasks(t.Context(), []string{"a/b", "1", "2"}) {
				if !errors.Is(err, ErrInvalidID) {
					t.Errorf("%s: got %v, want the invalid id before the panic", task.ID, err)
				}
				time.Sleep(time.Minute)
			}
		}()
		if asked > 20 {
			t.Errorf("got the quota asked %d times in a minute, want it to be left alone for the pauses of two waits", asked)
		}
	})
}

// TestBlankRow: a row without a status is no answer: its task is polled alone.
func TestBlankRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiter(t, blankList{always(StatusSuccess)})
		for task, err := range w.WaitForTasks(t.Context(), []string{"1", "2", "3"}) {
			if err != nil {
				t.Errorf("%s: got %v, want success", task.ID, err)
			}
		}
	})
}

type blankList struct{ SourceFunc }

func (blankList) List(_ context.Context, b ListRequest) (tasks []Task, next string, err error) {
	for _, id := range b.IDs {
		tasks = append(tasks, Task{ID: id})
	}
	return tasks, "", nil
}
