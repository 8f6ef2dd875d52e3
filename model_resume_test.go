package taskwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

// relay is one random script of answers, for one wait that is made in several ways. All its pauses are exact: a
// RetryAfter, which is jittered, is shorter than they are. So all ways must poll at the same instants.
type relay struct {
	seed         uint64
	answers      []relayAnswer // of the polls in order, the last for ever
	finals       []relayAnswer // of the final polls in order, the last for ever
	timeout, run time.Duration
	details      []relayAnswer // nil: there are none
	opts         []taskwait.Option
	text         []string // of opts
}

// relayAnswer is what becomes of one poll.
type relayAnswer struct {
	task   taskwait.Task
	err    error
	takes  time.Duration
	hangs  bool // until its context ends
	panics bool
}

const relayID = "relay"

func (a *relayAnswer) String() string {
	return fmt.Sprintf("%v, %v, takes %v, hangs %v, panics %v", a.task, a.err, a.takes, a.hangs, a.panics)
}

// newRelay draws a script.
func newRelay(seed uint64) *relay {
	d := dice{rand.New(rand.NewPCG(seed, 17))}
	r := &relay{seed: seed}
	pause := time.Second + d.upTo(20*time.Second)
	query := pick(d, 2*time.Second, 10*time.Second) | 1
	r.option("interval", pause, every(pause))
	r.option("query timeout", query, taskwait.WithQueryTimeout(query))
	if d.one(3) {
		r.timeout = d.upTo(5 * time.Minute)
		r.option("timeout", r.timeout, taskwait.WithTimeout(r.timeout))
	}
	if d.one(4) {
		r.run = d.upTo(3 * time.Minute)
		r.option("run timeout", r.run, taskwait.WithRunTimeout(r.run))
	}
	r.drawOptions(d)
	for range 1 + d.IntN(pick(d, 3, 12, 40)) {
		r.answers = append(r.answers, drawRelayAnswer(d, query))
	}
	for range 1 + d.IntN(3) { // so few are made in any case
		r.finals = append(r.finals, drawRelayAnswer(d, query))
	}
	if r.timeout > 0 || r.run > 0 { // a new process knows nothing of a call that honours no context, and polls at the end
		for _, of := range [][]relayAnswer{r.answers, r.finals} {
			for i := range of {
				of[i].hangs = of[i].hangs || of[i].takes > query
			}
		}
	}
	for range d.IntN(6) {
		r.answers = append(r.answers, relayAnswer{task: taskwait.Task{Status: taskwait.StatusSuccess}})
	}
	r.answers = append(r.answers, relayAnswer{task: taskwait.Task{Status: taskwait.StatusFailed}}) // ends any wait
	r.drawDetails(d, query)
	return r
}

func (r *relay) option(name string, value any, opt taskwait.Option) {
	r.opts, r.text = append(r.opts, opt), append(r.text, fmt.Sprintf("%s %v", name, value))
}

// drawOptions draws what is independent of the answers.
func (r *relay) drawOptions(d dice) {
	if v := d.upTo(10 * time.Second); d.one(4) {
		r.option("initial delay", v, taskwait.WithInitialDelay(v))
	}
	if v := d.upTo(2 * time.Minute); d.one(2) {
		r.option("tolerance", v, taskwait.WithErrorTolerance(v))
	}
	if v := time.Second + d.upTo(time.Minute); d.one(2) {
		r.option("grace", v, taskwait.WithNotFoundGrace(v))
	}
	if v := time.Second + d.upTo(2*time.Minute); d.one(4) {
		r.option("stall", v, taskwait.WithStallTimeout(v))
	}
	if v := 2 + d.IntN(3); d.one(3) {
		r.option("confirmations", v, taskwait.WithConfirmations(v))
	}
	if v := pick(d, "EXECUTING", "RUNNING", "SUCCESS"); d.one(3) {
		r.option("stale phase", v, taskwait.WithStalePhase(v))
	}
	if d.one(4) {
		var of []time.Duration
		for range 1 + d.IntN(12) {
			of = append(of, time.Second+d.upTo(20*time.Second))
		}
		if d.one(3) {
			of = append(of, backoff.Stop)
		}
		r.option("backoff", of, taskwait.WithBackOff(func() backoff.BackOff { return &pauses{of: of} }))
	}
}

// drawDetails draws what a Detailer says, if there is one. It honours its context: a new process knows nothing of calls
// that do not. And no poll is answered in the very instant in which the details were cut.
func (r *relay) drawDetails(d dice, query time.Duration) {
	if !d.one(3) {
		return
	}
	for i := range r.answers {
		r.answers[i].takes = max(r.answers[i].takes, 1)
	}
	for range 1 + d.IntN(8) {
		a := drawRelayAnswer(d, query)
		a.task.Steps = []taskwait.Step{{Name: "copy", Status: pick(d, "WAITING", "COMPLETED")}}
		r.details = append(r.details, a)
	}
}

// drawRelayAnswer draws one answer. Most of them say that the task runs.
func drawRelayAnswer(d dice, query time.Duration) relayAnswer {
	a := relayAnswer{takes: pick(d, 0, 0, 1, 30*time.Millisecond, d.upTo(900*time.Millisecond))}
	ahead := pick(d, 0, 0, 500*time.Millisecond)
	fail := func(c taskwait.Class, text string) {
		a.err = &taskwait.QueryError{Class: c, RetryAfter: ahead, Err: errors.New(text)}
	}
	percent := d.IntN(3)
	switch n := d.IntN(42); {
	case n < 3:
		fail(taskwait.ClassThrottled, "429")
	case n < 7:
		fail(taskwait.ClassTransient, "503")
	case n < 8:
		a.err = errors.New("a plain one")
	case n < 12:
		ahead = 0 // the next pause may be shorter
		fail(taskwait.ClassNotFound, "no such task")
	case n < 13:
		fail(taskwait.ClassConflict, "409")
	case n < 14:
		fail(taskwait.ClassNotSent, "not sent")
	case n < 16:
		ahead = 0
		fail(taskwait.ClassPermanent, "403")
		a.err.(*taskwait.QueryError).StatusCode = 403
	case n < 17 && d.one(3):
		fail(taskwait.ClassPermanent, "400")
	case n < 18:
		a.task.Status, a.task.ID = taskwait.StatusSuccess, "another"
	case n < 19:
		a.hangs = true
	case n < 20:
		a.takes, a.task.Status = query+300*time.Millisecond, taskwait.StatusSuccess // too late
	case n < 21 && d.one(4):
		a.panics = true
	case n < 25:
		a.task.Status = taskwait.StatusSuccess
	case n < 26 && d.one(2):
		a.task.Status = pick(d, taskwait.StatusFailed, taskwait.StatusDeleted, taskwait.StatusCancelled)
		a.task.FailureCode, a.task.FailureReason = "DMS.1", "out of disk"
	case n < 27: // an empty status
	case n < 29:
		a.task.Status = pick[taskwait.Status](d, "PAUSED", "success", taskwait.Status(strings.Repeat("x", 20)))
	case n < 33:
		a.task.Status, a.task.Phase = taskwait.StatusExecuting, pick(d, "RUNNING", "RESTARTING")
	case n < 35:
		a.task.Status, a.task.Kind = taskwait.StatusCreated, "resize"
		a.task.CreatedAt = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(-d.upTo(time.Hour))
	default:
		a.task.Status, a.task.Percent = taskwait.StatusExecuting, &percent
	}
	return a
}

// relayPlay is a script while it is played. It is a Source.
type relayPlay struct {
	*relay
	start time.Time

	mu    sync.Mutex
	sent  []time.Duration
	asked []time.Duration // for details
	ran   time.Duration   // when the first answer came that was not CREATED; negative: none has
	final int             // final polls
}

func (r *relay) play() *relayPlay { return &relayPlay{relay: r, start: time.Now(), ran: -1} }

// end is when the script's wait has used up its time.
func (p *relayPlay) end() time.Duration {
	end := time.Duration(math.MaxInt64)
	if p.timeout > 0 {
		end = p.timeout
	}
	if p.run > 0 && p.ran >= 0 {
		end = min(end, p.ran+p.run)
	}
	return end
}

func (p *relayPlay) next() *relayAnswer {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.start)
	if now >= p.end() {
		p.final++
		return &p.finals[min(p.final, len(p.finals))-1]
	}
	p.sent = append(p.sent, now)
	return &p.answers[min(len(p.sent), len(p.answers))-1]
}

// Task plays the next answer.
func (p *relayPlay) Task(ctx context.Context, _ string) (taskwait.Task, error) {
	task, err := p.next().give(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	ours := err == nil && task.ID == "" && task.Status != "" && ctx.Err() == nil
	if ours && p.ran < 0 && task.Status != taskwait.StatusCreated {
		p.ran = time.Since(p.start)
	}
	return task, err
}

// relayDetailer is a play whose Source has details.
type relayDetailer struct{ *relayPlay }

// Details plays the next details.
func (p relayDetailer) Details(ctx context.Context, _ taskwait.Task) (taskwait.Task, error) {
	p.mu.Lock()
	a := p.details[min(len(p.asked), len(p.details)-1)]
	p.asked = append(p.asked, time.Since(p.start))
	p.mu.Unlock()
	select {
	case <-time.After(a.takes):
		a.takes = 0
		return a.give(ctx)
	case <-ctx.Done():
		return taskwait.Task{}, ctx.Err()
	}
}

// give gives the answer when its time has come.
func (a *relayAnswer) give(ctx context.Context) (taskwait.Task, error) {
	if a.hangs {
		<-ctx.Done()
		return taskwait.Task{}, ctx.Err()
	}
	time.Sleep(a.takes)
	if a.panics {
		panic("the Source panics")
	}
	return a.task, a.err
}

// waiter makes a new Waiter of the script.
func (p *relayPlay) waiter() (*taskwait.Waiter, error) {
	if p.details == nil {
		return taskwait.New(p, p.opts...)
	}
	return taskwait.New(relayDetailer{p}, p.opts...)
}

// relayed is how a script has ended in one way.
type relayed struct {
	task     taskwait.Task
	err      error
	panicked string
	after    time.Duration
	told     []string // each Progress
	*relayPlay
}

// relayWays are the ways to wait, the first of which is what the others must be like.
var relayWays = []struct {
	name string
	wait func(context.Context, *relayPlay, *taskwait.Waiter, func(taskwait.Progress)) (taskwait.Task, error)
}{
	{"WaitForTask", func(
		ctx context.Context, _ *relayPlay, w *taskwait.Waiter, told func(taskwait.Progress),
	) (taskwait.Task, error) {
		return w.WaitForTask(ctx, relayID, taskwait.WithProgress(told))
	}},
	{"Resume", func(
		ctx context.Context, _ *relayPlay, w *taskwait.Waiter, told func(taskwait.Progress),
	) (taskwait.Task, error) {
		return w.Resume(ctx, &taskwait.Wait{ID: relayID}, taskwait.WithProgress(told))
	}},
	{"Poll, of one Waiter", func(
		ctx context.Context, _ *relayPlay, w *taskwait.Waiter, told func(taskwait.Progress),
	) (taskwait.Task, error) {
		return relayPolls(ctx, told, func(wait *taskwait.Wait) (*taskwait.Wait, *taskwait.Waiter, error) {
			return wait, w, nil
		})
	}},
	{"Poll, stored after each", func(
		ctx context.Context, p *relayPlay, _ *taskwait.Waiter, told func(taskwait.Progress),
	) (taskwait.Task, error) {
		return relayPolls(ctx, told, func(wait *taskwait.Wait) (*taskwait.Wait, *taskwait.Waiter, error) {
			back, err := stored(wait)
			if err != nil {
				return nil, nil, err
			}
			w, err := p.waiter()
			return back, w, err
		})
	}},
}

// relayPolls waits by a loop over Poll. again is what the next one is made of.
func relayPolls(ctx context.Context, told func(taskwait.Progress),
	again func(*taskwait.Wait) (*taskwait.Wait, *taskwait.Waiter, error)) (taskwait.Task, error) {
	wait := &taskwait.Wait{ID: relayID}
	for {
		back, w, err := again(wait)
		if err != nil {
			return taskwait.Task{}, err
		}
		wait = back
		p, err := w.Poll(ctx, wait)
		if p.Wait != wait || p.Outcome != err {
			return p.Task, fmt.Errorf("got %p and %v, want the Wait %p and the outcome %w", p.Wait, p.Outcome, wait, err)
		}
		if p.Polls > 0 {
			told(p)
		}
		if p.Done || err != nil {
			return p.Task, err
		}
		time.Sleep(p.Next)
	}
}

// stored is a wait as another process gets it.
func stored(w *taskwait.Wait) (*taskwait.Wait, error) {
	b, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	back := &taskwait.Wait{}
	return back, json.Unmarshal(b, back)
}

// in plays a script in one way.
func (r *relay) in(ctx context.Context, wait func(context.Context, *relayPlay, *taskwait.Waiter,
	func(taskwait.Progress)) (taskwait.Task, error)) (got relayed) {
	got.relayPlay = r.play()
	defer func() {
		got.after = time.Since(got.start)
		if v := recover(); v != nil {
			got.panicked, _, _ = strings.Cut(fmt.Sprint(v), "\n")
		}
		time.Sleep(time.Minute) // what was abandoned returns
	}()
	w, err := got.waiter()
	if err != nil {
		got.err = err
		return got
	}
	got.task, got.err = wait(ctx, got.relayPlay, w, func(p taskwait.Progress) { got.told = append(got.told, inFull(&p)) })
	return got
}

// inFull is all of a Progress but the Wait and the outcome.
func inFull(p *taskwait.Progress) string {
	q := *p
	q.Wait, q.Err, q.Outcome, q.Changed = nil, nil, nil, p.Changed && !p.Done
	return fmt.Sprintf("%+v %v", q, p.Err)
}

// playRelay plays a script in all ways, and says where they differ from the first.
func playRelay(t *testing.T, seed uint64, ready func(func(bool) string)) []violation {
	m := &model{}
	r := newRelay(seed)
	var ends []relayed
	ready(func(bool) string { return r.String() + relayText(ends) })
	for _, way := range relayWays {
		m.bubble(t, func(t *testing.T) { ends = append(ends, r.in(t.Context(), way.wait)) })
	}
	for i := range ends[1:] {
		ends[0].compare(m, &ends[i+1], relayWays[i+1].name)
	}
	return m.found
}

// compare says where another way differs. Where final polls were repeated, after pauses that are random, they may not
// be equally many. The same holds where a call that was given up at the very end had not yet returned.
func (a *relayed) compare(m *model, b *relayed, name string) {
	if !slices.Equal(a.sent, b.sent) || !slices.Equal(a.asked, b.asked) {
		m.fail(name+": instants", "got %v and %v, want %v and %v", b.sent, b.asked, a.sent, a.asked)
	}
	repeated := a.final > 1 || b.final > 1 || slices.ContainsFunc(a.told, func(s string) bool {
		return strings.HasSuffix(s, "is still running")
	})
	switch {
	case a.panicked != b.panicked:
		m.fail(name+": panic", "got %q, want %q", b.panicked, a.panicked)
	case a.panicked != "":
	case !repeated && (!sameText(a.err, b.err) || a.after != b.after):
		m.fail(name+": end", "got %v after %v, want %v after %v", b.err, b.after, a.err, a.after)
	case (a.after - b.after).Abs() > 5*time.Second:
		m.fail(name+": end after final polls", "got %v, want %v", b.after, a.after)
	case a.final != b.final: // other answers were heard
	case relayReason(a.err) != relayReason(b.err):
		m.fail(name+": end after final polls", "got %v after %v, want %v after %v", b.err, b.after, a.err, a.after)
	case a.task.String() != b.task.String():
		m.fail(name+": task", "got %v, want %v", b.task, a.task)
	}
	if !repeated && a.details == nil && strings.HasPrefix(name, "Poll") {
		a.compareProgress(m, b, name)
	}
}

// compareProgress holds what Poll has returned against what the callback of WaitForTask was given. That is given the
// last answer twice.
func (a *relayed) compareProgress(m *model, b *relayed, name string) {
	want := a.told
	if n := len(want); a.panicked == "" && n > 1 {
		want = slices.Delete(slices.Clone(want), n-2, n-1)
	}
	if !slices.Equal(b.told, want) {
		m.fail(name+": progress", "got\n%s\nwant\n%s", strings.Join(b.told, "\n"), strings.Join(want, "\n"))
	}
}

// sameText reports whether two ends say the same, but for an error that was recovered from: a Wait does not keep that.
func sameText(want, got error) bool {
	var e *taskwait.WaitError
	text := fmt.Sprint(want)
	if errors.As(got, &e) && e.LastErr == nil {
		text, _, _ = strings.Cut(text, ", last: ")
	}
	return fmt.Sprint(got) == text
}

func relayReason(err error) string {
	var e *taskwait.WaitError
	if errors.As(err, &e) {
		return fmt.Sprint(e.Reason, e.FinalPollFailed)
	}
	return fmt.Sprint(err)
}

func (r *relay) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.Join(r.text, ", "))
	for i := range r.answers {
		fmt.Fprintf(&b, "%d: %v\n", i, &r.answers[i])
	}
	for i := range r.details {
		fmt.Fprintf(&b, "details %d: %v\n", i, &r.details[i])
	}
	for i := range r.finals {
		fmt.Fprintf(&b, "final %d: %v\n", i, &r.finals[i])
	}
	return b.String()
}

func relayText(ends []relayed) string {
	var b strings.Builder
	for i := range ends {
		e := &ends[i]
		fmt.Fprintf(&b, "%s: polls at %v and %d final, details at %v, %v after %v %s\n", relayWays[i].name, e.sent, e.final,
			e.asked, e.err, e.after, e.panicked)
	}
	return b.String()
}
