package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
)

const (
	// maxLimit bounds the requests of a limit: the file holds each of them.
	maxLimit = 1000
	// maxLimitPer bounds the time of a limit, and with that how long a file can keep a request back.
	maxLimitPer = time.Hour
	// limitMargin is the part by which that time is lengthened: the service has another clock.
	limitMargin = 100
	// unanswered is for how long a request without an answer may still reach the service. A process that is killed
	// between its permit and the answer costs the others no more.
	unanswered = 2 * time.Second
	// maxHold bounds how long all hold off after a throttle, as the library does for one wait.
	maxHold = 5 * time.Minute
	// untoldHold is how long all hold off after a throttle that does not say how long, as in the library.
	untoldHold = time.Second
	// queueSpread is by how much later than the first the last of those wakes that wait for one permit.
	queueSpread = 20 * time.Millisecond
)

// limitFlags are those of a quota.
type limitFlags struct{ limit, limitFile string }

func (l *limitFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&l.limit, "limit", "",
		"at most this many requests in this time: 8/s, 100/m, 100/5m (default no limit)")
	c.Flags().StringVar(&l.limitFile, "limit-file", "",
		"with --limit: share the limit with all commands that name this file")
	complete(c, "limit", func() []string { return nil })
}

// open gives the quota; nil: none is wanted. Whatever is wrong is found here, before anything is sent.
func (l *limitFlags) open() (*quota, error) {
	if l.limit == "" {
		if l.limitFile != "" {
			return nil, errors.New("--limit-file needs --limit")
		}
		return nil, nil //nolint:nilnil // a nil quota limits nothing
	}
	q, err := parseLimit(l.limit)
	if err != nil || l.limitFile == "" {
		return q, err
	}
	if q.path, err = regularFile(l.limitFile); err == nil {
		err = q.update(func(*requests, int64) {})
	}
	if err != nil {
		return nil, fmt.Errorf("--limit-file: %w", err)
	}
	return q, nil
}

// parseLimit reads such as 8/s.
func parseLimit(s string) (*quota, error) {
	count, per, _ := strings.Cut(s, "/")
	if per != "" && strings.Trim(per[:1], "0123456789.") != "" {
		per = "1" + per
	}
	n, badCount := strconv.Atoi(count)
	d, badTime := time.ParseDuration(per)
	if badCount != nil || badTime != nil || n < 1 || n > maxLimit || d < time.Millisecond || d > maxLimitPer {
		return nil, fmt.Errorf("--limit %q, want such as 8/s or 100/5m: 1 to %d requests within 1ms to 1h", clip(s),
			maxLimit)
	}
	return &quota{n: n, per: d + d/limitMargin}, nil
}

// quota lets n requests reach the service within any per: those of this process, or of all that name its file. A
// request counts from its permit until per after its answer, so that no two come closer to one another on their way. It
// is safe for concurrent use.
type quota struct {
	n    int
	per  time.Duration
	path string // empty: the quota is this process's own

	mu     sync.Mutex
	known  requests     // as the file was last seen; without a file: all there is
	sent   []int64      // when the permits were given whose requests are still to be sent
	warn   func(string) // nil: nobody listens yet
	unsaid []string
	failed bool // it was said that the file cannot be used
}

// requests is what the file holds. Times are nanoseconds since 1970.
type requests struct {
	Version int     `json:"version"`
	Lately  []lease `json:"requests"` // that count now
	Hold    lease   `json:"hold"`     // when all hold off
}

// lease is a time from the first to the second. One that lies in the future altogether is from before the clock was set
// back, and counts no more.
type lease [2]int64

const limitVersion = 1

func (l lease) over(now int64) bool { return now < l[0] || now >= l[1] }

// Wait takes a permit. It implements what [taskwait.NewLimiter] wants.
func (q *quota) Wait(ctx context.Context) error {
	for began := time.Now(); ; {
		pause := q.take()
		if pause <= 0 {
			return ctx.Err()
		}
		// Who has waited for longest wakes first.
		pause += time.Duration(float64(queueSpread) / (1 + time.Since(began).Seconds()))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take takes a permit if there is one now. Else it says for how long there is none.
func (q *quota) take() (pause time.Duration) {
	_ = q.update(func(r *requests, now int64) {
		free := r.Hold[1]
		if late := len(r.Lately) - q.n; late >= 0 {
			slices.SortFunc(r.Lately, func(a, b lease) int { return cmp.Compare(a[1], b[1]) })
			free = max(free, r.Lately[late][1])
		}
		if pause = time.Duration(free - now); pause <= 0 {
			r.Lately = append(r.Lately, lease{now, q.pending(now)})
			q.sent = append(q.sent, now)
		}
	})
	return pause
}

// pending is until when a request counts that was permitted at a time and has no answer yet.
func (q *quota) pending(at int64) int64 { return at + int64(q.per+unanswered) }

// sending gives the time of the permit for a request that is sent now; 0: there is none.
func (q *quota) sending() (at int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	long := time.Now().Add(-unanswered).UnixNano()
	q.sent = slices.DeleteFunc(q.sent, func(at int64) bool { return at < long }) // nobody has used them
	if len(q.sent) > 0 {
		at, q.sent = q.sent[0], q.sent[1:]
	}
	return at
}

// answered notes that the service has had the request with the permit of that time, and whether it wants all to hold
// off.
func (q *quota) answered(at int64, hold time.Duration) {
	_ = q.update(func(r *requests, now int64) {
		if i := slices.Index(r.Lately, lease{at, q.pending(at)}); i >= 0 {
			r.Lately[i][1] = now + int64(q.per)
		}
		if until := now + int64(hold); hold > 0 && until > r.Hold[1] {
			r.Hold = lease{now, until}
		}
	})
}

// update changes what all know of the requests that count. Where the file cannot be used this process goes on with what
// it knows, and says so once.
func (q *quota) update(change func(r *requests, now int64)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	unlock, err := q.load()
	defer unlock()
	r, now := &q.known, time.Now().UnixNano() // with the lock: no time in the file is later, unless a clock was set back
	r.Lately = slices.DeleteFunc(r.Lately, func(l lease) bool { return l.over(now) })
	if r.Hold.over(now) {
		r.Hold = lease{}
	}
	change(r, now)
	if err == nil {
		err = q.save()
	}
	if err != nil && !q.failed {
		q.failed = true
		q.say(fmt.Sprintf("the limit is this command's own from now on: %v", err))
	}
	return err
}

// load locks the file, and reads it. One that is no quota is kept aside, and begun anew.
func (q *quota) load() (unlock func(), err error) {
	if q.path == "" {
		return func() {}, nil
	}
	if unlock, err = lockFile(q.path+".lock", lockPatience); err != nil {
		return func() {}, err
	}
	text, err := os.ReadFile(q.path)
	if errors.Is(err, os.ErrNotExist) {
		q.known = requests{}
		return unlock, nil
	}
	if err != nil {
		return unlock, err
	}
	r, err := parseRequests(text)
	if errors.Is(err, errNoQuota) {
		q.say(fmt.Sprintf("%s: %v; it is kept as %s", clip(q.path), err, filepath.Base(damagedPath(q.path))))
		err = os.Rename(q.path, damagedPath(q.path))
	}
	if err == nil {
		q.known = r
	}
	return unlock, err
}

// errNoQuota is the error for a file that is no quota.
var errNoQuota = errors.New("the requests of other commands cannot be read")

// parseRequests reads a file.
func parseRequests(text []byte) (r requests, err error) {
	if err = json.Unmarshal(text, &r); err == nil && r.Version > limitVersion {
		return requests{}, newerError{r.Version}
	}
	absurd := func(l lease, most time.Duration) bool { return l[0] < 0 || l[1] < l[0] || l[1]-l[0] > int64(most) }
	wrong := err != nil || r.Version != limitVersion || len(r.Lately) > maxLimit || absurd(r.Hold, 2*maxHold) ||
		slices.ContainsFunc(r.Lately, func(l lease) bool { return absurd(l, 2*maxLimitPer) })
	if wrong {
		return requests{}, errNoQuota
	}
	return r, nil
}

// save writes the file. It need not survive the machine: what is in it counts for a moment.
func (q *quota) save() error {
	if q.path == "" {
		return nil
	}
	q.known.Version = limitVersion
	text, err := json.Marshal(q.known)
	if err != nil {
		return err
	}
	return replaceFile(q.path, text, func(*os.File) error { return nil })
}

// sayTo gives warn what has gone wrong so far, and what goes wrong from now on.
func (q *quota) sayTo(warn func(string)) {
	if q == nil {
		return
	}
	q.mu.Lock()
	unsaid := q.unsaid
	q.warn, q.unsaid = warn, nil
	q.mu.Unlock()
	for _, text := range unsaid {
		warn(text)
	}
}

func (q *quota) say(text string) {
	if q.warn == nil {
		q.unsaid = append(q.unsaid, text)
		return
	}
	q.warn(text)
}

// options make a Waiter keep to the quota.
func (q *quota) options() []taskwait.Option {
	if q == nil {
		return nil
	}
	return []taskwait.Option{taskwait.WithLimiter(taskwait.NewLimiter(q))}
}

// over is a transport whose requests the quota counts.
func (q *quota) over(next http.RoundTripper) http.RoundTripper {
	if q == nil {
		return next
	}
	return countedTransport{next, q}
}

type countedTransport struct {
	next  http.RoundTripper
	quota *quota
}

// RoundTrip sends a request, and notes its answer.
func (t countedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	at := t.quota.sending()
	resp, err := t.next.RoundTrip(req)
	t.quota.answered(at, holdOf(resp))
	return resp, err
}

// CloseIdleConnections closes those of the transport.
func (t countedTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// holdOf is how long all hold off after an answer; 0: not at all.
func holdOf(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	after := min(taskwait.RetryAfter(resp.Header), maxHold)
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return max(after, untoldHold)
	case http.StatusForbidden, http.StatusServiceUnavailable:
		return after
	}
	return 0
}
