package taskwait

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
	"github.com/taskwait/taskwait/internal/poll"
	"go.uber.org/zap"
)

// pollerKey is what waits must have in common to share answers: then no option of one changes what another sees.
type pollerKey struct {
	limiter      *limiter.Limiter
	queryTimeout time.Duration
}

// pollers are the Pollers of the waits that share on one Waiter. Each is freed with its last subscription.
type pollers struct {
	src       Source
	abandoned atomic.Int64 // calls that have not returned
	mu        sync.Mutex
	byKey     map[pollerKey]sharedPoller
	holdUntil time.Time  // no Poll is made before, unless it has a limiter; guarded by mu
	poll      SourceFunc // src.Task, by checked
	checkID   func(id string) error
}

type sharedPoller struct {
	*poll.Poller[Task]
	uses int
}

// subscription is one for a single id. It must be closed.
type subscription struct {
	*poll.Subscription[Task]
	pollers *pollers
	key     pollerKey
	shared  bool
}

// subscribe begins a subscription for one id, shared with the other waits whose terms are equal.
func (h *pollers) subscribe(ctx context.Context, s *settings, id string, terms poll.Terms) subscription {
	sub := subscription{pollers: h, key: pollerKey{s.limiter, s.queryTimeout}, shared: !s.alone}
	if s.alone {
		sub.Subscription = h.own(s).Subscribe(ctx, []string{id}, terms)
		return sub
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.byKey[sub.key]
	if p.uses++; p.Poller == nil {
		p.Poller = h.own(s)
	}
	if h.byKey == nil {
		h.byKey = map[pollerKey]sharedPoller{}
	}
	h.byKey[sub.key] = p
	sub.Subscription = p.Subscribe(ctx, []string{id}, terms)
	return sub
}

// close ends the subscription, if there is one, and frees a shared Poller that nobody uses any more.
func (s *subscription) close() {
	if s.Subscription == nil {
		return
	}
	s.Close()
	if !s.shared {
		return
	}
	h := s.pollers
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.byKey[s.key]
	if p.uses--; p.uses == 0 {
		delete(h.byKey, s.key)
		return
	}
	h.byKey[s.key] = p
}

// holdOff makes the Polls of all waits hold off that have no limiter to tell them. d is what a throttled answer has
// asked for; 0: nothing. planned is when the one that was throttled comes again.
func (h *pollers) holdOff(s *settings, d time.Duration, planned time.Time) {
	if s.limiter != nil || s.alone {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	until := earlier(time.Now().Add(cmp.Or(d, time.Second)), planned)
	if until.After(h.holdUntil) {
		h.holdUntil = until
	}
}

// heldFor is for how long from now a Poll that is due at a time must hold off.
func (h *pollers) heldFor(s *settings, due, now time.Time) time.Duration {
	if s.limiter != nil {
		return s.limiter.HeldFor(now)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.alone || !due.Before(h.holdUntil) {
		return 0
	}
	return max(jittered(h.holdUntil.Sub(now), rand.Float64()), 0)
}

// own makes a Poller of the Source.
func (h *pollers) own(s *settings) *poll.Poller[Task] {
	list := listerOf(h.src)
	return h.of(s, h.poll, list)
}

// checked is src.Task, with an error in place of a Task that says nothing of id: the Poller gives errors only to waits
// whose poll was due.
func checked(src Source) SourceFunc {
	return func(ctx context.Context, id string) (Task, error) {
		t, err := src.Task(ctx, id)
		if err == nil {
			err = unusable(id, &t)
		}
		return t, err
	}
}

// of makes a Poller that calls f, and list for many; list nil: there is none.
func (h *pollers) of(s *settings, f SourceFunc, list Lister) *poll.Poller[Task] {
	cfg := poll.Config[Task]{
		Poll:         f,
		ID:           func(t *Task) string { return t.ID },
		Terminal:     func(t *Task) bool { return t.Status.Terminal() },
		Classify:     pollTrouble,
		Limiter:      s.limiter,
		QueryTimeout: s.queryTimeout,
		Abandoned:    &h.abandoned,
		LatePanic: func(late *guard.PanicError, owner any) {
			log := s.log
			if of, ok := owner.(*settings); ok { // a Poller that is shared was made by another wait
				log = of.log
			}
			log.Error("panic in an abandoned query", zap.String("panic", late.Error()))
		},
	}
	if list != nil {
		cfg.List = func(ctx context.Context, r poll.ListRequest) ([]Task, string, error) {
			tasks, next, err := list.List(ctx, ListRequest{IDs: r.IDs, Since: r.Since, Page: r.Page})
			if slices.ContainsFunc(tasks, blank) {
				tasks = slices.DeleteFunc(slices.Clone(tasks), blank) // such a row says nothing: its task is polled alone
			}
			return tasks, next, err
		}
	}
	return poll.New(cfg)
}

func blank(t Task) bool { return t.Status == "" }

// pollTrouble says what an error means for the Poller.
func pollTrouble(err error) poll.Trouble {
	o := classifyError(err)
	return poll.Trouble{
		Throttled: o.class == ClassThrottled,
		Refused:   o.class == ClassPermanent || o.class == ClassNotFound || errors.Is(err, errors.ErrUnsupported),
		ByContext: errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded),
		After:     min(o.retryAfter, maxRetryAfter),
	}
}
