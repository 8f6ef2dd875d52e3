package taskwait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait/internal/limiter"
	"github.com/taskwait/taskwait/internal/text"
)

// startPhase sends the operation until the service has accepted it. A call of it may be abandoned: so all that it does
// to the service it does between begin, which is refused once the phase is closed, and note.
type startPhase struct {
	op      *Operation
	over    <-chan struct{}                  // closed when nobody waits any more
	end     time.Time                        // from then on nothing is sent, if limited
	key     string                           // of each Attempt
	save    func(id string, b started) *Wait // makes what op.Save is given
	limited bool

	mu         sync.Mutex
	closed     bool
	conflict   bool      // something else ran when it was sent last
	prepared   time.Time // when attempt was last found to be good; zero: it must be read
	heldTill   time.Time // nothing is sent before: so the service has asked, perhaps in an answer that nobody waited for
	saveFailed error     // when it was too late to stop
	startOutcome
}

// startOutcome is what is known of an operation.
type startOutcome struct {
	sent     bool      // and not refused: it may have been carried out
	sentAt   time.Time // when it was sent last
	accepted bool
	at       time.Time // when it was accepted
	id       string    // of its task, or of what it is about; empty: the service gave none
	attempt  Attempt   // what was there before
	reason   error     // ErrNotStarted: it was refused; ErrOutcomeUnknown: the answer does not say; nil: neither
	err      error     // the answer, where there is a reason
}

// outcome is what b says of the operation, as its answer would.
func (b *started) outcome(id string) startOutcome {
	return startOutcome{
		sent: !b.sentAt.IsZero(), sentAt: b.sentAt, accepted: !b.acceptedAt.IsZero(), at: b.acceptedAt, id: id,
		attempt: b.attempt,
	}
}

// started is what a later process must know of o.
func (o *startOutcome) started(name string) *started {
	b := &started{name: name, attempt: o.attempt}
	if o.sent {
		b.sentAt = o.sentAt
	}
	if o.accepted {
		b.acceptedAt = o.at
	}
	if b.attempt.Seen = nil; !o.accepted || o.id == "" {
		b.attempt.Seen = slices.Clone(o.attempt.Seen)
	}
	return b
}

// poll sends the operation, unless that was done. The poll has one permit of the limiter: each further call takes one
// more.
func (p *startPhase) poll(ctx context.Context) error {
	if err := p.heldOff(); err != nil {
		return err
	}
	if err := p.blocked(ctx); err != nil {
		return err
	}
	attempt, err := p.prepare(ctx)
	if err != nil {
		return err
	}
	if err := p.saveBefore(attempt); err != nil {
		return err
	}
	if done, err := p.begin(ctx, attempt); done || err != nil {
		return err
	}
	id, err := p.op.Start(ctx, attempt)
	err = p.note(id, err)
	p.saveAnswer()
	return err
}

// saveBefore keeps, before the operation is sent, that it may have been. Where that fails nothing is sent.
func (p *startPhase) saveBefore(attempt Attempt) error {
	p.mu.Lock()
	settled := p.sent || p.reason != nil || p.closed
	p.mu.Unlock()
	if p.op.Save == nil || settled {
		return nil
	}
	o := startOutcome{sent: true, sentAt: time.Now(), attempt: attempt}
	err := p.op.Save(p.save("", *o.started(p.op.Name)))
	if err == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reason, p.err = ErrNotStarted, fmt.Errorf("not saved: %w", err)
	return p.refusal()
}

// saveAnswer keeps what the service has answered, if anybody still waits for it.
func (p *startPhase) saveAnswer() {
	p.mu.Lock()
	o, closed := p.startOutcome, p.closed
	p.mu.Unlock()
	if p.op.Save == nil || closed {
		return
	}
	id := ""
	if o.accepted {
		id = o.id
	}
	if err := p.op.Save(p.save(id, *o.started(p.op.Name))); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.saveFailed = err
	}
}

// known is what is known of the operation.
func (p *startPhase) known() startOutcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.startOutcome
}

// heldOff says what the service has asked for, as long as that holds.
func (p *startPhase) heldOff() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := time.Until(p.heldTill); left > 0 && !p.sent {
		return &QueryError{Class: ClassThrottled, RetryAfter: left, Err: errors.New("the service has asked to wait")}
	}
	return nil
}

// blocked asks whether what was in the way still is.
func (p *startPhase) blocked(ctx context.Context) error {
	p.mu.Lock()
	conflict := p.conflict && !p.sent
	p.mu.Unlock()
	if !conflict || p.op.Busy == nil {
		return nil
	}
	what, err := p.op.Busy(ctx)
	switch {
	case err != nil:
		return err
	case what != "":
		return &QueryError{Class: ClassConflict, Err: errors.New("busy: " + text.Clip(what))}
	}
	return limiter.Acquire(ctx)
}

// attemptKept is how long what was read before the operation is good for, where the operation did not get through:
// longer than the minute that gateways throttle for, and too short for other operations to come and go.
const attemptKept = 2 * time.Minute

// prepare reads what is there before the operation is sent, unless it was sent or has just been prepared.
func (p *startPhase) prepare(ctx context.Context) (Attempt, error) {
	p.mu.Lock()
	a := p.attempt
	ready := p.sent || p.reason != nil || !p.prepared.IsZero() && time.Since(p.prepared) < attemptKept
	p.mu.Unlock()
	if ready {
		return a, nil
	}
	a = Attempt{}
	if p.op.Before != nil {
		var err error
		if a, err = p.op.Before(ctx); err == nil {
			err = limiter.Acquire(ctx)
		}
		if err != nil {
			return a, p.notPrepared(err)
		}
	}
	if a.Key = p.key; a.At.IsZero() {
		a.At = time.Now()
	}
	return a, nil
}

// notPrepared keeps why the operation cannot be sent, where that is for good.
func (p *startPhase) notPrepared(err error) error {
	q, ok := asQueryError(err)
	if !ok || q.Class != ClassPermanent && q.Class != ClassNotFound {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reason, p.err = ErrNotStarted, err
	return p.refusal()
}

// begin notes that the operation is being sent. It returns done where it was accepted before, and an error where it
// must not be sent.
func (p *startPhase) begin(ctx context.Context, attempt Attempt) (done bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.accepted:
		return true, nil
	case p.reason != nil:
		return false, p.refusal()
	case p.sent:
		p.reason, p.err = ErrOutcomeUnknown, errors.New("the call ended without an answer")
		return false, p.refusal()
	case p.closed || ctx.Err() != nil || isClosed(p.over): // this call was abandoned, or is about to be
		return false, &QueryError{Class: ClassConflict, Err: errors.New("the wait for this call has ended")}
	case p.limited && !time.Now().Before(p.end):
		return false, &QueryError{Class: ClassConflict, Err: errors.New("no time is left to start it")}
	}
	p.sent, p.sentAt, p.attempt, p.prepared = true, time.Now(), attempt, time.Time{}
	return false, nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// note keeps what came of sending the operation.
func (p *startPhase) note(id string, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := asQueryError(err)
	switch {
	case err == nil:
		p.id, p.accepted, p.at = id, true, time.Now()
		return nil
	case ok && (q.Class == ClassConflict || q.Class == ClassThrottled || q.Class == ClassNotSent):
		p.heldTill = time.Now().Add(min(q.RetryAfter, maxRetryAfter))
		if p.sent, p.conflict = false, q.Class == ClassConflict; !p.conflict {
			p.prepared = time.Now()
		}
		return err
	case ok && (q.Class == ClassPermanent || q.Class == ClassNotFound):
		p.sent, p.reason, p.err = false, ErrNotStarted, err
	default:
		p.id, p.reason, p.err = id, ErrOutcomeUnknown, err
	}
	return p.refusal()
}

// refusal is the answer that ends the phase.
func (p *startPhase) refusal() error { return permanent(p.err) }

// close ends the phase: from now on nothing is sent. It returns what is known of the operation, and why that could not
// be saved.
func (p *startPhase) close() (o startOutcome, saveFailed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return p.startOutcome, p.saveFailed
}
