package kafkatasks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/limiter"
)

const (
	// confirmWithin is how soon an answer that there is no such instance must come again to be believed: a replica that
	// lags, or a gateway that restarts, says so once.
	confirmWithin = 10 * time.Second

	// mostAbsent bounds the tasks of which such an answer is remembered. Further ones are "not found".
	mostAbsent = 4096

	// lastingRefusal is how long a 403 lasts before the instance is asked: well before a wait that had a good answer
	// gives up, which is after a minute.
	lastingRefusal = 20 * time.Second
)

// absence is what a Source remembers of answers by which its instance may be gone. The zero absence is ready for use.
// It is safe for concurrent use.
type absence struct {
	mu      sync.Mutex
	absent  map[string]time.Time // when the query for this task was answered with noSuchInstance
	good    bool                 // a query had a good answer
	refused time.Time            // the first 403 since then; zero: none
	asked   bool                 // the instance was asked since then, or is being asked
	known   bool                 // and has answered
	answer  error                // nil: it exists
}

// seen takes a good answer, with these tasks.
func (d *absence) seen(tasks ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, task := range tasks {
		delete(d.absent, task)
	}
	d.good, d.refused, d.asked, d.known, d.answer = true, time.Time{}, false, false, nil
}

// isGone takes an answer that there is no such instance, to a query that was sent then, and reports whether it confirms
// the one before. Queries that were under way at the same time, as those of several Waiters may be, confirm nothing:
// one lapse of the service answers all of them.
func (d *absence) isGone(task string, sent, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, again := d.absent[task]
	if again && now.Sub(before) <= confirmWithin {
		return !sent.Before(before)
	}
	if d.absent == nil {
		d.absent = map[string]time.Time{}
	}
	if len(d.absent) >= mostAbsent {
		maps.DeleteFunc(d.absent, func(_ string, at time.Time) bool { return now.Sub(at) > confirmWithin })
	}
	if again || len(d.absent) < mostAbsent {
		d.absent[task] = now
	}
	return false
}

// lasts takes a 403, and reports whether the instance is to be asked: once for all that follow a good answer.
func (d *absence) lasts(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.good && d.refused.IsZero() {
		d.refused = now
	}
	if d.refused.IsZero() || now.Sub(d.refused) < lastingRefusal || d.asked {
		return false
	}
	d.asked = true
	return true
}

// answered takes the instance's own answer. One that says nothing of it makes it be asked again.
func (d *absence) answered(answer error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = answer == nil || isNoSuchInstance(answer) || isForbidden(answer)
	d.asked, d.answer = d.known, answer
}

// instance is the instance's own answer, if it has given one.
func (d *absence) instance() (known bool, answer error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known, d.answer
}

// judge says what an error means, of the query for a task, or "", for a list, that was sent then, in the light of those
// before. That there is no such instance is "not found" at first, and permanent once it is confirmed for the task. Of a
// 403 that lasts it says whether the instance is gone, or the query is not allowed.
func (s *Source) judge(ctx context.Context, task string, sent time.Time, err error) error {
	var q *taskwait.QueryError
	switch {
	case !errors.As(err, &q):
	case task != "" && isNoSuchInstance(err) && s.absence.isGone(task, sent, time.Now()):
		q.Class = taskwait.ClassPermanent
	case isForbidden(err):
		return s.judgeForbidden(ctx, q)
	}
	return err
}

func (s *Source) judgeForbidden(ctx context.Context, q *taskwait.QueryError) error {
	if s.absence.lasts(time.Now()) {
		err := limiter.Acquire(ctx)
		if err == nil {
			_, err = showInstance(ctx, s.caller, s.instanceID)
		}
		s.absence.answered(err)
	}
	switch known, answer := s.absence.instance(); {
	case !known:
	case answer == nil:
		q.Err = fmt.Errorf("instance %q exists, but the query is refused: %w", s.instanceID, q.Err)
	case isNoSuchInstance(answer):
		var gone *taskwait.QueryError
		_ = errors.As(answer, &gone)
		*q = *gone // the same answer is given to several queries
		_ = s.explain(q)
		q.Class = taskwait.ClassPermanent
	default:
		q.Err = fmt.Errorf("instance %q cannot be seen either: %w", s.instanceID, q.Err)
	}
	return q
}

func isForbidden(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassPermanent && q.StatusCode == http.StatusForbidden
}
