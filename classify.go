package taskwait

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/taskwait/taskwait/internal/limiter"
	"github.com/taskwait/taskwait/internal/poll"
	"github.com/taskwait/taskwait/internal/text"
)

// maxRetryAfter is the most that a service's RetryAfter is honoured. A day has been seen for real, from a gateway that
// was misconfigured, and a wait that sleeps for a day is a wait that hangs. Only the timeout and the context's deadline
// cut it short.
const maxRetryAfter = 5 * time.Minute

// answer is what one poll brought.
type answer = poll.Answer[Task]

// observation is an answer, classified: either a task with our id was seen, or class says what came instead.
type observation struct {
	seen       bool
	terminal   bool // it was seen, and this is how it ended
	class      Class
	mayPass    bool // it is permanent, but may pass where there was a good answer before
	retryAfter time.Duration
	trouble    error // what was wrong with the answer, for people; nil: nothing
}

func (o *observation) is(c Class) bool { return !o.seen && o.class == c }

// classify says what an answer is, for the task with this id.
func classify(id string, a *answer) observation {
	err := a.Err
	if err == nil {
		err = unusable(id, &a.Value)
	}
	switch s := a.Value.Status; {
	case err != nil:
		return classifyError(err)
	case !s.known():
		return observation{seen: true, retryAfter: a.Value.RetryAfter, trouble: unknownStatus(s)}
	}
	return observation{seen: true, retryAfter: a.Value.RetryAfter}
}

func unknownStatus(s Status) error { return errors.New("unknown status " + text.Quote(string(s))) }

// unusable says what is wrong with a task that was given as the one with this id; nil: nothing.
func unusable(id string, t *Task) error {
	switch {
	case t.ID != "" && t.ID != id:
		return &QueryError{
			Class: ClassNotFound, Err: errors.New("the service answered for another task, " + text.Quote(t.ID)),
		}
	case t.Status == "":
		return errors.New("an answer without a status")
	}
	return nil
}

func classifyError(err error) observation {
	o := observation{trouble: err}
	if q, ok := asQueryError(err); ok {
		o.class, o.retryAfter = q.Class.forWait(), q.RetryAfter
		o.mayPass = o.class == ClassPermanent && mayPass(q)
	}
	refusal, refused := err.(*limiter.Refusal) //nolint:errorlint // ours, never wrapped
	if refused && refusal.ForGood || errors.Is(err, ErrInvalidID) {
		o.class, o.mayPass = ClassPermanent, false // however the Source wraps it
	}
	return o
}

// mayPass reports whether a refusal for good may pass where there was a good answer before: the word of the service, or
// of a proxy, on the credentials, which are replicated and rotated, and what could not be sent or trusted on its way.
func mayPass(q *QueryError) bool {
	switch q.StatusCode {
	case 0:
		var way *url.Error
		return errors.As(q.Err, &way) && way.Op != "parse"
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return true
	}
	return false
}
