// Package changes makes a [taskwait.Operation] of a request that changes something, for any list of tasks: the task of
// one whose answer has no id is found as the one that was not listed before.
package changes

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/limiter"
)

// shortestPause is the pause after a throttled page whose answer does not say how long: quotas count by the second.
const shortestPause = time.Second

// Page requests the page of a list that begins at a place, empty: the first. next is the place of the page after it,
// empty: there is none; asOf is the service's time, zero: unknown.
type Page[T any] func(ctx context.Context, at string) (rows []T, next string, asOf time.Time, err error)

// Reading is a list that is being read. It keeps what was read, so that an error in the middle does not begin it anew.
type Reading[T any] struct {
	Rows []T       // each once, as it was seen last
	AsOf time.Time // by the service's clock; zero: unknown

	page     Page[T]
	id       func(*T) string
	at       string
	requests int
	index    map[string]int
}

// Read returns a list of which nothing was read yet.
func Read[T any](page Page[T], id func(*T) string) *Reading[T] {
	return &Reading[T]{page: page, id: id, index: map[string]int{}}
}

// Finish reads the list to its end. After an error it may be called again, and goes on where the error came. Each
// request but the first takes a permit of the limiter that ctx has; throttled after the first, it waits and goes on.
func (r *Reading[T]) Finish(ctx context.Context) error {
	for {
		if r.requests > 0 {
			if err := limiter.Acquire(ctx); err != nil {
				return err
			}
		}
		rows, next, asOf, err := r.page(ctx, r.at)
		switch {
		case err != nil && r.requests > 0 && pause(ctx, err):
			continue
		case err != nil:
			return cmp.Or(ctx.Err(), err)
		}
		r.add(rows)
		r.requests++
		if r.at, r.AsOf = next, asOf; next == "" {
			return nil
		}
	}
}

func (r *Reading[T]) add(rows []T) {
	for i := range rows {
		id := r.id(&rows[i])
		if id == "" {
			continue
		}
		at, known := r.index[id]
		if !known {
			r.index[id] = len(r.Rows)
			r.Rows = append(r.Rows, rows[i])
			continue
		}
		r.Rows[at] = rows[i]
	}
}

// pause waits a throttle out, if err is one, and reports whether to go on. It does not wait where ctx would end before.
func pause(ctx context.Context, err error) bool {
	var q *taskwait.QueryError
	if !errors.As(err, &q) || q.Class != taskwait.ClassThrottled {
		return false
	}
	d := max(q.RetryAfter, shortestPause)
	d += rand.N(d/10 + 1) // others were told the same
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// keptFor is how long a reading that was interrupted is worth keeping: longer than the minute that the gateway
// throttles for, and too short for other operations to come and go.
const keptFor = 2 * time.Minute

// readings keeps a list that could not be read to its end in one call, so that the next call goes on there and does not
// begin it anew.
type readings struct {
	mu   sync.Mutex
	kept *taskList
	at   time.Time
}

// taskList is a list of tasks that began since a time.
type taskList struct {
	*Reading[taskwait.Task]
	since time.Time
}

// take returns what is kept, once; nil: nothing.
func (p *readings) take() *taskList {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.kept
	p.kept = nil
	if time.Since(p.at) >= keptFor {
		return nil
	}
	return kept
}

func (p *readings) keep(r *taskList) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept, p.at = r, time.Now()
}
