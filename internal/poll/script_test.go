package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
)

// row is what the tests poll: an id, and a number that grows.
type row struct {
	id string
	v  int
}

// last is the first number that is final.
const last = 100

// fault is an error with its meaning.
type fault struct {
	Trouble
	text string
}

func (f *fault) Error() string { return f.text }

// script is a test in virtual time with a scripted service: what happens is noted line by line.
type script struct {
	*Poller[row]
	t         *testing.T
	ctx       context.Context
	abandoned atomic.Int64
	wg        sync.WaitGroup

	mu    sync.Mutex
	polls map[string]int
	lines []line
	poll  func(ctx context.Context, id string, n int) (row, error) // n: how often it was polled, counted from 1
	list  func(ctx context.Context, r ListRequest) ([]row, string, error)
}

type line struct {
	at   time.Duration
	text string
}

// play runs f in a bubble. At its end all must be closed, and nothing is left then.
func play(t *testing.T, set func(*Config[row]), f func(*script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, polls: map[string]int{}}
		ctx, cancel := context.WithCancel(t.Context())
		s.ctx = ctx
		cfg := &Config[row]{
			Poll:         s.onPoll,
			ID:           func(r *row) string { return r.id },
			Terminal:     func(r *row) bool { return r.v >= last },
			Classify:     classify,
			QueryTimeout: time.Minute,
			Abandoned:    &s.abandoned,
			LatePanic:    func(p *guard.PanicError, owner any) { s.note("late panic %v of %v", p.Value, owner) },
		}
		if set != nil {
			set(cfg)
		}
		s.Poller = New(*cfg)
		f(s)
		s.sync()
		cancel()
		s.wg.Wait()
		time.Sleep(time.Hour) // for what was abandoned
		synctest.Wait()
		s.checkIdle()
	})
}

// listed is a set for play: there is a list.
func listed(s **script) func(*Config[row]) {
	return func(cfg *Config[row]) {
		cfg.List = func(ctx context.Context, r ListRequest) ([]row, string, error) { return (*s).onList(ctx, r) }
	}
}

// playList is play with a list.
func playList(t *testing.T, f func(*script)) {
	t.Helper()
	var s *script
	play(t, listed(&s), func(it *script) { s = it; f(it) })
}

func classify(err error) Trouble {
	var f *fault
	if errors.As(err, &f) {
		return f.Trouble
	}
	return Trouble{ByContext: errors.Is(err, context.Canceled)}
}

func (s *script) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line{time.Since(s.start), fmt.Sprintf(format, args...)})
}

func (s *script) onPoll(ctx context.Context, id string) (row, error) {
	s.note("poll %s", id)
	s.mu.Lock()
	s.polls[id]++
	n, poll := s.polls[id], s.poll
	s.mu.Unlock()
	if poll != nil {
		return poll(ctx, id, n)
	}
	return row{id, n}, nil
}

func (s *script) onList(ctx context.Context, r ListRequest) ([]row, string, error) {
	s.note("page %s", cmp.Or(r.Page, "1"))
	s.mu.Lock()
	list := s.list
	s.mu.Unlock()
	if list != nil {
		return list(ctx, r)
	}
	return s.rows(r.IDs...), "", nil
}

// rows are those of ids, each with a number larger by 10 than how often it was polled.
func (s *script) rows(ids ...string) (rows []row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		rows = append(rows, row{id, s.polls[id] + 10})
	}
	return rows
}

// in is a time from now.
func (s *script) in(d time.Duration) time.Time { return time.Now().Add(d) }

// sync lets the goroutines that run from now on see what this one has written.
func (s *script) sync() {
	s.mu.Lock()
	s.Poller.mu.Lock()
	s.Poller.mu.Unlock() //nolint:staticcheck // empty on purpose
	s.mu.Unlock()
}

// until goes on until a time since the beginning, and until all is done that happens then.
func (s *script) until(d time.Duration) {
	s.t.Helper()
	s.sync()
	if left := d - time.Since(s.start); left < 0 {
		s.t.Fatalf("until %v: it is %v", d, time.Since(s.start))
	} else {
		time.Sleep(left)
	}
	synctest.Wait()
}

// want compares what was noted since the last want: "1s poll a". What happens at one instant is sorted.
func (s *script) want(want ...string) {
	s.t.Helper()
	s.sync()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.text, b.text))
	})
	var got []string
	for _, l := range s.lines {
		got = append(got, l.at.String()+" "+l.text)
	}
	s.lines = nil
	if !slices.Equal(got, want) {
		s.t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// inWords is an answer in words.
func inWords(a *Answer[row], ids []string) string {
	b := &strings.Builder{}
	b.WriteString(ids[a.Key])
	switch {
	case a.Queued != 0:
		fmt.Fprintf(b, " queued for %v", a.Queued)
		return b.String()
	case a.Err != nil:
		fmt.Fprintf(b, ": %v", a.Err)
	default:
		fmt.Fprintf(b, "=%d", a.Value.v)
	}
	if a.Err == nil && a.Value.id != ids[a.Key] {
		fmt.Fprintf(b, " of %s", a.Value.id)
	}
	if !a.Polled {
		b.WriteString(", not polled")
	}
	if a.Listed {
		b.WriteString(", listed")
	}
	if ago := time.Since(a.Sent); ago != 0 {
		fmt.Fprintf(b, ", sent %v ago", ago)
	}
	return b.String()
}

// reader is a caller of the Poller, with a name.
type reader struct {
	*Subscription[row]
	s    *script
	name string
	ids  []string
}

// subscribe begins a subscription that the test reads.
func (s *script) subscribe(name string, terms Terms, ids ...string) *reader {
	terms.Owner = name
	return &reader{s.Subscribe(s.ctx, ids, terms), s, name, ids}
}

// read notes all that is in the inbox.
func (r *reader) read() {
	r.s.t.Helper()
	r.s.sync()
	synctest.Wait()
	for {
		select {
		case <-r.notify:
		default:
		}
		var a Answer[row]
		if !r.Receive(&a) {
			return
		}
		r.s.note("%s: %s", r.name, inWords(&a, r.ids))
	}
}

// raised is the panic that Next raises; "": none.
func (r *reader) raised(ctx context.Context) (raised string) {
	defer func() {
		if p, ok := recover().(*guard.PanicError); ok {
			raised = fmt.Sprint(p.Value)
		}
	}()
	next(r.Subscription, ctx)
	return ""
}

// wait reads on a goroutine of its own and plans the next poll a pause after each answer, until every id is final or
// the test is over.
func (s *script) wait(name string, pause time.Duration, terms Terms, ids ...string) *reader {
	r := s.subscribe(name, terms, ids...)
	s.wg.Go(func() {
		defer r.Close()
		for left := len(ids); left > 0; {
			a := next(r.Subscription, s.ctx)
			if a == nil {
				return
			}
			s.note("%s: %s", name, inWords(a, ids))
			switch {
			case a.Queued != 0:
			case a.Err == nil && a.Value.v >= last:
				r.Done(a.Key)
				left--
			default:
				r.Plan(a.Key, s.in(pause), time.Time{})
			}
		}
	})
	return r
}

// checkIdle makes sure that nothing is left of subscriptions that were closed.
func (s *script) checkIdle() {
	s.t.Helper()
	p := s.Poller
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.members != nil || p.entries.len() != 0 || len(p.waiting)+len(p.ready)+len(p.ends) != 0 || p.finals != 0 {
		s.t.Errorf("got members %v, %d entries, %d waiting, %d ready, %d ends, %d finals, want none of them",
			p.members != nil, p.entries.len(), len(p.waiting), len(p.ready), len(p.ends), p.finals)
	}
	if p.oldest != nil || p.newest != nil || p.free != nil || p.frees != 0 || s.abandoned.Load() != 0 {
		s.t.Errorf("got calls in flight: %v, to be used again: %d, abandoned: %d, want none", p.oldest != nil, p.frees,
			s.abandoned.Load())
	}
	if p.armed != 0 || p.permit != nil || p.granted || p.orphans != nil || p.pass.active {
		s.t.Errorf("got timer %v, permit %v, granted %v, orphans %d, a list pass %v, want none of them",
			p.armed, p.permit != nil, p.granted, len(p.orphans), p.pass.active)
	}
	if len(s.lines) != 0 {
		s.t.Errorf("got %v, which no want has named", s.lines)
	}
}

// next is the next answer; nil: ctx has ended.
func next[T any](s *Subscription[T], ctx context.Context) *Answer[T] { //nolint:revive // as a method
	a, ok := s.Next(ctx)
	if !ok {
		return nil
	}
	return &a
}
