package httptasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/wire"
)

// Source queries the jobs of an API. It is safe for concurrent use.
type Source struct {
	send Sender
	p    *program // nil: err says why
	err  error
}

var (
	_ taskwait.Lister   = (*Source)(nil)
	_ taskwait.Detailer = (*Source)(nil)
)

// New returns a Source for the jobs of an API. A nil client is [http.DefaultClient]. The client is used as it is and
// never changed, but redirects are not followed, so no header goes to another host. The error is that of [API.Check],
// or says that a URL has no host. Nothing is sent yet.
func New(client *http.Client, api API, opts ...Option) (*Source, error) {
	sender := newSender(client, opts)
	s, err := NewFrom(sender.send, api)
	if err == nil {
		s.err = errors.Join(s.p.checkAbsolute(), s.p.invalid(wire.CheckHeader(sender.header)))
	}
	return s, s.err
}

// NewFrom returns a Source for jobs that are reached by an SDK or a command in place of an [http.Client].
// [Source.Validate] returns the same error, that of [API.Check], so it may be left to [taskwait.New].
func NewFrom(send Sender, api API) (*Source, error) {
	p, err := compile(api)
	if err == nil && send == nil {
		err = p.invalid(errors.New("the Sender is nil"))
	}
	return &Source{send, p, err}, err
}

// Validate returns the error of [New] or [NewFrom].
func (s *Source) Validate() error {
	if s == nil || s.p == nil && s.err == nil {
		return fmt.Errorf("httptasks: %w: the Source is not from New", taskwait.ErrInvalidOption)
	}
	return s.err
}

// CheckID returns an error that Is [taskwait.ErrInvalidID] if an id is invalid. For {id} it may hold everything that
// can be escaped. For {+id} it must stay below the host, without "..". It must print, and have no white space. For an
// API of [NewFrom] whose URL is a path the default rules hold, see [taskwait.Source].
func (s *Source) CheckID(id string) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return s.p.checkID(id)
}

// Task queries one job. Raw in the Task is a *json.RawMessage, the job as the service sent it, which may hold
// passwords. Errors are those of [taskwait.CheckResponse], and a [*taskwait.QueryError] for an answer without the job.
func (s *Source) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := s.CheckID(id); err != nil {
		return taskwait.Task{}, taskwait.Permanent(err)
	}
	var t taskwait.Task
	a, err := s.ask(ctx, s.p, id)
	if err == nil {
		t, err = s.p.read(a, id)
	}
	if a != nil && isNotFound(err) && s.p.hasList() && !s.p.named() {
		t, err = s.search(ctx, id, a, err)
	}
	if s.p.untilDeleted && isNotFound(err) && !errors.Is(err, errOther) {
		return taskwait.Task{ID: id, Status: taskwait.StatusSuccess, Phase: phaseGone}, nil
	}
	return t, err
}

// phaseGone is our own word for what has no status any more.
const phaseGone = "GONE"

func isNotFound(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassNotFound
}

// ask requests the job with an id.
func (s *Source) ask(ctx context.Context, p *program, id string) (*reading, error) {
	r, err := p.fill(Request{Method: p.Method, URL: p.URL, Body: p.Body, Permission: p.Permission}, id)
	if err != nil {
		return nil, err
	}
	return s.get(ctx, p, r)
}

// get sends a request that reads, and decodes the answer.
func (s *Source) get(ctx context.Context, p *program, r Request) (*reading, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a, err := s.send(ctx, r)
	if err != nil {
		return nil, p.judge(err)
	}
	return p.decode(a, r.Permission)
}

// Details queries the progress of a job, see [API.Details]. Without it nothing is sent.
func (s *Source) Details(ctx context.Context, t taskwait.Task) (taskwait.Task, error) {
	if err := s.CheckID(t.ID); err != nil {
		return t, taskwait.Permanent(err)
	}
	t.Percent, t.Remaining, t.Steps = nil, 0, nil
	if s.p.details == nil {
		return t, nil
	}
	a, err := s.ask(ctx, s.p.details, t.ID)
	if err != nil {
		return t, err
	}
	job, err := s.p.details.find(a, t.ID)
	if err != nil {
		return t, err
	}
	s.p.details.progress(a, job, &t)
	return t, nil
}

// CanList reports whether the API describes a list.
func (s *Source) CanList() bool { return s.Validate() == nil && s.p.hasList() }

// HasDetails reports whether the API describes a request for details.
func (s *Source) HasDetails() bool { return s.Validate() == nil && s.p.details != nil }

// CanCancel reports whether the API describes how to cancel a job.
func (s *Source) CanCancel() bool { return s.Validate() == nil && s.p.Cancel != nil }

// Cancel asks the service to cancel a job, once. If the service accepts that, the job has not ended yet: wait for it.
// Without [API.Cancel] the error Is [errors.ErrUnsupported]. After an error of ClassTransient, or the end of ctx, it is
// not known whether the service has accepted it.
func (s *Source) Cancel(ctx context.Context, id string) error {
	if err := s.CheckID(id); err != nil {
		return taskwait.Permanent(err)
	}
	if s.p.Cancel == nil {
		return taskwait.Permanent(fmt.Errorf("%s: jobs cannot be cancelled: %w", s.p.name(), errors.ErrUnsupported))
	}
	r := *s.p.Cancel
	r.Changes = true
	r, err := s.p.fill(r, id)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: err}
	}
	a, err := s.send(ctx, r)
	if err != nil {
		return s.p.judge(err)
	}
	return s.p.judge(forbidden(a.check(), r.Permission))
}

// UntilDeleted returns the Source of [API.UntilDeleted], with the same client.
func (s *Source) UntilDeleted() *Source {
	if s.Validate() != nil {
		return s
	}
	made, _ := NewFrom(s.send, s.p.original.UntilDeleted()) // checked before
	return made
}

// Format writes what a Source is, whatever the verb, and nothing of the client and the headers that it holds.
func (s Source) Format(f fmt.State, _ rune) {
	name := ""
	if s.p != nil {
		name = s.p.Name
	}
	_, _ = fmt.Fprintf(f, "httptasks.Source(%q)", name)
}

// raw is a job as it came.
func raw(n *node) *json.RawMessage {
	text := json.RawMessage(slices.Clone(n.text))
	return &text
}
