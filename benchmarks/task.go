// Package benchmarks plays the same tasks to taskwait and to its peers, each as it comes, in virtual time, and prints
// how often they ask and how late they are:
//
//	go test -v -run TestTables .
//
// It is a module of its own because of what the peers bring along.
package benchmarks

import (
	"context"
	"errors"
	"time"
)

// queryTime is how long the service takes for one answer.
const queryTime = 50 * time.Millisecond

// task is one task of the service, and what asking for it has cost.
type task struct {
	kind    string
	created time.Time
	ends    time.Time
	queries int
}

// ask is one query: it tells whether the task had ended when the query was sent.
func (t *task) ask(ctx context.Context) (bool, error) {
	t.queries++
	ended := !time.Now().Before(t.ends)
	timer := time.NewTimer(queryTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ended, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

var errNotYet = errors.New("not yet")
